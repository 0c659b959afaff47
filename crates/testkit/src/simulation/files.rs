//! Steps of the outside world: what happens to the source files.

use super::audit::Broken;
use super::content::{Content, Quality, SOURCES};
use super::house::House;

/// A source has at most so many files.
const FILES_MAX: usize = 10;

/// What can happen to files, each as often as it stands here.
const STEPS: &[(&str, u64)] = &[
    ("new file", 18),
    ("corrected file", 9),
    ("corrected file, no tags", 3),
    ("corrected file, header only", 2),
    ("corrected file, no bytes", 1),
    ("file with bad rows", 10),
    ("file with too many bad rows", 3),
    ("content repeated under another name", 4),
    ("file renamed", 4),
    ("file removed", 4),
    ("file touched", 4),
];

impl House {
    /// One thing happens to one file.
    pub(super) async fn file_step(&mut self) -> Result<(), Broken> {
        let weights: Vec<u64> = STEPS.iter().map(|(_, weight)| *weight).collect();
        let mut step = STEPS[self.random.weighted(&weights)].0;
        let source = *self.random.pick(&[&SOURCES[0], &SOURCES[0], &SOURCES[1]]);
        let prefix = format!("{source}/");
        let keys: Vec<String> = self.truth.files.keys().filter(|key| key.starts_with(&prefix)).cloned().collect();
        let makes = matches!(step, "new file" | "content repeated under another name");
        if makes && keys.len() >= FILES_MAX {
            step = "corrected file";
        } else if keys.is_empty() {
            step = "new file";
        }
        let key = match keys.len() {
            0 => String::new(),
            count => keys[self.random.below(count)].clone(),
        };
        let what = match step {
            "new file" => {
                let key = self.new_key(source);
                let quality = *self.random.pick(&[&Quality::Good, &Quality::Good, &Quality::Good, &Quality::NoTags]);
                self.write_new(&key, quality).await
            }
            "corrected file" => self.write_new(&key, Quality::Good).await,
            "corrected file, no tags" => self.write_new(&key, Quality::NoTags).await,
            "corrected file, header only" => self.write_new(&key, Quality::HeaderOnly).await,
            "corrected file, no bytes" => self.write_new(&key, Quality::NoBytes).await,
            "file with bad rows" => self.write_new(&key, Quality::SomeBad).await,
            "file with too many bad rows" => self.write_new(&key, Quality::TooBad).await,
            "content repeated under another name" => {
                let (content, other) = (self.truth.files[&key].content, self.new_key(source));
                self.truth.write(&other, content, &self.world).await;
                format!("{key} as {other}")
            }
            "file renamed" => {
                let (content, other) = (self.truth.files[&key].content, self.new_key(source));
                self.truth.remove(&key).await;
                self.truth.write(&other, content, &self.world).await;
                format!("{key} to {other}")
            }
            "file removed" => {
                self.truth.remove(&key).await;
                key
            }
            _ => {
                let content = self.truth.files[&key].content;
                self.truth.write(&key, content, &self.world).await;
                key
            }
        };
        self.note(step, &what);
        Ok(())
    }

    pub(super) fn new_key(&mut self, source: &str) -> String {
        let month = 4 + self.random.below(2);
        self.next_file += 1;
        // Now and then a name that was in use before.
        let number = if self.random.below(6) == 0 { self.random.below(self.next_file) } else { self.next_file };
        let key = format!("{source}/2021/{month:02}/f{number}.csv");
        if self.truth.files.contains_key(&key) {
            format!("{source}/2021/{month:02}/f{}.csv", self.next_file)
        } else {
            key
        }
    }

    pub(super) async fn write_new(&mut self, key: &str, quality: Quality) -> String {
        let number = u32::try_from(self.truth.contents.len()).expect("few contents");
        let content = Content::new(number, quality, &mut self.random);
        let said = format!("{key}: {} lines", content.lines.len());
        self.truth.contents.push(content);
        self.truth.write(key, number, &self.world).await;
        said
    }
}

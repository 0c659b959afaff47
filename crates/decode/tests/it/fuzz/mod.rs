//! Hostile bytes: files that each have one thing about them, and whatever can be made of these.

mod cases;
mod invariants;
mod mutate;

use std::path::{Path, PathBuf};

use proptest::test_runner::{RngAlgorithm, TestRng};

use self::cases::{any_setting, settings};
use self::invariants::{check, shrink};
use self::mutate::mutate;
use crate::common::Case;

/// A file of the corpus.
struct Shape {
    name: String,
    bytes: Vec<u8>,
}

fn corpus() -> Vec<Shape> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/hostile");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let shape = |file: PathBuf| Shape {
        name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
        bytes: std::fs::read(&file).unwrap(),
    };
    files.into_iter().map(shape).collect()
}

/// What becomes of each file by default: who changes this changes what users see.
#[test]
fn what_the_corpus_comes_to() {
    let case = Case::new("id string; amount string").with(|case| case.max_record_bytes = 4096);
    let lines = corpus().into_iter().map(|Shape { name, bytes }| match case.run(&bytes) {
        Err(error) => format!("{name}: held, {error}"),
        Ok(got) => {
            let counts = got.outcome.counts;
            let decided = ["delimiter", "quote", "escape", "header"].map(|choice| got.decided(choice)).join(" ");
            let reasons: Vec<_> =
                got.outcome.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            let (read, loaded, refused, blank) = (counts.read, counts.loaded, counts.quarantined, counts.blank);
            format!("{name}: {read} = {loaded} + {refused} + {blank} [{}] {decided}", reasons.join(", "))
        }
    });
    let found = lines.map(|line| line + "\n").collect::<String>();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/hostile.expected.txt");
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if found != expected && std::env::var_os("CORPUS_UPDATE").is_some() {
        std::fs::write(&file, &found).unwrap();
        return;
    }
    assert_eq!(found, expected, "set CORPUS_UPDATE to write {} anew, then read the diff", file.display());
}

/// Regions of one byte take their time with a longer file.
const SMALL_BYTES: usize = 1000;

#[test]
fn the_corpus_is_read_alike_in_every_setting() {
    for Shape { name, bytes } in corpus() {
        let step = if bytes.len() > SMALL_BYTES { 8 } else { 1 };
        for setting in settings().iter().step_by(step) {
            check(&bytes, setting).unwrap_or_else(|broken| panic!("{name}, {setting:?}: {broken}"));
        }
    }
}

/// The same with few settings: under valgrind all takes fifty times as long.
#[test]
fn valgrind_the_corpus_is_read() {
    for Shape { name, bytes } in corpus().into_iter().filter(|shape| shape.bytes.len() <= SMALL_BYTES) {
        for setting in settings().iter().step_by(11) {
            check(&bytes, setting).unwrap_or_else(|broken| panic!("{name}, {setting:?}: {broken}"));
        }
    }
}

/// As many as take less than half a minute.
const RUNS: u64 = 30_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: expected a number, found `{text}`")))
}

/// The same inputs each time, unless `FUZZ_SEED` says otherwise; `FUZZ_RUNS` are tried. What it finds belongs into the
/// corpus, under a name that says what it is.
#[test]
fn nothing_made_of_the_corpus_breaks_a_promise() {
    let corpus = corpus();
    let (first, runs) = (number("FUZZ_SEED").unwrap_or(1), number("FUZZ_RUNS").unwrap_or(RUNS));
    for seed in first..first + runs {
        let mut random = random(seed);
        let bytes = mutate(&corpus, &mut random);
        let setting = any_setting(&mut random);
        if check(&bytes, &setting).is_err() {
            let bytes = shrink(bytes, &setting);
            let broken = check(&bytes, &setting).expect_err("a smaller input breaks it as well");
            panic!("FUZZ_SEED={seed} FUZZ_RUNS=1, {setting:?}\n\"{}\"\n{broken}", bytes.escape_ascii());
        }
    }
}

fn random(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

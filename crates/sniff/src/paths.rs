//! Phase 4: a path template from the paths of the files, and how often a file is expected.

use std::collections::BTreeSet;

use stillhouse_spec::{Grain, PathTemplate};

use crate::api::{Input, Notes, Place};
use crate::moments::Days;

/// What the paths say.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) template: String,
    pub(crate) every: Option<Grain>,
    /// The days that each path names.
    pub(crate) periods: Vec<Option<Days>>,
    /// The year that each path names.
    pub(crate) years: Vec<Option<i16>>,
}

/// One part of a component of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `yyyy`, `MM`, `dd` or `HH`, and its digits.
    Date(&'static str, String),
    /// Whatever differs.
    Any,
}

/// Marks between the words of a file name.
const MARKS: [char; 6] = ['-', '_', '.', ' ', '=', '+'];

/// How the names of packed files end.
const PACKED: [&str; 4] = [".gz", ".bz2", ".zst", ".zstd"];

/// Makes the template.
pub(crate) fn paths(inputs: &[Input<'_>], notes: &mut Notes) -> Paths {
    let all = all_pieces(inputs);
    let fitting = |paths: &[Path]| {
        let template = render(&merge_all(paths));
        let parsed: PathTemplate = template.parse().ok()?;
        inputs.iter().all(|input| parsed.values(&input.path).is_some()).then_some((template, parsed))
    };
    // A second date in a path may be another one, and what seems to be a date may be none.
    let others = || fitting(&all.iter().map(first_dates).collect::<Vec<_>>());
    let none = || fitting(&all.iter().map(undated).collect::<Vec<_>>());
    let Some((template, parsed)) = fitting(&all).or_else(others).or_else(none) else { return literal(inputs) };
    let periods: Vec<_> = inputs.iter().map(|input| parsed.period(&input.path)).collect();
    let dated = !periods.is_empty() && periods.iter().all(Option::is_some);
    let every = parsed.grain().filter(|_| dated);
    explain(inputs, &parsed, every, notes);
    let days = |period: &Option<stillhouse_spec::Period>| {
        let (first, end) = period.and_then(stillhouse_spec::Period::days)?;
        Some((crate::days::number(first), crate::days::number(end)))
    };
    let years = inputs.iter().map(|input| parsed.values(&input.path)?.get("yyyy")?.parse().ok()).collect();
    Paths { periods: periods.iter().map(days).collect(), years, template, every }
}

/// The paths in pieces. Where some files are packed and others are not, or otherwise, the ends that say so differ.
fn all_pieces(inputs: &[Input<'_>]) -> Vec<Path> {
    let packed = |input: &Input<'_>| PACKED.iter().find(|end| input.path.ends_with(**end)).copied().unwrap_or_default();
    let differ = inputs.windows(2).any(|two| packed(&two[0]) != packed(&two[1]));
    let path = |input: &Input<'_>| {
        if !differ {
            return pieces(&input.path);
        }
        let mut path = pieces(input.path.strip_suffix(packed(input)).unwrap_or(&input.path));
        path.last_mut().into_iter().for_each(|file| file.push(Piece::Any));
        path
    };
    inputs.iter().map(path).collect()
}

/// A path that names the first file; nothing in common was found.
fn literal(inputs: &[Input<'_>]) -> Paths {
    let none = vec![None; inputs.len()];
    let template = inputs.first().map(|input| input.path.replace(['{', '}'], "?")).unwrap_or_default();
    Paths { template, every: None, periods: none.clone(), years: vec![None; none.len()] }
}

fn explain(inputs: &[Input<'_>], template: &PathTemplate, every: Option<Grain>, notes: &mut Notes) {
    // Members of an archive share its path.
    let count = inputs.iter().map(|input| &input.path).collect::<BTreeSet<_>>().len();
    let of = if count == 1 { "the path".to_owned() } else { format!("the paths of {count} files") };
    let mut text = format!("`{template}`, from {of}");
    if let Some(every) = every {
        text.push_str(&format!("; one {every} for each, so a file is expected every {every}"));
        let about = "every";
        if count == 1 {
            let text = format!("one file does not say how often there is one; by its path, every {every}");
            notes.remark(Place::Path, about, text);
        }
    }
    notes.found(Place::Path, "path", text);
}

/// The path with every part of a date behind the first of its kind as whatever it may be.
fn first_dates(path: &Path) -> Path {
    let mut seen: Vec<&'static str> = Vec::new();
    let mut component = |pieces: &Vec<Piece>| {
        let mut kept: Vec<Piece> = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Date(name, _) if seen.contains(name) => kept.push(Piece::Any),
                Piece::Date(name, _) => {
                    seen.push(name);
                    kept.push(piece.clone());
                }
                other => kept.push(other.clone()),
            }
        }
        kept.dedup_by(|a, b| *a == Piece::Any && *b == Piece::Any);
        kept
    };
    path.iter().map(&mut component).collect()
}

/// The path with its dates as they are written.
fn undated(path: &Path) -> Path {
    let component = |pieces: &Vec<Piece>| {
        let plain = |piece: &Piece| match piece {
            Piece::Date(_, digits) => digits.chars().map(Piece::Char).collect(),
            other => vec![other.clone()],
        };
        pieces.iter().flat_map(plain).collect()
    };
    path.iter().map(component).collect()
}

/// The components of a path in pieces.
fn pieces(path: &str) -> Vec<Vec<Piece>> {
    let mut found = Found::default();
    let components: Vec<&str> = path.split('/').collect();
    components.iter().map(|component| component_pieces(component, &mut found)).collect()
}

/// Parts of a date that are known from the components before.
#[derive(Debug, Default)]
struct Found {
    year: bool,
    month: bool,
    day: bool,
    hour: bool,
}

fn component_pieces(component: &str, found: &mut Found) -> Vec<Piece> {
    if let Some(pieces) = lone(component, found) {
        return pieces;
    }
    let mut pieces = Vec::new();
    let mut rest = component;
    let mut dated = false;
    while let Some(first) = rest.chars().next() {
        if !first.is_ascii_digit() {
            pieces.push(Piece::Char(first));
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let run = digits(rest);
        match date_at(rest) {
            Some((date, length)) => {
                for piece in &date {
                    found.note(piece);
                }
                pieces.extend(date);
                rest = &rest[length..];
                dated = true;
            }
            // A time or a serial number behind the date differs from file to file.
            None if dated && run.len() >= 4 => {
                pieces.push(Piece::Any);
                rest = &rest[run.len()..];
            }
            None => {
                pieces.extend(run.chars().map(Piece::Char));
                rest = &rest[run.len()..];
            }
        }
    }
    pieces
}

impl Found {
    fn note(&mut self, piece: &Piece) {
        match piece {
            Piece::Date("yyyy", _) => self.year = true,
            Piece::Date("MM", _) => self.month = true,
            Piece::Date("dd", _) => self.day = true,
            Piece::Date("HH", _) => self.hour = true,
            _ => {}
        }
    }
}

/// A component that is a part of a date and nothing else: `2021`, `month=04`, `04.csv` below a year.
fn lone(component: &str, found: &mut Found) -> Option<Vec<Piece>> {
    let start = component.find('=').map_or(0, |at| at + 1);
    let run = digits(&component[start..]);
    let behind = &component[start + run.len()..];
    if !(behind.is_empty() || behind.starts_with('.')) || run.len() != 2 {
        return None;
    }
    let value: u8 = run.parse().ok()?;
    let name = match found {
        Found { year: true, month: false, .. } if (1..=12).contains(&value) => "MM",
        Found { year: true, month: true, day: false, .. } if (1..=31).contains(&value) => "dd",
        Found { year: true, month: true, day: true, hour: false } if value < 24 => "HH",
        _ => return None,
    };
    let piece = Piece::Date(name, run.to_owned());
    found.note(&piece);
    let before = component[..start].chars().map(Piece::Char);
    Some(before.chain([piece]).chain(behind.chars().map(Piece::Char)).collect())
}

fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// The date that the text begins with, and its length.
fn date_at(text: &str) -> Option<(Vec<Piece>, usize)> {
    let run = digits(text);
    let part = |name: &'static str, digits: &str| Piece::Date(name, digits.to_owned());
    match run.len() {
        6 | 8 | 10 if is_year(&run[..4]) && is_month(&run[4..6]) => {
            let mut pieces = vec![part("yyyy", &run[..4]), part("MM", &run[4..6])];
            if run.len() >= 8 {
                pieces.push(part("dd", run.get(6..8).filter(|day| is_day(day))?));
            }
            if run.len() == 10 {
                pieces.push(part("HH", run.get(8..10).filter(|hour| *hour < "24")?));
            }
            Some((pieces, run.len()))
        }
        12 | 14 => {
            let (mut pieces, _) = date_at(&run[..8])?;
            pieces.push(Piece::Any);
            (pieces.len() == 4).then_some((pieces, run.len()))
        }
        4 if is_year(run) => {
            let mut pieces = vec![part("yyyy", run)];
            let mut length = 4;
            for (name, fits) in [("MM", is_month as fn(&str) -> bool), ("dd", is_day as fn(&str) -> bool)] {
                let Some((mark, digits)) = next_part(&text[length..]).filter(|(_, digits)| fits(digits)) else { break };
                pieces.push(Piece::Char(mark));
                pieces.push(part(name, digits));
                length += 3;
            }
            Some((pieces, length))
        }
        2 => year_last(text),
        _ => None,
    }
}

/// `-04` with nothing but two digits behind the mark.
fn next_part(text: &str) -> Option<(char, &str)> {
    let mark = text.chars().next().filter(|mark| MARKS.contains(mark))?;
    let digits = digits(&text[1..]);
    (digits.len() == 2).then_some((mark, digits))
}

/// `04-2021` or `31-04-2021`.
fn year_last(text: &str) -> Option<(Vec<Piece>, usize)> {
    let part = |name: &'static str, digits: &str| Piece::Date(name, digits.to_owned());
    let first = digits(text);
    let mark = text[2..].chars().next().filter(|mark| MARKS.contains(mark))?;
    let second = digits(&text[3..]);
    if second.len() == 4 && is_year(second) && is_month(first) {
        return Some((vec![part("MM", first), Piece::Char(mark), part("yyyy", second)], 7));
    }
    let rest = text.get(5..)?.strip_prefix(mark)?;
    let year = digits(rest);
    if second.len() != 2 || year.len() != 4 || !is_year(year) {
        return None;
    }
    let names = match (is_month(first), is_month(second)) {
        (_, true) if is_day(first) => ["dd", "MM"],
        (true, _) if is_day(second) => ["MM", "dd"],
        _ => return None,
    };
    let pieces =
        vec![part(names[0], first), Piece::Char(mark), part(names[1], second), Piece::Char(mark), part("yyyy", year)];
    Some((pieces, 10))
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4 && ("1970"..="2099").contains(&digits)
}

fn is_month(digits: &str) -> bool {
    digits.len() == 2 && ("01"..="12").contains(&digits)
}

fn is_day(digits: &str) -> bool {
    digits.len() == 2 && ("01"..="31").contains(&digits)
}

type Path = Vec<Vec<Piece>>;

fn merge_all(paths: &[Path]) -> Path {
    let mut paths = paths.iter();
    let first = paths.next().cloned().unwrap_or_default();
    paths.fold(first, |merged, path| merge(&merged, path))
}

/// A marker for any number of folders.
fn any_folders() -> Vec<Piece> {
    vec![Piece::Any, Piece::Any]
}

fn merge(a: &[Vec<Piece>], b: &[Vec<Piece>]) -> Path {
    if a.len() == b.len() && !a.contains(&any_folders()) {
        return a.iter().zip(b).map(|(a, b)| merge_component(a, b)).collect();
    }
    // Folders at different depths: what both begin with, any folders, and the file.
    let shorter = a.len().min(b.len()).saturating_sub(1);
    let common = a.iter().zip(b).take(shorter).take_while(|(a, b)| a == b && **a != any_folders()).count();
    let (Some(last_a), Some(last_b)) = (a.last(), b.last()) else { return a.to_vec() };
    let mut merged: Path = a[..common].to_vec();
    merged.push(any_folders());
    merged.push(merge_component(last_a, last_b));
    merged
}

/// The same placeholder, whatever its digits, or the same character.
fn same(a: &Piece, b: &Piece) -> bool {
    match (a, b) {
        (Piece::Date(a, _), Piece::Date(b, _)) => a == b,
        (a, b) => a == b,
    }
}

fn merge_component(a: &[Piece], b: &[Piece]) -> Vec<Piece> {
    if a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)) {
        return a.to_vec();
    }
    let is_mark =
        |piece: &Piece| matches!(piece, Piece::Char(c) if MARKS.contains(c)) || matches!(piece, Piece::Date(..));
    let mut before = a.iter().zip(b).take_while(|(a, b)| same(a, b)).count();
    // Words are not cut in two: `shop_1` and `shop_12` have `shop_` in common.
    while before > 0 && !is_mark(&a[before - 1]) {
        before -= 1;
    }
    let rest = a.len().min(b.len()) - before;
    let mut behind = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| same(a, b)).count();
    while behind > 0 && !is_mark(&a[a.len() - behind]) {
        behind -= 1;
    }
    let mut merged = a[..before].to_vec();
    if merged.last() != Some(&Piece::Any) {
        merged.push(Piece::Any);
    }
    merged.extend_from_slice(&a[a.len() - behind..]);
    merged.dedup_by(|a, b| *a == Piece::Any && *b == Piece::Any);
    merged
}

fn render(path: &[Vec<Piece>]) -> String {
    let component = |pieces: &Vec<Piece>| {
        if *pieces == any_folders() {
            return "**".to_owned();
        }
        let texts = pieces.iter().map(|piece| match piece {
            // A template has no other way to write them.
            Piece::Char('{' | '}' | '*' | '?') => "?".to_owned(),
            Piece::Char(char) => char.to_string(),
            Piece::Date(name, _) => format!("{{{name}}}"),
            Piece::Any => "*".to_owned(),
        });
        texts.collect::<String>()
    };
    path.iter().map(component).collect::<Vec<_>>().join("/")
}

/// A path of a file outside of the project as it could be inside: `data/` and what is telling of the path.
pub fn inside(path: &str) -> String {
    let components: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
    let mut found = Found::default();
    let dated: Vec<bool> = components
        .iter()
        .map(|part| component_pieces(part, &mut found).iter().any(|piece| matches!(piece, Piece::Date(..))))
        .collect();
    let last = components.len().saturating_sub(1);
    let mut first = last;
    while first > 0 && dated[first - 1] {
        first -= 1;
    }
    format!("data/{}", components[first..].join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(paths: &[&str]) -> String {
        render(&merge_all(&paths.iter().map(|path| pieces(path)).collect::<Vec<_>>()))
    }

    #[test]
    fn dates_in_paths_become_placeholders() {
        for (path, expected) in [
            ("data/2021/03/events.csv", "data/{yyyy}/{MM}/events.csv"),
            ("data/2021/03/05/13/events.csv", "data/{yyyy}/{MM}/{dd}/{HH}/events.csv"),
            ("in/year=2021/month=03/part-00000.csv", "in/year={yyyy}/month={MM}/part-00000.csv"),
            ("events-2021-03.csv", "events-{yyyy}-{MM}.csv"),
            ("events_20210305.csv", "events_{yyyy}{MM}{dd}.csv"),
            ("events_20210305_120059.csv", "events_{yyyy}{MM}{dd}_*.csv"),
            ("events_20210305120059.csv", "events_{yyyy}{MM}{dd}*.csv"),
            ("data/2021/03.csv", "data/{yyyy}/{MM}.csv"),
            ("2021-03/events_2021-03-05.csv", "{yyyy}-{MM}/events_{yyyy}-{MM}-{dd}.csv"),
            ("03-2021.csv", "{MM}-{yyyy}.csv"),
            ("report 31.03.2021.csv", "report {dd}.{MM}.{yyyy}.csv"),
            ("data/transactions.csv", "data/transactions.csv"),
            ("data/v12/x1234567.csv", "data/v12/x1234567.csv"),
            ("data/2021/13/events.csv", "data/{yyyy}/13/events.csv"),
        ] {
            assert_eq!(template(&[path]), expected, "{path}");
        }
    }

    #[test]
    fn what_differs_becomes_a_star() {
        for (paths, expected) in [
            (vec!["data/2021/03/e.csv", "data/2021/04/e.csv"], "data/{yyyy}/{MM}/e.csv"),
            (vec!["shop_a.csv", "shop_b.csv"], "shop_*.csv"),
            (vec!["part-00000.csv", "part-00001.csv", "part-00010.csv"], "part-*.csv"),
            (vec!["data/north/2021-03.csv", "data/south/2021-03.csv"], "data/*/{yyyy}-{MM}.csv"),
            (vec!["data/a.csv", "data/x/b.csv", "data/x/y/c.csv"], "data/**/*.csv"),
            (vec!["e-2021.csv", "e-all.csv"], "e-*.csv"),
            (vec!["clicks.csv", "visits.csv"], "*.csv"),
        ] {
            assert_eq!(template(&paths), expected, "{paths:?}");
            let template: PathTemplate = expected.parse().unwrap();
            assert!(paths.iter().all(|path| template.values(path).is_some()), "{paths:?}");
        }
    }

    #[test]
    fn files_from_elsewhere_get_a_place_inside() {
        assert_eq!(inside("/srv/drop/events.csv"), "data/events.csv");
        assert_eq!(inside("../shop/2021/04/events.csv"), "data/2021/04/events.csv");
    }
}

//! How long files and functions are. One screen for a function, a few for a file: what is longer is hard to proofread.
//!
//! Only production parts count: no `tests/` folders, no `tests.rs`, nothing behind `#[cfg(test)]`.

use std::fmt::Write as _;

use crate::files::File;
use crate::source::code_only;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 50;
/// Functions above this are named one by one; only a flat `match` has an excuse.
const FUNCTION_LINES_NAMED: usize = 70;
/// The share that must stay below the limits, in percent.
const SHARE: usize = 95;
const WORST: usize = 5;

/// What was measured.
pub struct Report {
    /// For a person.
    pub summary: String,
    /// Limits that are broken.
    pub problems: Vec<String>,
}

/// Something with a length.
struct Sized {
    name: String,
    lines: usize,
}

/// Measures the production part of every Rust file.
pub fn measure(files: &[File]) -> Report {
    let (mut all_files, mut functions) = (Vec::new(), Vec::new());
    let production = |path: &str| {
        path.ends_with(".rs")
            && !path.contains("/tests/")
            && !path.ends_with("/tests.rs")
            && !path.contains("/benches/")
    };
    for file in files.iter().filter(|file| production(&file.path)) {
        let code = without_tests(&code_only(&file.text));
        all_files.push(Sized { name: file.path.clone(), lines: code.lines });
        functions.extend(functions_of(&code.text, &file.path));
    }
    let mut report = Report { summary: String::new(), problems: Vec::new() };
    describe("production files", &mut all_files, FILE_LINES, &mut report);
    describe("functions", &mut functions, FUNCTION_LINES, &mut report);
    let long = functions.iter().filter(|function| function.lines > FUNCTION_LINES_NAMED);
    let long: Vec<String> = long.map(|function| format!("{} ({})", function.name, function.lines)).collect();
    if !long.is_empty() {
        let _ = write!(report.summary, "functions over {FUNCTION_LINES_NAMED} lines: {}", long.join(", "));
    }
    report.summary = report.summary.trim_end().to_owned();
    report
}

/// Adds the figures of one kind, and a problem where too many are too long. Sorts, longest first.
fn describe(what: &str, items: &mut [Sized], limit: usize, report: &mut Report) {
    items.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.name.cmp(&b.name)));
    let Some(longest) = items.first() else { return };
    let count = items.len();
    let at_percent = |percent: usize| items[count - 1 - (count * percent / 100).min(count - 1)].lines;
    let within = items.iter().filter(|item| item.lines < limit).count();
    let _ = writeln!(
        report.summary,
        "{what}: {count}; lines: median {}, 95 % below {}, longest {}; {within} of {count} under {limit}",
        at_percent(50),
        at_percent(SHARE) + 1,
        longest.lines,
    );
    for item in items.iter().take(WORST) {
        let _ = writeln!(report.summary, "  {:>5}  {}", item.lines, item.name);
    }
    if within * 100 < count * SHARE {
        report.problems.push(format!(
            "{what}: {within} of {count} are under {limit} lines, {SHARE} % must be; split the longest: {}",
            longest.name
        ));
    }
}

struct Production {
    text: String,
    lines: usize,
}

/// The code without the items behind `#[cfg(test)]`: blanked in `text`, not counted in `lines`.
fn without_tests(code: &str) -> Production {
    let mut text = code.to_owned();
    let mut lines = code.lines().count();
    let mut from = 0;
    while let Some(found) = text[from..].find("#[cfg(test)]") {
        let start = from + found;
        let body_end = item_end(&text, start);
        lines -= text[start..body_end].lines().count();
        let blank: String = text[start..body_end].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        text.replace_range(start..body_end, &blank);
        from = body_end;
    }
    Production { text, lines }
}

/// Where the item that begins at `start` ends: behind its `;`, or behind the brace that closes its first one.
fn item_end(code: &str, start: usize) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (offset, byte) in code[start..].bytes().enumerate() {
        match byte {
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let closed = byte == b'}' && braces == 0 && brackets == 0;
        if closed || (byte == b';' && braces == 0 && brackets == 0) {
            return start + offset + 1;
        }
    }
    code.len()
}

/// Every function with a body, from `fn` to its closing brace.
fn functions_of(code: &str, path: &str) -> Vec<Sized> {
    let mut functions = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let word_before = code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if word_before || name.is_empty() {
            continue;
        }
        let end = item_end(code, at);
        if code[..end].ends_with('}') {
            let line = code[..at].matches('\n').count() + 1;
            let lines = code[at..end].matches('\n').count() + 1;
            functions.push(Sized { name: format!("{path}:{line} {name}"), lines });
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Report {
        measure(&[File { path: "crates/a/src/lib.rs".to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn tests_do_not_count() {
        let code = code_only("fn a() {\n}\n#[cfg(test)]\nmod tests {\n    fn long() {\n\n\n    }\n}\nfn b() {}\n");
        let production = without_tests(&code);
        assert_eq!(production.lines, 3);
        let names: Vec<String> = functions_of(&production.text, "x.rs").into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["x.rs:1 a", "x.rs:10 b"]);
    }

    #[test]
    fn functions_are_measured_whatever_their_signature() {
        let code =
            "trait T { fn none(a: [u8; 3]); }\nfn f<T: Fn(u8) -> [u8; 2]>(a: T)\nwhere\n    T: Copy,\n{\n    g();\n}\n";
        let functions = functions_of(code, "x.rs");
        assert_eq!(functions.len(), 1);
        assert_eq!((functions[0].name.as_str(), functions[0].lines), ("x.rs:2 f", 6));
    }

    #[test]
    fn a_long_function_is_named_and_breaks_the_limit() {
        let long = format!("fn long() {{\n{}}}\n", "    g();\n".repeat(80));
        let found = report(&long);
        assert!(
            found.summary.contains("functions over 70 lines: crates/a/src/lib.rs:1 long (82)"),
            "{}",
            found.summary
        );
        assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    }

    #[test]
    fn one_long_file_in_a_hundred_is_put_up_with() {
        let mut files: Vec<File> =
            (0..99).map(|n| File { path: format!("crates/a/src/f{n}.rs"), text: "fn f() {}\n".to_owned() }).collect();
        files.push(File { path: "crates/a/src/long.rs".to_owned(), text: "const A: u8 = 1;\n".repeat(600) });
        let found = measure(&files);
        assert_eq!(found.problems, Vec::<String>::new());
        assert!(found.summary.contains("  600  crates/a/src/long.rs"), "{}", found.summary);
    }
}

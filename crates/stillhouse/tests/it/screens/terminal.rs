//! A terminal of 80 columns: programs run on it, and it says what can be read on it when they have ended, and in which
//! colours.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};
use stillhouse_testkit::TempProject;

/// Columns of the terminal.
pub const COLUMNS: usize = 80;

/// Whether the environment asks for no colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    Wanted,
    Unwanted,
}

/// A command, and what is typed while it runs: keys, each until a text is seen.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    pub command: &'a [&'a str],
    pub steps: &'a [(&'a str, &'a str)],
}

/// What a program has left on a terminal.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// Everything that was shown, without what moves the cursor and without colours.
    pub shown: String,
    /// Everything as it came.
    pub raw: String,
    /// How the program ended.
    pub code: i32,
}

/// Runs commands in the project's folder one after the other, each on a terminal of its own.
pub fn on_terminal(project: &TempProject, colours: Colours, commands: &[Typed<'_>]) -> Vec<Answer> {
    let runs: Vec<Value> = commands.iter().map(|Typed { command, steps }| json!([command, steps])).collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal.py");
    let mut python = Command::new("python3");
    python.args([script, &json!(runs).to_string(), env!("CARGO_BIN_EXE_stillhouse")]);
    // Without UTF-8, bars look the same with and without colours.
    python.current_dir(project.path(".")).env_remove("STILLHOUSE_LOG").env("LC_ALL", "C");
    match colours {
        Colours::Wanted => python.env_remove("NO_COLOR"),
        Colours::Unwanted => python.env("NO_COLOR", "1"),
    };
    let output = python.output().unwrap();
    assert!(output.status.success(), "{commands:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What stands on a terminal. Whatever no program of ours should send is a failure.
#[derive(Debug, Default)]
pub struct Screen {
    rows: Vec<Vec<Cell>>,
    row: usize,
    column: usize,
    style: String,
    /// Lines that did not fit, as far as they did.
    pub too_wide: Vec<String>,
    /// Whether something was coloured, bold or the like.
    pub has_colours: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    sign: char,
    style: String,
}

impl Screen {
    /// The screen after all of `raw`.
    pub fn after(raw: &str) -> Self {
        let mut screen = Self::default();
        let mut chars = raw.chars();
        while let Some(c) = chars.next() {
            match c {
                '\r' => screen.column = 0,
                '\n' => screen.row += 1,
                '\u{1b}' => {
                    assert_eq!(chars.next(), Some('['), "{raw:?}");
                    let mut code: String = chars.by_ref().take_while(|c| !c.is_ascii_alphabetic()).collect();
                    let read = raw.len() - chars.as_str().len();
                    code.push(raw[..read].chars().next_back().unwrap());
                    screen.obey(&code);
                }
                c if c.is_control() => panic!("{c:?} in {raw:?}"),
                c => screen.put(c),
            }
        }
        screen
    }

    fn obey(&mut self, code: &str) {
        let (number, letter) = code.split_at(code.len() - 1);
        let count = || number.parse().unwrap_or(1);
        match letter {
            // Modes: pasting, updates in one piece, the cursor's look.
            "h" | "l" if number.starts_with('?') => {}
            "A" => self.row = self.row.saturating_sub(count()),
            "B" => self.row += count(),
            "C" => self.column += count(),
            "K" if number == "2" => self.here().clear(),
            "K" if number.is_empty() || number == "0" => {
                let column = self.column;
                self.here().truncate(column);
            }
            "m" => self.paint(number),
            _ => panic!("the terminal does not know {code:?}"),
        }
    }

    fn paint(&mut self, number: &str) {
        if number.is_empty() || number == "0" {
            self.style.clear();
            return;
        }
        self.has_colours = true;
        let words =
            BTreeMap::from([("1", "bold"), ("4", "underlined"), ("31", "red"), ("32", "green"), ("33", "yellow")]);
        for part in number.split(';') {
            let word = words.get(part).unwrap_or_else(|| panic!("what colour is {part}?"));
            self.style = format!("{} {word}", self.style).trim().to_owned();
        }
    }

    fn here(&mut self) -> &mut Vec<Cell> {
        let row = self.row;
        self.rows.resize_with(self.rows.len().max(row + 1), Vec::new);
        &mut self.rows[row]
    }

    fn put(&mut self, sign: char) {
        if self.column == COLUMNS {
            let line = self.here().iter().map(|cell| cell.sign).collect();
            self.too_wide.push(line);
            (self.row, self.column) = (self.row + 1, 0);
        }
        let (column, style) = (self.column, self.style.clone());
        let row = self.here();
        row.resize(row.len().max(column + 1), Cell { sign: ' ', style: String::new() });
        row[column] = Cell { sign, style };
        self.column += 1;
    }

    /// The lines; where colours begin and end stands in brackets.
    pub fn text(&self) -> String {
        self.rows.iter().map(|row| line(row)).collect()
    }
}

fn line(row: &[Cell]) -> String {
    let mut text = String::new();
    let mut style = "";
    for cell in row {
        if cell.style != style {
            text.push_str(if style.is_empty() { "" } else { "⟨⟩" });
            text.push_str(&if cell.style.is_empty() { String::new() } else { format!("⟨{}⟩", cell.style) });
            style = &cell.style;
        }
        text.push(cell.sign);
    }
    text.push_str(if style.is_empty() { "" } else { "⟨⟩" });
    text.trim_end().to_owned() + "\n"
}

/// The text without the brackets.
pub fn uncoloured(text: &str) -> String {
    let pieces = text.split('⟨').enumerate();
    pieces.map(|(number, piece)| if number == 0 { piece } else { piece.split_once('⟩').unwrap().1 }).collect()
}

#[test]
fn a_terminal_shows_what_is_left() {
    let screen = Screen::after("one\r\n\u{1b}[1;31mtwo\u{1b}[0m three\r\nbar ###\r\u{1b}[2Kfour\u{1b}[1A\r\u{1b}[6CT");
    assert_eq!(screen.text(), "one\n⟨bold red⟩two⟨⟩ thTee\nfour\n");
    assert_eq!(uncoloured(&screen.text()), "one\ntwo thTee\nfour\n");
    assert!(screen.has_colours && screen.too_wide.is_empty());
    let wide = Screen::after(&format!("{}\r\n{}!", "x".repeat(80), "y".repeat(80)));
    assert_eq!(wide.too_wide, ["y".repeat(80)]);
}

//! Text within the width of a terminal.

/// The longest text between backticks that stays in one line: it is there to be typed.
const TYPED_MAX: usize = 60;

/// Breaks lines that are wider between words; the rest of a line stands two blanks further in than it begins. A word that is
/// wider by itself stays whole, so that paths and commands can be copied. Escape codes take no room.
pub fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| wrapped_line(line, width)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    if room(line) <= width {
        return line.to_owned();
    }
    let hang = line.chars().take_while(|c| *c == ' ').count() + 2;
    let (mut text, mut column, mut is_begun) = (String::new(), 0, false);
    for (gap, word) in words(line) {
        let word_room = room(&word);
        if is_begun && column + gap + word_room > width {
            text.push('\n');
            text.push_str(&" ".repeat(hang));
            column = hang;
        } else {
            text.push_str(&" ".repeat(gap));
            column += gap;
        }
        text.push_str(&word);
        column += word_room;
        is_begun = true;
    }
    text
}

/// The words with the number of blanks before each.
fn words(line: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let (mut gap, mut is_typed) = (0, false);
    for (index, part) in line.split(' ').enumerate() {
        gap += usize::from(index > 0);
        if part.is_empty() {
            continue;
        }
        match words.last_mut() {
            Some((_, word)) if is_typed && word.len() + gap + part.len() <= TYPED_MAX => {
                word.push_str(&" ".repeat(gap));
                word.push_str(part);
            }
            _ => words.push((gap, part.to_owned())),
        }
        is_typed ^= part.matches('`').count() % 2 == 1;
        gap = 0;
    }
    words
}

/// Characters that a terminal shows.
fn room(text: &str) -> usize {
    let mut chars = text.chars();
    let mut room = 0;
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // An escape code ends with its letter.
            let _ = chars.find(char::is_ascii_alphabetic);
        } else {
            room += 1;
        }
    }
    room
}

/// Signs behind which a value may be broken.
const SEPARATORS: [char; 7] = ['/', ',', ';', '&', '?', '@', '-'];

/// A value in lines of at most `width` characters: broken at a blank, else behind a sign that separates, else anywhere.
pub(super) fn pieces(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let chars: Vec<char> = text.chars().collect();
    let (mut pieces, mut from) = (Vec::new(), 0);
    while chars.len() - from > width {
        let (end, next) = break_at(&chars[from..], width);
        pieces.push(chars[from..from + end].iter().collect());
        from += next;
    }
    pieces.push(chars[from..].iter().collect());
    pieces
}

/// Where the first line of a text that is wider ends, and where the next one begins.
fn break_at(chars: &[char], width: usize) -> (usize, usize) {
    // A blank right behind the line is a good end, too.
    let blank = chars[..=width].iter().rposition(|c| *c == ' ').filter(|at| *at > 0);
    let sign = chars[..width].iter().rposition(|c| SEPARATORS.contains(c)).filter(|at| *at >= width / 2);
    match (blank, sign) {
        (Some(at), None) => (at, at + 1),
        (Some(at), Some(_)) if at >= width / 2 => (at, at + 1),
        (_, Some(at)) => (at + 1, at + 1),
        (None, None) => (width, width),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("short\n  lines\n", 10), "short\n  lines\n");
        assert_eq!(wrapped("hint: do this and that", 12), "hint: do\n  this and\n  that");
        assert_eq!(wrapped("  held  data/a.csv  and more", 20), "  held  data/a.csv\n    and more");
        assert_eq!(wrapped("see `stillhouse tables` or not", 15), "see\n  `stillhouse tables`\n  or not");
        assert_eq!(wrapped("a /very/long/path/to/somewhere b", 12), "a\n  /very/long/path/to/somewhere\n  b");
        assert_eq!(wrapped("\u{1b}[1mtitle\u{1b}[0m two", 9), "\u{1b}[1mtitle\u{1b}[0m two");
    }

    #[test]
    fn values_are_broken_where_it_hurts_least() {
        assert_eq!(pieces("data/2021/02/events.csv", 14), ["data/2021/02/", "events.csv"]);
        assert_eq!(pieces("bae19c42-6992-99d8-8421-8f323fd7eedb", 20), ["bae19c42-6992-99d8-", "8421-8f323fd7eedb"]);
        assert_eq!(pieces("one two three", 7), ["one two", "three"]);
        assert_eq!(pieces("0123456789", 4), ["0123", "4567", "89"]);
        assert_eq!(pieces("a bcdefghij", 4), ["a", "bcde", "fghi", "j"]);
        assert_eq!(pieces("", 4), [""]);
        assert_eq!(pieces("äöü", 0), ["ä", "ö", "ü"]);
    }
}

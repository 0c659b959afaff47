//! The place of a mistake, shown under the line that holds it.

/// Columns that are shown before the place in a line that is too long for the terminal.
const BEFORE: usize = 20;

/// The line that a message names (`line 2, column 8: …`) and a mark under its column; nothing when it names none.
pub fn pointed(sql: &str, message: &str, width: usize) -> Option<String> {
    let (line, rest) = message.strip_prefix("line ")?.split_once(", column ")?;
    let (column, _) = rest.split_once(':')?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let text: Vec<char> =
        sql.lines().nth(line.checked_sub(1)?)?.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let column = column.checked_sub(1).filter(|column| *column <= text.len())?;
    let room = width.saturating_sub(4).max(2 * BEFORE);
    let from = if text.len() <= room { 0 } else { column.saturating_sub(BEFORE) };
    let shown: String = text.iter().skip(from).take(room).collect();
    Some(format!("  {}\n  {}^", shown.trim_end(), " ".repeat(column - from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown() {
        let sql = "select id,\n\tactoin from events";
        let shown = pointed(sql, "line 2, column 2: column `actoin` is not there", 80);
        assert_eq!(shown.as_deref(), Some("   actoin from events\n   ^"));
        assert_eq!(pointed(sql, "line 1, column 11: expected", 80).as_deref(), Some("  select id,\n            ^"));
        for message in ["no place", "line 3, column 1: x", "line 1, column 99: x", "line 0, column 0: x"] {
            assert_eq!(pointed(sql, message, 80), None, "{message}");
        }
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let sql = format!("select {}x", "a + ".repeat(100));
        let shown = pointed(&sql, "line 1, column 200: what", 80).expect("a place");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!((lines[0].len() <= 80, lines[1]), (true, "                      ^"));
    }
}

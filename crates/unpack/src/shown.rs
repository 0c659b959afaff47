//! Numbers and names as people read them.

/// Bytes of a name that are shown.
const NAME_BYTES_SHOWN: usize = 80;

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name from inside a file, in quotes, without anything that could move the cursor, and cut.
pub(crate) fn name(raw: &[u8]) -> String {
    let (mut cut, mut rest) = (raw, "");
    if raw.len() > NAME_BYTES_SHOWN {
        (cut, rest) = (&raw[..NAME_BYTES_SHOWN], "…");
        // A character that the cut went through is left out, instead of making the whole name look like no text.
        if let Err(error) = std::str::from_utf8(cut)
            && error.error_len().is_none()
        {
            cut = &cut[..error.valid_up_to()];
        }
    }
    match std::str::from_utf8(cut) {
        Ok(text) => format!("\"{}{rest}\"", text.escape_debug()),
        Err(_) => format!("\"{}{rest}\"", cut.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_threes() {
        let shown = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn names_are_escaped_and_cut() {
        assert_eq!(name("a\u{1b}[2J\u{202e}.csv".as_bytes()), r#""a\u{1b}[2J\u{202e}.csv""#);
        assert_eq!(name(b"\xff.csv"), r#""\xff.csv""#);
        assert_eq!(name("ä".repeat(100).as_bytes()), format!("\"{}…\"", "ä".repeat(40)));
        assert_eq!(name(format!("a{}", "ä".repeat(100)).as_bytes()), format!("\"a{}…\"", "ä".repeat(39)));
    }
}

//! Rust source with everything blanked out that is not code, so that braces and words can be counted.

/// The same text with comments, texts and characters replaced by blanks; line breaks stay where they are.
pub fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let length = not_code(bytes, at);
        let end = (at + length.max(1)).min(bytes.len());
        for &byte in &bytes[at..end] {
            let keep = length == 0 || byte == b'\n';
            code.push(if keep && byte.is_ascii() { byte } else { b' ' });
        }
        at = end;
    }
    String::from_utf8(code).expect("only ASCII was pushed")
}

/// How many bytes from `at` are a comment, a text or a character; 0 where code stands.
fn not_code(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, b'"'),
        [b'r', b'"' | b'#', ..] if !follows_word(bytes, at) => raw_text(rest),
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        // 'a' is a character, 'a without a quote behind is a lifetime; a character may have several bytes.
        [b'\'', _, ..] => {
            let end = rest.iter().skip(2).take(4).position(|&byte| byte == b'\'');
            let one_char = end.and_then(|end| std::str::from_utf8(&rest[1..end + 2]).ok());
            one_char.filter(|text| text.chars().count() == 1).map_or(0, |text| text.len() + 2)
        }
        _ => 0,
    }
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    // `br"…"` is a raw text too, so a single `b` does not count as a word.
    let before = |back: usize| at.checked_sub(back).map(|index| bytes[index]);
    let word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if before(1) == Some(b'b') { word(before(2)) } else { word(before(1)) }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"…"`, `r#"…"#`; 0 for a raw identifier such as `r#type`.
fn raw_text(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    let body = 2 + hashes;
    let length = rest[body..].windows(end.len()).position(|window| window == end);
    length.map_or(rest.len(), |length| body + length + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let code = code_only("let a = \"{\"; // }\nlet b = '{'; /* { /* } */ */ let c = r#\"\"}\"#; let d: &'a str;");
        assert_eq!(code.matches(['{', '}']).count(), 0, "{code}");
        assert!(code.contains("let d: &'a str;"), "{code}");
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn escapes_and_wide_characters_are_understood() {
        let code = code_only(r#"f("\"{", '\'', 'ß', '\u{1F600}', br"{", r#type, b'{');"#);
        assert_eq!(code.matches(['{', '}']).count(), 0, "{code}");
        assert!(code.contains("r#type"), "{code}");
    }
}

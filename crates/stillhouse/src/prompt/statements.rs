//! Where statements end: at a `;` that is in no quotes and no comment.

/// A statement and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'t> {
    /// Without the `;`.
    pub text: &'t str,
    /// The line of its first word, from 1.
    pub line: usize,
}

/// What a place in SQL text is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    /// `'text'` or `"name"`; twice the quote stands for one, which needs no care here.
    Quotes(u8),
    /// To the end of the line.
    Line,
    /// So many `/*` deep.
    Block(u32),
}

/// The statements of a text; those that hold nothing but blanks and comments are left out. The last one needs no `;`.
pub fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    for end in ends(text).0.into_iter().chain([text.len()]) {
        let part = &text[from..end];
        if let Some(start) = first_word(part) {
            let line = text[..from + start].matches('\n').count() + 1;
            found.push(Statement { text: part[start..].trim_end(), line });
        }
        from = (end + 1).min(text.len());
    }
    found
}

/// Whether there is nothing to wait for: behind the last `;` stands no word.
pub fn is_whole(text: &str) -> bool {
    let (ends, inside) = ends(text);
    let rest = ends.last().map_or(text, |end| &text[end + 1..]);
    matches!(inside, Inside::Code | Inside::Line) && first_word(rest).is_none()
}

/// Whether what is typed at the end of `text` is SQL, and neither a text nor a comment.
pub fn is_code(text: &str) -> bool {
    ends(text).1 == Inside::Code
}

/// The places of the `;` that end statements, and what the end of the text is part of.
fn ends(text: &str) -> (Vec<usize>, Inside) {
    let bytes = text.as_bytes();
    let (mut found, mut inside, mut at) = (Vec::new(), Inside::Code, 0);
    while at < bytes.len() {
        let (next, step) = step(inside, bytes, at);
        if inside == Inside::Code && bytes[at] == b';' {
            found.push(at);
        }
        inside = next;
        at += step;
    }
    (found, inside)
}

/// What the place behind the next one or two bytes is part of, and how many they are.
fn step(inside: Inside, bytes: &[u8], at: usize) -> (Inside, usize) {
    let pair = (bytes[at], bytes.get(at + 1).copied());
    match (inside, pair) {
        (Inside::Code, (b'-', Some(b'-'))) => (Inside::Line, 2),
        (Inside::Code, (b'/', Some(b'*'))) => (Inside::Block(1), 2),
        (Inside::Code, (quote @ (b'\'' | b'"' | b'`'), _)) => (Inside::Quotes(quote), 1),
        (Inside::Quotes(quote), (byte, _)) if byte == quote => (Inside::Code, 1),
        (Inside::Line, (b'\n', _)) => (Inside::Code, 1),
        (Inside::Block(depth), (b'/', Some(b'*'))) => (Inside::Block(depth + 1), 2),
        (Inside::Block(1), (b'*', Some(b'/'))) => (Inside::Code, 2),
        (Inside::Block(depth), (b'*', Some(b'/'))) => (Inside::Block(depth - 1), 2),
        (inside, _) => (inside, 1),
    }
}

/// Where the first thing stands that is neither blank nor comment.
fn first_word(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut inside, mut at) = (Inside::Code, 0);
    while at < bytes.len() {
        let (next, length) = step(inside, bytes, at);
        let is_comment = matches!(next, Inside::Line | Inside::Block(_));
        if inside == Inside::Code && !is_comment && !bytes[at].is_ascii_whitespace() {
            return Some(at);
        }
        inside = next;
        at += length;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(usize, &str)]) {
        let found: Vec<_> = statements(text).iter().map(|statement| (statement.line, statement.text)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn a_semicolon_ends_a_statement() {
        check("", &[]);
        check("select 1", &[(1, "select 1")]);
        check("select 1;", &[(1, "select 1")]);
        check(" select 1 ;\n\nselect\n2; ;; ", &[(1, "select 1"), (3, "select\n2")]);
        check("select ';', \"a;b\", 'it''s;' ; select 2", &[(1, "select ';', \"a;b\", 'it''s;'"), (1, "select 2")]);
        check("-- one; two\nselect 1 -- ;\n, 2;", &[(2, "select 1 -- ;\n, 2")]);
        check("/* ; /* ; */ ; */ select 1; -- that is all", &[(1, "select 1")]);
        check("select 'ä;", &[(1, "select 'ä;")]);
    }

    #[test]
    fn what_is_whole() {
        for whole in ["", "  ", "select 1;", "select 1; -- done", "select ';';\n", "-- nothing"] {
            assert!(is_whole(whole), "{whole:?}");
        }
        for open in ["select 1", "select ';", "select 1; select", "select 1 -- ;", "/* ;", "select \";\n;"] {
            assert!(!is_whole(open), "{open:?}");
        }
    }

    #[test]
    fn what_is_code() {
        for (text, expected) in
            [("select ", true), ("select 'a", false), ("-- a", false), ("-- a\n", true), ("/* a", false)]
        {
            assert_eq!(is_code(text), expected, "{text:?}");
        }
    }

    proptest! {
        /// Whatever is typed: nothing but blanks, comments and `;` is lost, nothing is made up, and each part is one.
        #[test]
        fn statements_are_parts_of_the_text(text in "[-;'\"a/*\n ä]{0,40}") {
            let mut from = 0;
            for statement in statements(&text) {
                let at = text[from..].find(statement.text).expect("in the text, in this order") + from;
                prop_assert!(text[..at].matches('\n').count() < statement.line);
                from = at + statement.text.len();
                let again = statements(statement.text);
                prop_assert_eq!(again.len(), 1);
                prop_assert_eq!(again[0].text, statement.text);
            }
        }
    }
}

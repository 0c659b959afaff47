//! `${NAME}` in texts.

/// Where a text cannot be filled in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FillError {
    /// The variable has no value.
    Missing(String),
    /// A `${` that is no variable; holds what stands there.
    Malformed(String),
}

/// A text with the environment filled in, and the names that were used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FilledText {
    pub(super) value: String,
    pub(super) used: Vec<(String, String)>,
}

/// Replaces `${NAME}` by the variable's value, and `$${` by `${`. Values are not filled in again.
pub(super) fn fill(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<FilledText, Vec<FillError>> {
    let mut filled = FilledText { value: String::with_capacity(text.len()), used: Vec::new() };
    let mut errors = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.value.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$${") {
            filled.value.push_str("${");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let Some((name, after)) = after.split_once('}').filter(|(name, _)| is_variable(name)) else {
                errors.push(FillError::Malformed(rest.chars().take(MALFORMED_CHARS_MAX).collect()));
                rest = after;
                continue;
            };
            match env(name) {
                Some(value) => {
                    filled.value.push_str(&value);
                    filled.used.push((name.to_owned(), value));
                }
                None => errors.push(FillError::Missing(name.to_owned())),
            }
            rest = after;
        } else {
            filled.value.push('$');
            rest = &rest[1..];
        }
    }
    filled.value.push_str(rest);
    if errors.is_empty() { Ok(filled) } else { Err(errors) }
}

/// How much of a malformed `${` a message shows.
const MALFORMED_CHARS_MAX: usize = 20;

fn is_variable(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str, expected: Result<&str, &[FillError]>) {
        let env = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "LOOP" => Some("${A}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let found = fill(text, &env).map(|filled| filled.value);
        assert_eq!(found.as_deref().map_err(Vec::as_slice), expected);
    }

    #[test]
    fn fills_in() {
        check("", Ok(""));
        check("a${A}b${A}", Ok("a1b1"));
        check("$A $ $$ ${EMPTY}", Ok("$A $ $$ "));
        check("$${A}", Ok("${A}"));
        check("$$${A}", Ok("$${A}"));
        check("${LOOP}", Ok("${A}"));
        check("${B}${C}", Err(&[FillError::Missing("B".into()), FillError::Missing("C".into())]));
        check("x${}", Err(&[FillError::Malformed("${}".into())]));
        check("${A", Err(&[FillError::Malformed("${A".into())]));
        check("${A B}", Err(&[FillError::Malformed("${A B}".into())]));
    }
}

//! Which formats a date, a time or both could be written in, read off one text.

/// What a format is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A day, perhaps with a time.
    Day,
    /// A time of day alone.
    Time,
}

/// A format that a text suggests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggested {
    pub(crate) format: String,
    pub(crate) what: What,
    /// Numbers, versions and scores are written like that, too: the name of the column has to agree.
    pub(crate) weak: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Digits(&'t str),
    Word(&'t str),
    Other(char),
}

/// Longer texts are no dates.
const TEXT_BYTES_MAX: usize = 40;

/// What stands between the parts of a day.
const DAY_MARKS: [char; 5] = ['-', '/', '.', ' ', ','];

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The formats that could read the text, the likelier ones first. Whether they do is for the reader of values to say.
pub(crate) fn suggest(text: &str) -> Vec<Suggested> {
    let text = text.trim();
    if text.len() < 3 || text.len() > TEXT_BYTES_MAX || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let tokens = tokens(text);
    if let [Token::Digits(digits)] = tokens.as_slice() {
        return of_digits(digits);
    }
    let Some((days, rest)) = split(&tokens) else { return Vec::new() };
    let Some(clock) = clock(rest) else { return Vec::new() };
    if days.is_empty() {
        return times(&clock);
    }
    let iso = Suggested { format: "iso8601".to_owned(), what: What::Day, weak: false };
    let day_formats = day_formats(days);
    std::iter::once(iso).chain(day_formats.into_iter().map(|day| with_clock(day, &clock))).collect()
}

fn with_clock(day: Suggested, clock: &str) -> Suggested {
    Suggested { weak: day.weak && clock.is_empty(), format: day.format + clock, ..day }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let length = match first {
            '0'..='9' => run(|c| c.is_ascii_digit()),
            'A'..='Z' | 'a'..='z' => run(|c| c.is_ascii_alphabetic()),
            other => other.len_utf8(),
        };
        tokens.push(match first {
            '0'..='9' => Token::Digits(&rest[..length]),
            'A'..='Z' | 'a'..='z' => Token::Word(&rest[..length]),
            other => Token::Other(other),
        });
        rest = &rest[length..];
    }
    tokens
}

fn of_digits(digits: &str) -> Vec<Suggested> {
    let suggested = |format: &str| Suggested { format: format.to_owned(), what: What::Day, weak: true };
    match digits.len() {
        8 => vec![suggested("%Y%m%d")],
        9 | 10 => vec![suggested("unix")],
        12 | 13 => vec![suggested("unix_ms")],
        14 => vec![suggested("%Y%m%d%H%M%S")],
        _ => Vec::new(),
    }
}

/// The tokens of the day, and those of the time of day with what stands between.
fn split<'a, 't>(tokens: &'a [Token<'t>]) -> Option<(&'a [Token<'t>], &'a [Token<'t>])> {
    let colon = tokens.iter().position(|token| *token == Token::Other(':'));
    let Some(colon) = colon else { return Some((tokens, &[])) };
    let hour = colon.checked_sub(1)?;
    if hour == 0 {
        return Some((&[], tokens));
    }
    // A `T`, blanks or a comma between.
    let mut end = hour;
    while end > 0 && matches!(tokens[end - 1], Token::Other(' ' | ',') | Token::Word("T" | "t")) {
        end -= 1;
    }
    (end > 0 && end < hour).then(|| (&tokens[..end], &tokens[end..]))
}

/// The format of a time of day with what stands before it.
fn clock(tokens: &[Token<'_>]) -> Option<String> {
    let mut format = String::new();
    let mut parts = ["%M", "%S"].iter();
    let mut seen_hour = false;
    let twelve = tokens.iter().any(|token| matches!(token, Token::Word(word) if is_half(word)));
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Digits(_) if !seen_hour => {
                seen_hour = true;
                format.push_str(if twelve { "%I" } else { "%H" });
            }
            Token::Other(':') if matches!(tokens.get(at), Some(Token::Digits(_))) => {
                format.push(':');
                format.push_str(parts.next()?);
                at += 1;
            }
            Token::Other(mark @ ('.' | ',')) if seen_hour && matches!(tokens.get(at), Some(Token::Digits(_))) => {
                format.push(*mark);
                format.push_str("%f");
                at += 1;
            }
            Token::Other('+' | '-') if seen_hour => {
                format.push_str("%z");
                break;
            }
            Token::Word("Z" | "z") if seen_hour => format.push_str("%z"),
            Token::Word(word) if seen_hour && is_half(word) => format.push_str("%p"),
            Token::Word(word @ ("UTC" | "GMT" | "T" | "t")) => format.push_str(word),
            Token::Other(char @ (' ' | ',')) => format.push(*char),
            _ => return None,
        }
    }
    Some(format)
}

fn is_half(word: &str) -> bool {
    word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("pm")
}

fn times(clock: &str) -> Vec<Suggested> {
    let suggested = |format: &str| Suggested { format: format.to_owned(), what: What::Time, weak: false };
    vec![suggested("iso8601"), suggested(clock)]
}

/// The formats of a day.
fn day_formats(tokens: &[Token<'_>]) -> Vec<Suggested> {
    let mut parts = Vec::new();
    let mut between = vec![String::new()];
    for token in tokens {
        match token {
            Token::Digits(_) | Token::Word(_) => {
                parts.push(*token);
                between.push(String::new());
            }
            Token::Other(mark) if DAY_MARKS.contains(mark) && !parts.is_empty() => {
                between.last_mut().expect("there is one at least").push(*mark);
            }
            Token::Other(_) => return Vec::new(),
        }
    }
    let joined = |items: &[&str]| {
        let mut format = between[0].clone();
        for (item, behind) in items.iter().zip(&between[1..]) {
            format.push_str(item);
            format.push_str(behind);
        }
        format
    };
    let separators: String = between.concat();
    orders(&parts)
        .into_iter()
        .map(|items| {
            let short = items.iter().all(|item| *item != "%Y");
            let named = items.contains(&"%b");
            let without_year = items.len() == 2;
            let weak = short && !named && !(separators.contains('/') && (!without_year || separators == "/"));
            Suggested { format: joined(&items), what: What::Day, weak }
        })
        .collect()
}

/// What the parts of a day could be, in their order.
fn orders(parts: &[Token<'_>]) -> Vec<Vec<&'static str>> {
    use Token::{Digits, Word};
    let month = |word: &str| word.len() >= 3 && MONTHS.contains(&word[..3].to_ascii_lowercase().as_str());
    let year = |digits: &str| match digits.len() {
        4 => Some("%Y"),
        2 => Some("%y"),
        _ => None,
    };
    let short = |digits: &str| digits.len() <= 2;
    match parts {
        [Digits(a), Digits(b), Digits(c)] if a.len() == 4 && short(b) && short(c) => {
            vec![vec!["%Y", "%m", "%d"], vec!["%Y", "%d", "%m"]]
        }
        [Digits(a), Digits(b), Digits(c)] if short(a) && short(b) => {
            let Some(last) = year(c) else { return Vec::new() };
            let mut orders = vec![vec!["%m", "%d", last], vec!["%d", "%m", last]];
            if last == "%y" && a.len() == 2 {
                orders.push(vec!["%y", "%m", "%d"]);
            }
            orders
        }
        [Digits(a), Digits(b)] if short(a) && short(b) => vec![vec!["%m", "%d"], vec!["%d", "%m"]],
        [Digits(a), Word(word), Digits(c)] if month(word) => match (year(c), year(a)) {
            (Some(last), _) if short(a) => vec![vec!["%d", "%b", last]],
            (_, Some(first)) if short(c) => vec![vec![first, "%b", "%d"]],
            _ => Vec::new(),
        },
        [Word(word), Digits(b), Digits(c)] if month(word) && short(b) => {
            year(c).map(|last| vec!["%b", "%d", last]).into_iter().collect()
        }
        [Word(word), Digits(b)] if month(word) && short(b) => vec![vec!["%b", "%d"]],
        [Digits(a), Word(word)] if month(word) && short(a) => vec![vec!["%d", "%b"]],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        suggest(text).into_iter().map(|suggested| suggested.format).collect()
    }

    #[test]
    fn formats_are_read_off_a_text() {
        assert_eq!(of("15/7/2024"), ["iso8601", "%m/%d/%Y", "%d/%m/%Y"]);
        assert_eq!(of("2024/07/15 13:05"), ["iso8601", "%Y/%m/%d %H:%M", "%Y/%d/%m %H:%M"]);
        assert_eq!(of("7/15"), ["iso8601", "%m/%d", "%d/%m"]);
        assert_eq!(
            of("15.07.24, 1:05:09 PM"),
            ["iso8601", "%m.%d.%y, %I:%M:%S %p", "%d.%m.%y, %I:%M:%S %p", "%y.%m.%d, %I:%M:%S %p"]
        );
        assert_eq!(of("March 5, 2021"), ["iso8601", "%b %d, %Y"]);
        assert_eq!(of("5-Mar-21"), ["iso8601", "%d-%b-%y"]);
        assert_eq!(of("2021-03-05T10:00:00.123+0100"), ["iso8601", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%d-%mT%H:%M:%S.%f%z"]);
        assert_eq!(of("9:05"), ["iso8601", "%H:%M"]);
        assert_eq!(of("20210305"), ["%Y%m%d"]);
        for none in ["abc", "12", "1.2.3.4", "a:b", "12:", ":12", "--1", "2021-03", "1;2", "+7/15"] {
            assert!(of(none).iter().all(|format| format == "iso8601"), "{none}: {:?}", of(none));
        }
    }

    #[test]
    fn scores_and_versions_are_weak() {
        let weak = |text: &str| suggest(text).iter().filter(|s| s.format != "iso8601").all(|s| s.weak);
        assert!(weak("3-2") && weak("12.5") && weak("1.10.12") && weak("20210305"));
        assert!(!weak("7/15") && !weak("15.7.2024") && !weak("1/2/21"));
    }
}

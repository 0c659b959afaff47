//! Texts of a known shape: addresses, numbers of telephones, names of people.

use std::net::IpAddr;

/// What a text looks like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shapes {
    pub(crate) emails: u64,
    pub(crate) ips: u64,
    pub(crate) phones: u64,
    pub(crate) uuids: u64,
    /// Two or three words that begin with a capital letter.
    pub(crate) people: u64,
    pub(crate) values: u64,
}

impl Shapes {
    pub(crate) fn observe(&mut self, text: &str) {
        self.values += 1;
        self.emails += u64::from(is_email(text));
        self.ips += u64::from(is_ip(text));
        self.phones += u64::from(is_phone(text));
        self.uuids += u64::from(is_uuid(text));
        self.people += u64::from(is_person(text));
    }

    /// At least nine in ten are.
    pub(crate) fn mostly(&self, count: u64) -> bool {
        count > 0 && count * 10 >= self.values * 9
    }
}

pub(crate) fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@' || c == ',');
    plain(name) && plain(host) && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
}

pub(crate) fn is_ip(text: &str) -> bool {
    (7..=45).contains(&text.len()) && text.contains(['.', ':']) && text.parse::<IpAddr>().is_ok()
}

/// `+49 151 1234567`: in the international form, and long enough.
pub(crate) fn is_phone(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('+') else { return false };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    (9..=15).contains(&digits) && rest.bytes().all(|b| b.is_ascii_digit() || b" -()/.".contains(&b)) && {
        let marks = rest.bytes().filter(|b| !b.is_ascii_digit()).collect::<Vec<_>>();
        marks != [b'.']
    }
}

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_person(text: &str) -> bool {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().is_some_and(char::is_uppercase)
            && chars.all(|c| c.is_lowercase() || matches!(c, '-' | '\'' | '’' | '.'))
    };
    let words = text.split(' ').count();
    (2..=3).contains(&words) && text.split(' ').all(capital)
}

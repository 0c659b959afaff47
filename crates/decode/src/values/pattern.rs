//! Texts of dates and times taken apart by a format.

use stillhouse_spec::{TimeFormat, TimeItem};

/// What a text states, as far as its format asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) year: Option<i16>,
    pub(crate) month: Option<u8>,
    pub(crate) day: Option<u8>,
    /// Microseconds since midnight; a leap second is the first of the next minute.
    pub(crate) time: i64,
    /// Seconds east of UTC.
    pub(crate) offset: Option<i32>,
    /// The instant, where the format is one (`unix`).
    pub(crate) instant: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    hour: u8,
    of_twelve: bool,
    afternoon: Option<bool>,
    minute: u8,
    second: u8,
    micros: u32,
}

impl Clock {
    fn micros(self) -> Option<i64> {
        let hour = match (self.of_twelve, self.afternoon) {
            (true, _) if !(1..=12).contains(&self.hour) => return None,
            (true, Some(afternoon)) => self.hour % 12 + if afternoon { 12 } else { 0 },
            _ => self.hour,
        };
        if hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let seconds = i64::from(hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some(seconds * 1_000_000 + i64::from(self.micros))
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Takes `text` apart; `None` if it does not follow the format. Whether there is such a day is not looked at.
#[inline]
pub(crate) fn parse(text: &str, format: &TimeFormat) -> Option<Parts> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let parts = match format.items() {
        [TimeItem::Iso8601] => iso8601(&mut cursor)?,
        [TimeItem::UnixSeconds] => Parts { instant: Some(instant(text, 1_000_000)?), ..Parts::default() },
        [TimeItem::UnixMillis] => Parts { instant: Some(instant(text, 1000)?), ..Parts::default() },
        items => {
            let parts = by_items(&mut cursor, items)?;
            return cursor.rest.is_empty().then_some(parts);
        }
    };
    (parts.instant.is_some() || cursor.rest.is_empty()).then_some(parts)
}

fn by_items(cursor: &mut Cursor<'_>, items: &[TimeItem]) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut clock = Clock::default();
    for item in items {
        match item {
            TimeItem::Year => parts.year = i16::try_from(cursor.digits(4, 4)?).ok(),
            TimeItem::YearOfCentury => {
                let year = cursor.digits(2, 2)?;
                parts.year = i16::try_from(if year >= 69 { 1900 + year } else { 2000 + year }).ok();
            }
            TimeItem::Month => parts.month = Some(cursor.two()?),
            TimeItem::MonthName => parts.month = Some(cursor.month_name()?),
            TimeItem::Day => parts.day = Some(cursor.two()?),
            TimeItem::Hour => clock.hour = cursor.two()?,
            TimeItem::HourOf12 => {
                clock.hour = cursor.two()?;
                clock.of_twelve = true;
            }
            TimeItem::HalfOfDay => clock.afternoon = Some(cursor.half_of_day()?),
            TimeItem::Minute => clock.minute = cursor.two()?,
            TimeItem::Second => clock.second = cursor.two()?,
            TimeItem::Fraction => clock.micros = cursor.fraction()?,
            TimeItem::Offset => parts.offset = Some(cursor.offset()?),
            TimeItem::Literal(' ') => cursor.blanks()?,
            TimeItem::Literal(char) => cursor.literal(*char)?,
            TimeItem::Iso8601 | TimeItem::UnixSeconds | TimeItem::UnixMillis => return None,
        }
    }
    parts.time = clock.micros()?;
    Some(parts)
}

/// `2021-04-01`, and perhaps a time and an offset behind it; or a time alone.
#[inline]
fn iso8601(cursor: &mut Cursor<'_>) -> Option<Parts> {
    if let Some(parts) = iso_date(cursor.rest) {
        cursor.rest = &[];
        return Some(parts);
    }
    let mut parts = Parts::default();
    if cursor.rest.get(2) != Some(&b':') {
        parts.year = i16::try_from(cursor.digits(4, 4)?).ok();
        cursor.byte(b'-')?;
        parts.month = u8::try_from(cursor.digits(2, 2)?).ok();
        cursor.byte(b'-')?;
        parts.day = u8::try_from(cursor.digits(2, 2)?).ok();
        if cursor.rest.is_empty() {
            return Some(parts);
        }
        let (b'T' | b't' | b' ') = cursor.take()? else { return None };
    }
    let mut clock = Clock { hour: u8::try_from(cursor.digits(2, 2)?).ok()?, ..Clock::default() };
    if cursor.byte(b':').is_some() {
        clock.minute = u8::try_from(cursor.digits(2, 2)?).ok()?;
        if cursor.byte(b':').is_some() {
            clock.second = u8::try_from(cursor.digits(2, 2)?).ok()?;
            if let Some(b'.' | b',') = cursor.rest.first() {
                cursor.take();
                clock.micros = cursor.fraction()?;
            }
        }
    }
    parts.time = clock.micros()?;
    if !cursor.rest.is_empty() {
        let _ = cursor.byte(b' ');
        parts.offset = Some(cursor.offset()?);
    }
    Some(parts)
}

/// A date alone, which is what most files have.
#[inline]
fn iso_date(text: &[u8]) -> Option<Parts> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let digit = |byte: &u8| byte.wrapping_sub(b'0');
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2].map(digit);
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2] = digits;
    let year = [y1, y2, y3, y4].into_iter().fold(0, |year, digit| year * 10 + i16::from(digit));
    Some(Parts { year: Some(year), month: Some(m1 * 10 + m2), day: Some(d1 * 10 + d2), ..Parts::default() })
}

/// Microseconds since 1970 of a number in units of `unit` microseconds; digits beyond microseconds are cut off.
fn instant(text: &str, unit: i64) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let mut value = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for byte in fraction.bytes() {
        place /= 10;
        value = value.checked_add(i64::from(byte - b'0') * place)?;
    }
    Some(if negative { -value } else { value })
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    #[inline]
    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    #[inline]
    fn byte(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    /// A number of `least` to `most` digits.
    #[inline]
    fn digits(&mut self, least: usize, most: usize) -> Option<u16> {
        let mut value = 0u16;
        let mut count = 0;
        while count < most {
            let Some(byte) = self.rest.get(count).filter(|byte| byte.is_ascii_digit()) else { break };
            value = value * 10 + u16::from(byte - b'0');
            count += 1;
        }
        self.rest = &self.rest[count..];
        (count >= least).then_some(value)
    }

    #[inline]
    fn two(&mut self) -> Option<u8> {
        u8::try_from(self.digits(1, 2)?).ok()
    }

    fn blanks(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.rest = &self.rest[count..];
        (count > 0).then_some(())
    }

    fn literal(&mut self, char: char) -> Option<()> {
        let mut buffer = [0; 4];
        self.rest = self.rest.strip_prefix(char.encode_utf8(&mut buffer).as_bytes())?;
        Some(())
    }

    /// The long name before the short one, so that `March` is not `Mar` and a rest.
    fn month_name(&mut self) -> Option<u8> {
        for long in [true, false] {
            for (number, name) in (1..).zip(MONTHS) {
                let name = if long { name } else { &name[..3] };
                let found = self.rest.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()));
                if found {
                    self.rest = &self.rest[name.len()..];
                    return Some(number);
                }
            }
        }
        None
    }

    fn half_of_day(&mut self) -> Option<bool> {
        let text = self.rest.get(..2)?;
        let afternoon = text.eq_ignore_ascii_case(b"pm");
        if !afternoon && !text.eq_ignore_ascii_case(b"am") {
            return None;
        }
        self.rest = &self.rest[2..];
        Some(afternoon)
    }

    /// One to nine digits; those beyond microseconds are cut off.
    fn fraction(&mut self) -> Option<u32> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
        Some(padded.fold(0, |value, byte| value * 10 + u32::from(byte - b'0')))
    }

    fn offset(&mut self) -> Option<i32> {
        let sign = match self.take()? {
            b'Z' | b'z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = i32::from(self.digits(2, 2)?);
        let colon = self.byte(b':').is_some();
        let minutes = if colon || self.rest.first().is_some_and(u8::is_ascii_digit) { self.digits(2, 2)? } else { 0 };
        (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + i32::from(minutes) * 60))
    }
}

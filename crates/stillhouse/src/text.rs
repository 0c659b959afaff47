//! Small pieces of text.

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `2 files`, `2 queries`, `2 batches`.
pub fn plural(number: u64, noun: &str) -> String {
    let (stem, ending) = match noun.strip_suffix('y') {
        _ if number == 1 => (noun, ""),
        Some(stem) => (stem, "ies"),
        None if noun.ends_with("ch") => (noun, "es"),
        None => (noun, "s"),
    };
    format!("{} {stem}{ending}", count(number))
}

/// Bytes with a unit that leaves at most four digits: `812 B`, `1.2 GB` (powers of 1000).
pub fn bytes(number: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}", number / size, number % size / (size / 10)),
        None => format!("{number} B"),
    }
}

/// A part of a whole in percent, with two digits behind the point at most: `0.5 %`.
pub fn percent(part: u64, whole: u64) -> String {
    let hundredths = (u128::from(part) * 10_000 + u128::from(whole) / 2) / u128::from(whole.max(1));
    let fraction = format!("{:02}", hundredths % 100);
    match fraction.trim_end_matches('0') {
        "" if part > 0 && hundredths == 0 => "under 0.01 %".to_owned(),
        "" => format!("{} %", hundredths / 100),
        digits => format!("{}.{digits} %", hundredths / 100),
    }
}

/// Microseconds since 1970 as `2021-04-05 12:30:15Z`.
pub fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .map_or_else(|_| micros.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// The same without seconds, for lists.
pub fn minute(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .map_or_else(|_| micros.to_string(), |time| time.strftime("%Y-%m-%d %H:%MZ").to_string())
}

/// Indents every line.
pub fn indent(text: &str, by: usize) -> String {
    let blanks = " ".repeat(by);
    text.lines().map(|line| format!("{blanks}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 0, 2_000].map(|number| plural(number, "file")), ["1 file", "0 files", "2,000 files"]);
        assert_eq!(
            [0, 999, 1_000, 1_250_000, 1_200_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "1.2 MB", "1.2 GB"]
        );
        let shares = [(0, 0), (0, 9), (1, 3), (1, 200), (200_000, 200_000), (1, 1_000_000)];
        let texts = shares.map(|(part, whole)| percent(part, whole));
        assert_eq!(texts, ["0 %", "0 %", "33.33 %", "0.5 %", "100 %", "under 0.01 %"]);
        assert_eq!(time(1_617_625_815_000_000), "2021-04-05 12:30:15Z");
        assert_eq!(minute(1_617_625_815_000_000), "2021-04-05 12:30Z");
    }
}

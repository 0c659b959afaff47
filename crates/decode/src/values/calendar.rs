//! Days as numbers. The proleptic Gregorian calendar, years 1 to 9999.

/// Microseconds of a day.
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

/// Whether the year has a 29 February.
pub(crate) fn is_leap(year: i16) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The latest leap year that is not after `year`.
pub(crate) fn leap_year_until(year: i16) -> i16 {
    let mut leap = year.max(4);
    while !is_leap(leap) {
        leap -= 1;
    }
    leap
}

#[inline]
fn month_days(year: i16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01; `None` if there is no such day.
#[inline]
pub(crate) fn days(year: i16, month: u8, day: u8) -> Option<i32> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 || day > month_days(year, month) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let (year, month, day) = (i32::from(year), i32::from(month), i32::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// `2021-04-01`.
pub(crate) fn iso_day(days: i32) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.checked_add(jiff::Span::new().days(i64::from(days))).map_or_else(|_| format!("day {days}"), |d| d.to_string())
}

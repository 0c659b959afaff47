//! Periods and path templates.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use stillhouse_spec::{Grain, PathTemplate, Period, PeriodChoice, PeriodKind, day_start_micros, zone};

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

#[test]
fn days_of_periods() {
    let check = |text: &str, first: Date, end: Date| assert_eq!(period(text).days(), Some((first, end)), "{text}");
    check("2021-04-05", date(2021, 4, 5), date(2021, 4, 6));
    check("2021-12-31", date(2021, 12, 31), date(2022, 1, 1));
    check("2021-02", date(2021, 2, 1), date(2021, 3, 1));
    check("2024-02", date(2024, 2, 1), date(2024, 3, 1));
    check("2021", date(2021, 1, 1), date(2022, 1, 1));
    check("2021-04..2021-06", date(2021, 4, 1), date(2021, 7, 1));
    check("2020..2021-01-05", date(2020, 1, 1), date(2021, 1, 6));
    assert_eq!(period("all").days(), None);
}

#[test]
fn no_periods() {
    let texts = [
        "",
        "21",
        "2021-4",
        "2021-13",
        "2021-02-29",
        "2021-04-05-06",
        " 2021",
        "2021-04..",
        "..2021",
        "2021-06..2021-04",
        "ALL",
        "+021",
        "2021-04..2021-05..2021-06",
        "last-week",
        "2021/04",
        "２０２１",
    ];
    for text in texts {
        assert!(text.parse::<Period>().is_err(), "{text}");
        assert!(text.parse::<PeriodChoice>().is_err(), "{text}");
    }
    assert!("last-month".parse::<Period>().is_err());
}

#[test]
fn last_periods() {
    let last = |text: &str, today: Date| text.parse::<PeriodChoice>().unwrap().resolve(today).to_string();
    assert_eq!(last("last-month", date(2021, 1, 31)), "2020-12");
    assert_eq!(last("last-month", date(2021, 3, 31)), "2021-02");
    assert_eq!(last("last-day", date(2021, 3, 1)), "2021-02-28");
    assert_eq!(last("last-year", date(2021, 3, 1)), "2020");
    assert_eq!(last("2021-04", date(2021, 3, 1)), "2021-04");
}

#[test]
fn previous_periods() {
    let previous = |text: &str| period(text).previous().map(|period| period.to_string());
    assert_eq!(previous("2021-03").as_deref(), Some("2021-02"));
    assert_eq!(previous("2021-01").as_deref(), Some("2020-12"));
    assert_eq!(previous("2021-03-01").as_deref(), Some("2021-02-28"));
    assert_eq!(previous("2021").as_deref(), Some("2020"));
    assert_eq!(previous("2021-04-05..2021-04-11").as_deref(), Some("2021-03-29..2021-04-04"));
    assert_eq!(previous("all"), None);
}

#[test]
fn splitting() {
    let split =
        |text: &str, grain| period(text).split(grain).iter().map(Period::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(split("2020-12-30..2021-02-01", Grain::Month), "2020-12 2021-01 2021-02");
    assert_eq!(split("2021-02", Grain::Year), "2021");
    assert_eq!(split("2021-02-27..2021-03-01", Grain::Day), "2021-02-27 2021-02-28 2021-03-01");
    assert_eq!(split("all", Grain::Day), "");
    assert_eq!(split("9999-12", Grain::Month), "9999-12");
}

#[test]
fn reports_take_whole_periods() {
    let expand = |kind: PeriodKind, text: &str| {
        let periods = kind.expand(period(text));
        periods.iter().map(Period::to_string).collect::<Vec<_>>().join(" ")
    };
    let monthly = PeriodKind::Each(Grain::Month);
    assert_eq!(expand(monthly, "2021"), (1..=12).map(|m| format!("2021-{m:02}")).collect::<Vec<_>>().join(" "));
    assert_eq!(expand(monthly, "2021-01-15..2021-03-31"), "2021-02 2021-03");
    assert_eq!(expand(monthly, "2021-04-05"), "");
    assert_eq!(expand(PeriodKind::Any, "2021-04-05"), "2021-04-05");
    assert_eq!(expand(PeriodKind::All, "2021-04-05"), "all");
}

#[test]
fn days_begin_in_their_zone() {
    let start = |name: &str, day: Date| {
        let micros = day_start_micros(day, &zone(name).unwrap());
        jiff::Timestamp::from_microsecond(micros).unwrap().to_string()
    };
    assert_eq!(start("UTC", date(2021, 4, 1)), "2021-04-01T00:00:00Z");
    assert_eq!(start("Europe/Berlin", date(2021, 4, 1)), "2021-03-31T22:00:00Z");
    // Clocks went from 23:59:59 to 01:00:00: the day has no midnight.
    assert_eq!(start("America/Sao_Paulo", date(2018, 11, 4)), "2018-11-04T03:00:00Z");
    // Midnight came twice; the first counts.
    assert_eq!(start("Atlantic/Azores", date(2021, 10, 31)), "2021-10-31T00:00:00Z");
    assert!(day_start_micros(Date::MIN, &TimeZone::UTC) < day_start_micros(Date::MAX, &TimeZone::UTC));
    assert!(zone("Europe/Atlantis").is_err() && zone("").is_err());
}

#[test]
fn templates_and_keys() {
    let values = |template: &str, key: &str| {
        let values = template.parse::<PathTemplate>().unwrap().values(key)?;
        Some(values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    };
    let check = |template, key, expected: Option<&str>| {
        assert_eq!(values(template, key).as_deref(), expected, "{template} {key}");
    };
    check("data/{yyyy}/{MM}/events.csv", "data/2021/04/events.csv", Some("MM=04 yyyy=2021"));
    check("data/{yyyy}/{MM}/events.csv", "data/2021/4/events.csv", None);
    check("data/{yyyy}/{MM}/events.csv", "data/2021/04/eventsXcsv", None);
    check("data/{yyyy}/{MM}/events.csv", "old/data/2021/04/events.csv", None);
    check("{region}/{yyyy}-{region}.csv", "eu/2021-eu.csv", Some("region=eu yyyy=2021"));
    check("{region}/{yyyy}-{region}.csv", "eu/2021-us.csv", None);
    check("in/**/*.csv", "in/a.csv", Some(""));
    check("in/**/*.csv", "in/b/c/a.csv", Some(""));
    check("in/**/*.csv", "in/b/c/a.txt", None);
    check("in/*.csv", "in/b/a.csv", None);
    check("in/?.csv", "in/ä.csv", Some(""));
    check("in/?.csv", "in/ab.csv", None);
    check("a+(b).csv", "a+(b).csv", Some(""));
    // Of folders: the key has no slash at its end.
    check("out/{yyyy}/events.csv/", "out/2021/events.csv", Some("yyyy=2021"));
    check("out/{yyyy}/events.csv/", "out/2021/events.csv/", None);
    check("out/{yyyy}/events.csv/", "out/2021/events.csv/part-0.csv", None);
    check("out/**/*/", "out/a/b", Some(""));
}

#[test]
fn templates_of_folders() {
    let template: PathTemplate = "out/{yyyy}/events.csv/".parse().unwrap();
    assert!(template.is_of_folders() && !"out/{yyyy}/events.csv".parse::<PathTemplate>().unwrap().is_of_folders());
    assert_eq!((template.folder(), template.as_str()), ("out", "out/{yyyy}/events.csv/"));
    assert_eq!("a/b/".parse::<PathTemplate>().unwrap().folder(), "a");
    assert_eq!(template.render(date(2021, 5, 1)), "out/2021/events.csv/");
    assert_eq!(template.period("out/2021/events.csv").unwrap().to_string(), "2021");
    assert_eq!(template.object_of("out/2021/events.csv/part-0.csv"), Some("out/2021/events.csv"));
    assert_eq!(template.object_of("out/2021/events.csv"), None);
    let error = "in/**/".parse::<PathTemplate>().unwrap_err().to_string();
    assert_eq!(
        error,
        "path `in/**/`: names no folder behind `**/`; write something like data/**/events.csv/ or data/**/*/"
    );
}

#[test]
fn templates_and_periods() {
    let named = |template: &str, key: &str| {
        template.parse::<PathTemplate>().unwrap().period(key).map(|period| period.to_string())
    };
    assert_eq!(named("{yyyy}/{MM}/{dd}.csv", "2021/04/05.csv").as_deref(), Some("2021-04-05"));
    assert_eq!(named("{yyyy}/{MM}/{dd}.csv", "2021/02/30.csv"), None);
    assert_eq!(named("{yyyy}/{dd}.csv", "2021/05.csv").as_deref(), Some("2021"));
    assert_eq!(named("{MM}.csv", "05.csv"), None);
    let template: PathTemplate = "in/{region}/{yyyy}/{MM}/*.csv".parse().unwrap();
    assert_eq!(template.render(date(2021, 5, 1)), "in/{region}/2021/05/*.csv");
    assert_eq!(template.folder(), "in");
    assert_eq!("data/old/x.csv".parse::<PathTemplate>().unwrap().folder(), "data/old");
    assert_eq!("{yyyy}.csv".parse::<PathTemplate>().unwrap().folder(), "");
}

#[test]
fn no_templates() {
    for text in [
        "", "/", "a//", "/a", "/a/", "a/./", "../a", "a/./b", "a//b", "{", "}", "{}", "{a b}", "a**b", "a**/b", "**",
        "x/**", "x/**/", "**/",
    ] {
        assert!(text.parse::<PathTemplate>().is_err(), "{text}");
    }
}

fn any_date() -> impl Strategy<Value = Date> {
    (1i16..=9998, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| date(year, month, day))
}

fn any_period() -> impl Strategy<Value = Period> {
    prop_oneof![
        any_date().prop_map(Period::Day),
        any_date().prop_map(|day| Period::holding(Grain::Month, day)),
        any_date().prop_map(|day| Period::holding(Grain::Year, day)),
        (any_date(), any_date()).prop_map(|(a, b)| Period::Range(a.min(b), a.max(b).tomorrow().unwrap())),
        Just(Period::All),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn periods_print_and_parse(period in any_period()) {
        prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        let json = serde_json::to_string(&period).unwrap();
        prop_assert_eq!(serde_json::from_str::<Period>(&json).unwrap(), period);
    }

    #[test]
    fn a_period_ends_where_the_next_begins(period in any_period()) {
        if let (Some((first, end)), Some(previous)) = (period.days(), period.previous()) {
            prop_assert!(first < end);
            let (_, previous_end) = previous.days().unwrap();
            prop_assert_eq!(previous_end, first);
            prop_assert!(period.contains(first) && !period.contains(end) && !previous.contains(first));
        }
    }

    #[test]
    fn parts_cover_the_whole(first in any_date(), days in 1i64..800, grain in 0usize..3) {
        use jiff::ToSpan;
        let grain = [Grain::Day, Grain::Month, Grain::Year][grain];
        let period = Period::Range(first, first.saturating_add(days.days()));
        let parts = period.split(grain);
        prop_assert!(parts.first().unwrap().contains(first));
        prop_assert!(parts.last().unwrap().contains(period.days().unwrap().1.yesterday().unwrap()));
        for pair in parts.windows(2) {
            prop_assert_eq!(pair[0].days().unwrap().1, pair[1].days().unwrap().0);
        }
    }

    #[test]
    fn a_rendered_key_names_its_period(day in any_date(), parts in prop::sample::subsequence(vec!["{yyyy}", "{MM}", "{dd}"], 1..=3),
                                       shuffled in any::<bool>(), literal in "[a-z][a-z.+()-]{0,7}") {
        let mut parts = parts;
        if shuffled {
            parts.reverse();
        }
        let template: PathTemplate = format!("x/{}/{literal}", parts.join("_")).parse().unwrap();
        let key = template.render(day);
        let values = template.values(&key).unwrap();
        prop_assert_eq!(values.len(), parts.len());
        let period = template.period(&key);
        prop_assert_eq!(period, template.grain().map(|grain| Period::holding(grain, day)));
    }

    #[test]
    fn any_text_is_a_template_or_none(text in "\\PC{0,20}", key in "\\PC{0,20}") {
        if let Ok(template) = text.parse::<PathTemplate>() {
            prop_assert_eq!(template.as_str(), text.as_str());
            let _ = (template.values(&key), template.period(&key), template.grain());
            if !text.contains(['{', '*', '?']) {
                prop_assert!(template.values(text.strip_suffix('/').unwrap_or(&text)).is_some());
            }
        }
    }
}

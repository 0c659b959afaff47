//! The answers are what an independent count of the files finds, by the report's SQL.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::{Value, json};
use stillhouse_generate::{ColumnOrder, LineEnd, PeriodAnswers, Plan};

use crate::kit::{Made, day, faulty_quarter, make_with, quarter, rate};
use crate::recount::{Recount, Row, company, domain, recount};

/// Holds files and months against a count of their own.
fn check(plan: &Plan) -> Made {
    let made = make_with(plan, 2);
    let files = made.files();
    let mut rows = Vec::new();
    for file in &made.answers.files {
        let bytes = &files[&file.path];
        let Recount { rows: found, rejects, blank, ids_repeated } = recount(bytes);
        assert_eq!(file.bytes, bytes.len() as u64, "{}", file.path);
        assert_eq!(file.rows, found.len() as u64, "{}", file.path);
        assert_eq!(file.records, file.rows + rejects.values().sum::<u64>(), "{}", file.path);
        assert_eq!((file.blank, file.ids_repeated), (blank, ids_repeated), "{}", file.path);
        assert_eq!(file.rejects, rejects, "{}", file.path);
        rows.extend(found);
    }
    assert_eq!(made.answers.files.iter().map(|file| file.records).sum::<u64>(), plan.rows);
    assert!(rows.iter().all(|row| plan.from <= row.day && row.day <= plan.to), "all days are in the plan");
    let months: Vec<&str> = made.answers.months.iter().map(|month| month.period.as_str()).collect();
    for (number, month) in months.iter().enumerate() {
        let now = of_month(&rows, month);
        let before = number.checked_sub(1).map_or_else(Vec::new, |before| of_month(&rows, months[before]));
        let year =
            rows.iter().filter(|row| row.day.to_string()[..4] == month[..4] && row.day.to_string()[..7] <= **month);
        same(&made.answers.months[number], &report(&now, &before, &year.collect::<Vec<_>>()));
    }
    let all: Vec<&Row> = rows.iter().collect();
    same(&made.answers.all, &report(&all, &[], &all));
    made
}

fn same(found: &PeriodAnswers, expected: &BTreeMap<String, Value>) {
    let found = serde_json::to_value(found).unwrap();
    for (query, expected) in expected {
        assert_eq!(&found[query.as_str()], expected, "{query} of {}", found["period"]);
    }
    assert_eq!(found.as_object().unwrap().len(), expected.len() + 1, "every answer was compared");
}

/// Rows of a month.
fn of_month<'r>(rows: &'r [Row], month: &str) -> Vec<&'r Row> {
    rows.iter().filter(|row| row.day.to_string().starts_with(month)).collect()
}

/// How often each value occurs; empty ones are left out.
fn tally<'r>(values: impl Iterator<Item = &'r str>) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for value in values.filter(|value| !value.is_empty()) {
        *counts.entry(value.to_owned()).or_default() += 1;
    }
    counts
}

/// `ORDER BY count DESC, name LIMIT 10`.
fn top<T>(items: impl IntoIterator<Item = (String, T)>, count: impl Fn(&T) -> i64) -> Vec<(String, T)> {
    let mut items: Vec<(String, T)> = items.into_iter().collect();
    items.sort_by_key(|(name, item)| (Reverse(count(item)), name.clone()));
    items.truncate(10);
    items
}

/// Events and users by what `group` makes of an e-mail.
fn groups(users: &BTreeMap<String, i64>, group: fn(&str) -> Option<String>) -> BTreeMap<String, (i64, i64)> {
    let mut groups: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (user, events) in users {
        if let Some(name) = group(user) {
            let (sum, count) = groups.entry(name).or_default();
            *sum += events;
            *count += 1;
        }
    }
    groups
}

/// The report's queries by name, each as the list of its rows: of a period, the one before it, and its year so far.
fn report(now: &[&Row], before: &[&Row], year: &[&Row]) -> BTreeMap<String, Value> {
    let emails = |rows: &[&Row]| tally(rows.iter().map(|row| row.email.as_str()));
    let users = emails(now);
    let (companies, domains) = (groups(&users, company), groups(&users, domain));
    let days: BTreeMap<Date, i64> = now.iter().fold(BTreeMap::new(), |mut days, row| {
        *days.entry(row.day).or_default() += 1;
        days
    });
    let busiest = days.iter().max_by_key(|(day, events)| (**events, Reverse(**day)));
    let counted = |values: BTreeMap<String, i64>, name: &str, count: &str| -> Value {
        top(values, |count| *count).into_iter().map(|(value, number)| json!({name: value, count: number})).collect()
    };
    let active = |groups: BTreeMap<String, (i64, i64)>, name: &str| -> Value {
        let rows = top(groups, |(events, _)| *events).into_iter();
        rows.map(|(value, (events, users))| json!({name: value, "events": events, "users": users})).collect()
    };
    let by = |field: fn(&Row) -> &str| tally(now.iter().map(|row| field(row)));
    let tags = tally(now.iter().flat_map(|row| row.tags.iter().map(String::as_str)));
    let mut months: BTreeMap<String, i64> = BTreeMap::new();
    now.iter().for_each(|row| *months.entry(row.day.to_string()[..7].to_owned()).or_default() += 1);
    let answers = [
        ("totals", json!([{ "events": now.len(), "users": users.len(), "companies": companies.len() }])),
        ("events_per_day", days.iter().map(|(day, events)| json!({ "day": day, "events": events })).collect()),
        (
            "events_per_month",
            months.iter().map(|(month, events)| json!({ "month": month, "events": events })).collect(),
        ),
        ("year_to_date", json!([{ "events": year.len(), "users": emails(year).len() }])),
        ("busiest_date", busiest.iter().map(|(day, events)| json!({ "day": day, "events": events })).collect()),
        ("top_users", counted(users.clone(), "user", "events")),
        ("top_countries", counted(by(|row| &row.country), "country", "events")),
        ("top_actions", counted(by(|row| &row.action), "action", "events")),
        ("top_tags", counted(tags, "tag", "uses")),
        ("growing_companies", growing(&companies, &groups(&emails(before), company))),
        ("quiet_users", quiet(&users, before)),
        ("top_companies", active(companies, "company")),
        ("top_domains", active(domains, "domain")),
    ];
    answers.into_iter().map(|(query, rows)| (query.to_owned(), rows)).collect()
}

fn growing(now: &BTreeMap<String, (i64, i64)>, before: &BTreeMap<String, (i64, i64)>) -> Value {
    let former = |name: &str| before.get(name).map_or(0, |(events, _)| *events);
    let grown = now.iter().map(|(name, (events, _))| (name.clone(), (*events, former(name))));
    let grown = grown.filter(|(_, (events, former))| events > former);
    let rows = top(grown, |(events, former)| events - former).into_iter();
    rows.map(|(name, (events, former))| {
        json!({ "company": name, "events": events, "previous_events": former, "growth": events - former })
    })
    .collect()
}

fn quiet(now: &BTreeMap<String, i64>, before: &[&Row]) -> Value {
    let mut gone: BTreeMap<String, (i64, Date)> = BTreeMap::new();
    for row in before.iter().filter(|row| !row.email.is_empty() && !now.contains_key(&row.email)) {
        let (events, last) = gone.entry(row.email.clone()).or_insert((0, row.day));
        *events += 1;
        *last = row.day.max(*last);
    }
    let rows = top(gone, |(events, _)| *events).into_iter();
    rows.map(|(user, (events, last))| {
        json!({ "user": user, "company": company(&user), "previous_events": events, "last_seen": last })
    })
    .collect()
}

#[test]
fn files_and_months_are_what_a_reader_counts() {
    let made = check(&faulty_quarter(50_000, 11));
    let first = &made.answers.months[1];
    assert!([first.top_users.len(), first.top_companies.len(), first.quiet_users.len()] == [10; 3], "{first:?}");
    assert!(made.answers.files.iter().all(|file| file.rejects.len() == 4 && file.blank > 0 && file.ids_repeated > 0));
}

#[test]
fn many_small_months_are_full_of_ties() {
    // 26 months over two changes of the year, a few rows a day, hence many equal counts.
    check(&Plan::new(3_000, day("2019-12-01"), day("2022-01-31"), 5));
}

#[test]
fn months_that_are_cut_off_count_too() {
    check(&Plan::new(2_000, day("2023-12-29"), day("2024-03-02"), 6));
}

#[test]
fn rates_at_their_ends_count_too() {
    let mut plan = quarter(3_000, 1);
    plan.shares.spill = rate("100%");
    plan.shares.empty_emails = rate("100%");
    plan.shares.blank_lines = rate("100%");
    check(&plan);
    let mut plan = quarter(3_000, 2);
    plan.shares.mixed_case = rate("100%");
    plan.shares.padded_emails = rate("100%");
    plan.shares.with_time = rate("100%");
    plan.shares.repeated_ids = rate("100%");
    check(&plan);
    let mut plan = quarter(300, 3);
    plan.faults.short_row = rate("100%");
    let made = check(&plan);
    assert_eq!(made.rows(), 0);
}

#[test]
fn rough_files_count_too() {
    let mut plan = faulty_quarter(30_000, 12);
    plan.faults = stillhouse_generate::Faults::evenly(rate("10%"));
    plan.shares.empty_addresses = rate("5%");
    plan.shares.escaped_quotes = rate("30%");
    plan.shares.line_breaks = rate("30%");
    plan.column_order = ColumnOrder::Shuffled;
    check(&plan);
    plan.line_end = LineEnd::CrLf;
    plan.shares.blank_lines = rate("20%");
    check(&plan);
}

#[test]
fn every_domain_has_the_company_that_the_suffix_list_says() {
    let mut plan = quarter(200_000, 4);
    plan.users = std::num::NonZeroU32::new(20_000);
    let made = make_with(&plan, 2);
    let mut emails = BTreeSet::new();
    for (path, bytes) in made.files() {
        if path.ends_with(".csv") {
            emails.extend(recount(&bytes).rows.into_iter().map(|row| row.email));
        }
    }
    let suffixes: BTreeSet<String> =
        emails.iter().filter_map(|email| psl::suffix_str(email.rsplit_once('@')?.1).map(str::to_owned)).collect();
    for suffix in ["example", "com", "co.uk", "com.br"] {
        assert!(suffixes.contains(suffix), "{suffixes:?}");
    }
    assert!(emails.iter().any(|email| domain(email).is_none()), "some are no addresses");
    let january: BTreeSet<String> = emails.iter().filter_map(|email| company(email)).collect();
    assert!(january.len() > 1_500, "{}", january.len());
    let hosts = emails.iter().filter_map(|email| domain(email)).filter(|host| psl::domain_str(host) != Some(host));
    assert!(hosts.count() > 100, "some hosts are below a registrable domain");
}

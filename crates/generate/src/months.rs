//! From counts to what the report says: its queries, done once more by other means.

use std::cmp::{Ordering, Reverse};

use jiff::civil::Date;

use crate::answers::{
    ActionRow, Activity, CompanyRow, CountryRow, DayRow, DomainRow, GrowthRow, MonthRow, PeriodAnswers, QuietRow,
    TagRow, Totals, UserRow, YearRow,
};
use crate::people::{People, User};
use crate::tally::{Counts, FileTally};
use crate::words::{ACTIONS, COUNTRIES, TAGS};

/// How many rows the lists of the report have: its parameter `top`.
const TOP: usize = 10;

/// Takes the files in order and finishes a month when the file after it is counted: no other can hold rows of it.
#[derive(Debug)]
pub(crate) struct Months<'p> {
    people: &'p People,
    /// What comes before the first month: nothing.
    none: Counts,
    /// The last finished month.
    former: Option<Counts>,
    /// The month of the last file.
    current: Option<(Date, Counts)>,
    /// What the last file has of the month after it.
    ahead: Option<Counts>,
    year: Year,
    /// Everything so far; its days and last days mean nothing, months have different ones.
    total: Counts,
    answers: Vec<PeriodAnswers>,
}

/// The year so far.
#[derive(Debug, Default)]
struct Year {
    year: i16,
    events: u64,
    users: Vec<bool>,
}

impl<'p> Months<'p> {
    pub(crate) fn new(people: &'p People) -> Self {
        let (former, current, ahead) = (None, None, None);
        let (none, total) = (Counts::new(people), Counts::new(people));
        Self { people, none, former, current, ahead, year: Year::default(), total, answers: Vec::new() }
    }

    /// Takes the counts of the file of the month that begins on `first`; months come one after the other.
    pub(crate) fn add_file(&mut self, first: Date, tally: FileTally) {
        let FileTally { before, mut own, after, .. } = tally;
        if let Some((_, current)) = &mut self.current {
            *current += &before;
        }
        self.finish_current();
        if let Some(ahead) = self.ahead.replace(after) {
            own += &ahead;
        }
        self.current = Some((first, own));
    }

    /// The answers of all months, and of the whole.
    pub(crate) fn finish(mut self) -> (Vec<PeriodAnswers>, PeriodAnswers) {
        self.finish_current();
        let all = self.whole();
        (self.answers, all)
    }

    /// The period `all` begins before everything: nothing comes before it, and its year is all of it.
    fn whole(&self) -> PeriodAnswers {
        let view = View { people: self.people, counts: &self.total, former: &self.none, last_seen: &no_day };
        let users = count(self.total.users.iter().filter(|events| **events > 0));
        view.answers(Calendar {
            period: "all".to_owned(),
            days: self.answers.iter().flat_map(|month| month.events_per_day.iter().cloned()).collect(),
            months: self.answers.iter().flat_map(|month| month.events_per_month.iter().cloned()).collect(),
            year: YearRow { events: self.total.events, users },
        })
    }

    fn finish_current(&mut self) {
        let Some((first, counts)) = self.current.take() else { return };
        self.year.add(first.year(), &counts);
        self.total += &counts;
        let former = self.former.as_ref().unwrap_or(&self.none);
        let last_seen = |day: u8| day_of(first.yesterday().expect("the month before has rows"), day);
        let view = View { people: self.people, counts: &counts, former, last_seen: &last_seen };
        self.answers.push(view.answers(Calendar::of_month(first, &counts, self.year.row())));
        self.former = Some(counts);
    }
}

impl Year {
    fn add(&mut self, year: i16, counts: &Counts) {
        if self.year != year || self.users.is_empty() {
            *self = Year { year, events: 0, users: vec![false; counts.users.len()] };
        }
        self.events += counts.events;
        for (seen, events) in self.users.iter_mut().zip(&counts.users) {
            *seen |= *events > 0;
        }
    }

    fn row(&self) -> YearRow {
        YearRow { events: self.events, users: count(self.users.iter().filter(|seen| **seen)) }
    }
}

/// What the answers of a period say about its days.
struct Calendar {
    period: String,
    days: Vec<DayRow>,
    months: Vec<MonthRow>,
    year: YearRow,
}

impl Calendar {
    fn of_month(first: Date, counts: &Counts, year: YearRow) -> Self {
        let period = format!("{:04}-{:02}", first.year(), first.month());
        let days = (1..).zip(&counts.days[1..]).filter(|(_, events)| **events > 0);
        let days = days.map(|(day, events)| DayRow { day: day_of(first, day), events: *events });
        let months = (counts.events > 0).then(|| MonthRow { month: period.clone(), events: counts.events });
        Self { days: days.collect(), months: months.into_iter().collect(), year, period }
    }
}

/// That day of the month in which `month` is.
fn day_of(month: Date, day: u8) -> Date {
    let day = i8::try_from(day).expect("a day of a month");
    month.with().day(day).build().expect("a day that rows have")
}

/// Where nothing comes before, nobody was seen last.
fn no_day(_: u8) -> Date {
    unreachable!("nobody is quiet who was not there before")
}

/// A period and the one before it.
struct View<'v> {
    people: &'v People,
    counts: &'v Counts,
    former: &'v Counts,
    /// The date of a day of the period before.
    last_seen: &'v dyn Fn(u8) -> Date,
}

impl View<'_> {
    fn answers(&self, calendar: Calendar) -> PeriodAnswers {
        let Calendar { period, days, months, year } = calendar;
        let counts = self.counts;
        let companies = self.companies(&counts.users);
        let busy_companies = companies.iter().filter(|activity| activity.users > 0);
        let busiest = days.iter().min_by_key(|row| (Reverse(row.events), row.day)).cloned();
        PeriodAnswers {
            period,
            totals: vec![Totals {
                events: counts.events,
                users: count(counts.users.iter().filter(|events| **events > 0)),
                companies: count(busy_companies),
            }],
            busiest_date: busiest.into_iter().collect(),
            events_per_day: days,
            events_per_month: months,
            year_to_date: vec![year],
            top_users: self.top_users(),
            top_companies: self.top_companies(&companies),
            top_domains: self.top_domains(),
            top_countries: top_words(&counts.countries, COUNTRIES, |country, events| CountryRow { country, events }),
            top_actions: top_words(&counts.actions, ACTIONS, |action, events| ActionRow { action, events }),
            top_tags: top_words(&counts.tags, TAGS, |tag, uses| TagRow { tag, uses }),
            growing_companies: self.growing_companies(&companies),
            quiet_users: self.quiet_users(),
        }
    }

    fn top_users(&self) -> Vec<UserRow> {
        let users = self.people.users.iter().zip(&self.counts.users).filter(|(_, events)| **events > 0);
        let users = users.map(|(user, events)| (*events, &*user.email)).collect();
        let row = |(events, user): (u64, &str)| UserRow { user: user.to_owned(), events };
        top(users, by_events).into_iter().map(row).collect()
    }

    /// By company.
    fn companies(&self, events_by_user: &[u64]) -> Vec<Activity> {
        let company = |user: &User| user.domain.and_then(|domain| self.people.domains[domain as usize].company);
        self.activities(self.people.companies.len(), events_by_user, company)
    }

    fn activities(&self, length: usize, events: &[u64], group: impl Fn(&User) -> Option<u32>) -> Vec<Activity> {
        let mut activities = vec![Activity { events: 0, users: 0 }; length];
        for (user, events) in self.people.users.iter().zip(events).filter(|(_, events)| **events > 0) {
            if let Some(group) = group(user) {
                let activity = &mut activities[group as usize];
                activity.events += events;
                activity.users += 1;
            }
        }
        activities
    }

    fn top_companies(&self, companies: &[Activity]) -> Vec<CompanyRow> {
        let names = self.people.companies.iter().map(String::as_str);
        let row = |(name, activity): (&str, Activity)| CompanyRow { company: name.to_owned(), activity };
        top_activities(names, companies).map(row).collect()
    }

    fn top_domains(&self) -> Vec<DomainRow> {
        let domains = self.activities(self.people.domains.len(), &self.counts.users, |user| user.domain);
        let names = self.people.domains.iter().map(|domain| domain.name.as_str());
        let row = |(name, activity): (&str, Activity)| DomainRow { domain: name.to_owned(), activity };
        top_activities(names, &domains).map(row).collect()
    }

    fn growing_companies(&self, companies: &[Activity]) -> Vec<GrowthRow> {
        let former = self.companies(&self.former.users);
        let pairs = self.people.companies.iter().zip(companies.iter().zip(&former));
        let grown = pairs.filter(|(_, (now, former))| now.events > former.events);
        let grown = grown.map(|(name, (now, former))| (now.events - former.events, name.as_str(), now, former));
        let order = |a: &(u64, &str, _, _), b: &(u64, &str, _, _)| by_events(&(a.0, a.1), &(b.0, b.1));
        let row = |(growth, name, now, former): (u64, &str, &Activity, &Activity)| GrowthRow {
            company: name.to_owned(),
            events: now.events,
            previous_events: former.events,
            growth,
        };
        top(grown.collect(), order).into_iter().map(row).collect()
    }

    fn quiet_users(&self) -> Vec<QuietRow> {
        let people = self.people;
        let pairs = (0..).zip(self.counts.users.iter().zip(&self.former.users));
        let quiet = pairs.filter(|(_, (now, former))| **now == 0 && **former > 0);
        let quiet = quiet.map(|(user, (_, former)): (usize, _)| (*former, &*people.users[user].email, user));
        let order = |a: &(u64, &str, usize), b: &(u64, &str, usize)| by_events(&(a.0, a.1), &(b.0, b.1));
        let row = |(previous_events, email, user): (u64, &str, usize)| {
            let company = people.users[user].domain.and_then(|domain| people.domains[domain as usize].company);
            QuietRow {
                user: email.to_owned(),
                company: company.map(|company| people.companies[company as usize].clone()),
                previous_events,
                last_seen: (self.last_seen)(self.former.last_days[user]),
            }
        };
        top(quiet.collect(), order).into_iter().map(row).collect()
    }
}

/// `ORDER BY events DESC, name`; names are compared by their bytes.
fn by_events(a: &(u64, &str), b: &(u64, &str)) -> Ordering {
    (Reverse(a.0), a.1).cmp(&(Reverse(b.0), b.1))
}

/// The first [`TOP`] of `items` in `order`.
fn top<T>(mut items: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if items.len() > TOP {
        items.select_nth_unstable_by(TOP, &order);
        items.truncate(TOP);
    }
    items.sort_by(order);
    items
}

fn top_words<R>(counts: &[u64], words: &[&str], row: impl Fn(String, u64) -> R) -> Vec<R> {
    let used = words.iter().zip(counts).filter(|(_, count)| **count > 0).map(|(word, count)| (*count, *word));
    top(used.collect(), by_events).into_iter().map(|(count, word)| row(word.to_owned(), count)).collect()
}

fn top_activities<'n>(
    names: impl Iterator<Item = &'n str>,
    activities: &[Activity],
) -> impl Iterator<Item = (&'n str, Activity)> {
    let active = names.zip(activities).filter(|(_, activity)| activity.users > 0);
    let order = |a: &(&str, &Activity), b: &(&str, &Activity)| by_events(&(a.1.events, a.0), &(b.1.events, b.0));
    top(active.collect(), order).into_iter().map(|(name, activity)| (name, activity.clone()))
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.map(|_| 1).sum()
}

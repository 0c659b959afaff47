//! From counts to what the report says: its queries, done once more by other means.

use std::cmp::{Ordering, Reverse};

use jiff::civil::Date;

use crate::answers::{
    ActionRow, Activity, CompanyRow, CountryRow, DayRow, DomainRow, GrowthRow, MonthAnswers, MonthRow, QuietRow,
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
    answers: Vec<MonthAnswers>,
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
        Self { people, none: Counts::new(people), former, current, ahead, year: Year::default(), answers: Vec::new() }
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

    /// The answers of all months.
    pub(crate) fn finish(mut self) -> Vec<MonthAnswers> {
        self.finish_current();
        self.answers
    }

    fn finish_current(&mut self) {
        let Some((first, counts)) = self.current.take() else { return };
        self.year.add(first.year(), &counts);
        let former = self.former.as_ref().unwrap_or(&self.none);
        let view = View { people: self.people, first, counts: &counts, former };
        let year_to_date = vec![self.year.row()];
        self.answers.push(view.answers(year_to_date));
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

/// A month and the one before it.
struct View<'v> {
    people: &'v People,
    first: Date,
    counts: &'v Counts,
    former: &'v Counts,
}

impl View<'_> {
    fn answers(&self, year_to_date: Vec<YearRow>) -> MonthAnswers {
        let month = format!("{:04}-{:02}", self.first.year(), self.first.month());
        let counts = self.counts;
        let companies = self.companies(&counts.users);
        let busy_companies = companies.iter().filter(|activity| activity.users > 0);
        let events_per_day = self.events_per_day();
        let busiest = events_per_day.iter().min_by_key(|row| (Reverse(row.events), row.day)).cloned();
        MonthAnswers {
            totals: vec![Totals {
                events: counts.events,
                users: count(counts.users.iter().filter(|events| **events > 0)),
                companies: count(busy_companies),
            }],
            busiest_date: busiest.into_iter().collect(),
            events_per_day,
            events_per_month: if counts.events == 0 {
                Vec::new()
            } else {
                vec![MonthRow { month: month.clone(), events: counts.events }]
            },
            year_to_date,
            top_users: self.top_users(),
            top_companies: self.top_companies(&companies),
            top_domains: self.top_domains(),
            top_countries: top_words(&counts.countries, COUNTRIES, |country, events| CountryRow { country, events }),
            top_actions: top_words(&counts.actions, ACTIONS, |action, events| ActionRow { action, events }),
            top_tags: top_words(&counts.tags, TAGS, |tag, uses| TagRow { tag, uses }),
            growing_companies: self.growing_companies(&companies),
            quiet_users: self.quiet_users(),
            month,
        }
    }

    fn events_per_day(&self) -> Vec<DayRow> {
        let days = (1..=self.first.days_in_month()).zip(&self.counts.days[1..]).filter(|(_, events)| **events > 0);
        days.map(|(day, events)| DayRow { day: self.day(day), events: *events }).collect()
    }

    fn day(&self, day: i8) -> Date {
        self.first.with().day(day).build().expect("a day of this month")
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
            let last_day = i8::try_from(self.former.last_days[user]).expect("a day of a month");
            let month_before = self.first.yesterday().expect("the month before has rows");
            QuietRow {
                user: email.to_owned(),
                company: company.map(|company| people.companies[company as usize].clone()),
                previous_events,
                last_seen: month_before.with().day(last_day).build().expect("a day with rows"),
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

//! Everything that rows choose from.

use crate::people::People;
use crate::plan::Plan;
use crate::skew::Skew;
use crate::words::{ACTIONS, COUNTRIES, PAGES, TAGS};

/// A tag as it stands in a list.
#[derive(Debug)]
pub(crate) struct TagText {
    /// In Python's quotes, every quote of CSV doubled: for a field in quotes.
    pub(crate) quoted: String,
    /// Whether a list of this tag alone needs no quotes of CSV.
    pub(crate) is_plain: bool,
}

#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) people: People,
    /// As fields of CSV, in the order of [`COUNTRIES`].
    pub(crate) countries: Vec<String>,
    /// In the order of [`TAGS`].
    pub(crate) tags: Vec<TagText>,
    pub(crate) addresses: Vec<String>,
    pub(crate) popular_countries: Skew,
    pub(crate) popular_pages: Skew,
    pub(crate) popular_actions: Skew,
    pub(crate) popular_tags: Skew,
}

impl Pools {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            people: People::new(plan.seed, plan.users()),
            countries: COUNTRIES.iter().map(|country| csv_field(country)).collect(),
            tags: TAGS.iter().map(|tag| tag_text(tag)).collect(),
            addresses: addresses(),
            popular_countries: Skew::falling(COUNTRIES.len(), 3),
            popular_pages: Skew::falling(PAGES.len(), 2),
            popular_actions: Skew::falling(ACTIONS.len(), 1),
            popular_tags: Skew::falling(TAGS.len(), 4),
        }
    }
}

/// The field in quotes, if it needs some.
fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn tag_text(tag: &str) -> TagText {
    let python = python_text(tag);
    TagText { is_plain: !python.contains([',', '"']), quoted: python.replace('"', "\"\"") }
}

/// As Python's `repr` writes it: in apostrophes, unless it holds some and no quote.
fn python_text(text: &str) -> String {
    if text.contains('\'') && !text.contains('"') {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "\\'"))
    }
}

/// The networks that are kept for documentation: three of IPv4 and a part of the one of IPv6, 1024 addresses.
fn addresses() -> Vec<String> {
    let networks = ["192.0.2.", "198.51.100.", "203.0.113."];
    let short = networks.iter().flat_map(|network| (1..=254).map(move |host| format!("{network}{host}")));
    short.chain((1..=262).map(|host| format!("2001:db8::{host:x}"))).collect()
}

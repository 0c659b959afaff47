//! Phase 3: whether the first record names the columns.

use stillhouse_decode::look::{HeadRow, comparable};

use crate::cell::{is_typed, year};

/// Names that headers have in many files.
const COMMON_NAMES: &[&str] = &[
    "id",
    "name",
    "date",
    "time",
    "timestamp",
    "email",
    "mail",
    "country",
    "city",
    "amount",
    "price",
    "total",
    "type",
    "status",
    "user",
    "userid",
    "username",
    "value",
    "key",
    "code",
    "title",
    "description",
    "category",
    "product",
    "customer",
    "address",
    "phone",
    "url",
    "ip",
    "text",
    "message",
    "comment",
    "firstname",
    "lastname",
    "gender",
    "age",
    "state",
    "zip",
    "currency",
    "quantity",
    "transaction",
    "action",
    "tags",
    "event",
    "count",
    "year",
    "month",
    "day",
    "fecha",
    "monto",
    "nombre",
    "datum",
    "betrag",
    "nom",
    "prix",
    "first",
    "last",
    "label",
    "color",
    "note",
    "notes",
    "region",
    "source",
    "hid",
];

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) present: bool,
    pub(crate) why: String,
    /// The data gives no reason for either.
    pub(crate) doubtful: bool,
}

/// Decides whether the first of the rows is a header.
pub(crate) fn detect(rows: &[HeadRow]) -> Header {
    let Some((first, rest)) = rows.split_first() else { return decided(false, "there is no record", false) };
    let line = first.line;
    let filled: Vec<&String> = first.texts.iter().filter(|text| !text.trim().is_empty()).collect();
    let years: Vec<u16> = filled.iter().filter_map(|text| year(text)).collect();
    let years_ascend = years.len() > 1 && years.is_sorted() && years.len() < filled.len();
    let votes = votes(first, rest);
    let typed = filled.iter().filter(|text| is_typed(text)).count();
    if years_ascend && typed == years.len() {
        return decided(true, &format!("line {line} has texts and years in ascending order"), false);
    }
    if votes.header > 2 * votes.data {
        let of = votes.header;
        let fields = if of == 1 { "field" } else { "fields" };
        let why = format!("line {line} has no value in {of} {fields} in which the lines below have values");
        return decided(true, &why, false);
    }
    if typed > 0 {
        return decided(false, &format!("line {line} has values like the lines below"), false);
    }
    let common = filled.iter().filter(|text| COMMON_NAMES.contains(&comparable(text).as_str())).count();
    if common > 0 {
        return decided(true, &format!("line {line} has names that are usual in headers"), false);
    }
    let recurs = (0..first.texts.len()).any(|field| {
        let text = &first.texts[field];
        !text.trim().is_empty() && rest.iter().any(|row| row.texts.get(field) == Some(text))
    });
    if recurs {
        return decided(false, &format!("a text of line {line} occurs again below it"), false);
    }
    let why = "all fields are text; most files have a header";
    decided(true, why, !rest.is_empty())
}

fn decided(present: bool, why: &str, doubtful: bool) -> Header {
    Header { present, why: why.to_owned(), doubtful }
}

#[derive(Default)]
struct Votes {
    header: usize,
    data: usize,
}

/// Fields that hold values below the first row, and hold none, or one, in it.
fn votes(first: &HeadRow, rest: &[HeadRow]) -> Votes {
    let mut votes = Votes::default();
    for (field, text) in first.texts.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let below = || rest.iter().filter_map(|row| row.texts.get(field)).filter(|text| !text.trim().is_empty());
        let (typed, all) = (below().filter(|text| is_typed(text)).count(), below().count());
        if typed == 0 || typed * 2 < all {
            continue;
        }
        if is_typed(text) {
            votes.data += 1;
        } else {
            votes.header += 1;
        }
    }
    votes
}

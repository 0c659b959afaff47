//! Phase 6: what columns are for: personal data, time, ids, amounts, and which of them a record must have.

use stillhouse_spec::DataType;

use crate::api::{Notes, Place};
use crate::column::{Column, DIFFERENT_MAX};
use crate::decide::{Context, Decided, tolerated};
use crate::names::{has_word, is_id, is_money, is_timely};
use crate::text::{count, counted};

/// Words in the names of columns about people.
pub(crate) const PERSONAL_WORDS: &[&str] = &[
    "email",
    "mail",
    "phone",
    "mobile",
    "tel",
    "telephone",
    "telefon",
    "telefono",
    "fax",
    "ip",
    "firstname",
    "lastname",
    "surname",
    "forename",
    "fullname",
    "username",
    "nickname",
    "birthday",
    "birthdate",
    "birth",
    "born",
    "dob",
    "ssn",
    "iban",
    "passport",
    "address",
    "street",
    "nombre",
    "apellido",
    "apellidos",
    "vorname",
    "nachname",
    "prenom",
    "geburtsdatum",
];

/// Whose name it is, when a column is called `…_name`.
const WHOSE: &[&str] = &[
    "first",
    "last",
    "full",
    "user",
    "customer",
    "client",
    "person",
    "contact",
    "display",
    "given",
    "family",
    "middle",
    "maiden",
    "employee",
    "patient",
    "student",
    "member",
    "guest",
    "owner",
    "author",
    "recipient",
    "sender",
    "holder",
];

/// Words that make of it something about people that is not personal by itself.
const NOT_PERSONAL: &[&str] = &["count", "verified", "domain", "opt", "sent", "opened", "type", "status", "version"];

/// Why the column seems to hold personal data, if it does.
pub(crate) fn personal(column: &Column, name: &str, others_are: bool) -> Option<String> {
    let shapes = &column.shapes;
    let by_value =
        [(shapes.emails, "e-mail addresses"), (shapes.ips, "IP addresses"), (shapes.phones, "telephone numbers")];
    if let Some((count, what)) = by_value.into_iter().find(|(count, _)| shapes.mostly(*count)) {
        let versions = what == "IP addresses" && has_word(name, &["version"]);
        return (!versions).then(|| format!("{count} of {} values are {what}", shapes.values));
    }
    if has_word(name, NOT_PERSONAL) || (column.filled > 0 && column.bools.values == column.filled) {
        return None;
    }
    let of_whom = has_word(name, &["name"]) && has_word(name, WHOSE);
    if has_word(name, PERSONAL_WORDS) || of_whom {
        return Some("by its name".to_owned());
    }
    let people = shapes.mostly(shapes.people);
    (name == "name" && (people || others_are)).then(|| "it seems to be the name of a person".to_owned())
}

/// Names of days that say nothing about when a record happened.
const OTHER_DAYS: &[&str] =
    &["birth", "birthday", "birthdate", "born", "dob", "geburtsdatum", "expiry", "expires", "due", "until"];

/// The column that periods look at. `late`: words for what happens to a record after it came to be.
pub(crate) fn time(columns: &[(String, &Column, Decided)], late: &[&str], notes: &mut Notes) -> Option<usize> {
    let is_moment = |decided: &Decided| matches!(decided.data_type, DataType::Date | DataType::Timestamp);
    let mut found: Vec<usize> = (0..columns.len()).filter(|at| is_moment(&columns[*at].2)).collect();
    found.retain(|at| !has_word(&columns[*at].0, OTHER_DAYS));
    let rank = |at: &usize| {
        let (name, column, _) = &columns[*at];
        let created = has_word(name, &["created", "occurred", "event", "transaction", "booking", "posted"]);
        let plain = ["timestamp", "date", "datetime", "time", "ts", "day"].contains(&name.as_str());
        // The share without a value in hundredths: a column that is often empty is about something else.
        let missing = (column.empty + column.null_count()) * 100 / column.records.max(1);
        (missing / 10, !plain, has_word(name, late), !created, !is_timely(name), *at)
    };
    found.sort_by_key(rank);
    let (first, rest) = found.split_first()?;
    let name = &columns[*first].0;
    if rest.is_empty() {
        notes.found(Place::Table, "time", format!("`{name}` is the one column with a day"));
    } else {
        let others: Vec<String> = rest.iter().map(|at| format!("`{}`", columns[*at].0)).collect();
        let text = format!("periods look at `{name}`; it could be {} as well", others.join(" or "));
        notes.doubt(Place::Table, "time", text);
    }
    Some(*first)
}

/// Whether records without a value are refused.
pub(crate) fn required(
    column: &Column,
    decided: &Decided,
    is_time: bool,
    context: &Context<'_>,
    notes: &mut Notes,
) -> bool {
    let missing = column.empty + column.null_count();
    let (place, about) = (Place::Column(context.number), format!("required of {}", context.name));
    let amount = matches!(decided.data_type, DataType::Decimal { .. })
        && (is_money(context.name) || column.numbers.signed > 0 || column.numbers.negative > 0);
    let essential = is_time || amount;
    if column.filled == 0 {
        return false;
    }
    if missing == 0 {
        let id = is_id(context.name) && context.number == 0;
        if essential || id {
            notes.found(place, about, format!("no record of {} is without it", column.records));
        }
        return essential || id;
    }
    // Who writes `N/A` means that there is no value; an empty field may be a mistake.
    if !essential || column.null_count() > 0 || !tolerated(missing, column.records, false) {
        notes.found(place, about, format!("not required: {missing} of {} records are without it", column.records));
        return false;
    }
    let first = column.first_empty.map(|at| format!(", first on {}", context.at(at))).unwrap_or_default();
    let text = format!(
        "{} of {} have no value here{first}, and are refused. To load them, leave `required` out",
        count(missing),
        counted(column.records, "record")
    );
    notes.doubt(place, about, text);
    true
}

/// Field texts that mean "no value".
pub(crate) fn null_values(column: &Column, decided: &Decided, context: &Context<'_>, notes: &mut Notes) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    if decided.data_type == DataType::String {
        if column.empty > 0 {
            values.push(String::new());
        }
        values.extend(column.sure_nulls());
    } else {
        values.extend(column.nulls.keys().cloned());
    }
    let spelt: Vec<String> = values
        .iter()
        .filter_map(|value| column.nulls.get(value).map(|(count, at)| (value, count, at)))
        .map(|(value, count, at)| format!("`{value}` {count} times, first on {}", context.at(*at)))
        .collect();
    let place = Place::Column(context.number);
    if !spelt.is_empty() {
        notes.remark(place.clone(), format!("null values of {}", context.name), spelt.join("; "));
    }
    if column.empty > 0 {
        let text = format!("empty in {} of {} records", column.empty, column.records);
        notes.found(place, format!("null values of {}", context.name), text);
    }
    values
}

/// In fewer records it says nothing that an id does not repeat.
const KEY_RECORDS_MIN: u64 = 10;

/// Whether a column could be the key. Ids repeat in many files, so it is not taken for one.
pub(crate) fn key(column: &Column, context: &Context<'_>, time: Option<&str>, notes: &mut Notes) {
    let Some(repeats) = &column.repeats else { return };
    let name = context.name;
    if repeats.values < 2 || !(is_id(name) || (context.number == 0 && column.header.is_none())) {
        return;
    }
    if repeats.given_up {
        let text =
            format!("`{name}` has more than {DIFFERENT_MAX} different values: whether it repeats was not followed");
        notes.found(Place::Table, "key", text);
    } else if let Some(first) = repeats.first {
        let text = format!(
            "`{name}` repeats: {} in {}, the first again on {}. Every record counts",
            counted(repeats.different(), "different value"),
            counted(repeats.values, "record"),
            context.at(first)
        );
        notes.remark(Place::Table, "key", text);
    } else if repeats.values == column.records && repeats.values >= KEY_RECORDS_MIN && is_id(name) {
        let keep = time.map(|time| format!(", keep = \"latest by {time}\"")).unwrap_or_default();
        let text = format!(
            "`{name}` is different in all {}, so it may be the key. Where records replace each other, write \
             key = \"{name}\"{keep}",
            counted(repeats.values, "record")
        );
        notes.doubt(Place::Table, "key", text);
    }
}

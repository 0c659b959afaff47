//! Texts, and digits that are texts all the same.

use stillhouse_spec::{DataType, ListSyntax};

use super::{Context, Decided};
use crate::api::Notes;
use crate::column::Column;
use crate::names::{has_word, is_code};

/// Names of columns with several things in a field.
pub(crate) const SEVERAL: &[&str] = &[
    "tags",
    "labels",
    "categories",
    "items",
    "roles",
    "keywords",
    "genres",
    "skills",
    "ids",
    "list",
    "topics",
    "groups",
    "permissions",
    "languages",
    "colors",
    "options",
    "features",
];

/// Addresses, telephones, codes: texts, whatever else they look like.
pub(crate) fn of_known_shape(column: &Column, context: &Context<'_>, notes: &mut Notes) -> Option<Decided> {
    let shapes = &column.shapes;
    let known = [
        (shapes.uuids, "UUIDs"),
        (shapes.emails, "e-mail addresses"),
        (shapes.ips, "IP addresses"),
        (shapes.phones, "telephone numbers"),
    ];
    let mut known = known.into_iter().filter(|(count, _)| shapes.mostly(*count));
    if let Some((count, what)) = known.next() {
        let text = format!("string: {count} of {} values are {what}", shapes.values);
        notes.found(context.place(), context.about(), text);
        return Some(Decided::of(DataType::String));
    }
    if is_code(context.name) && column.numbers.plain_values() > 0 {
        let text = "string: by its name a code, which is written in digits and is no number";
        notes.found(context.place(), context.about(), text);
        return Some(Decided::of(DataType::String));
    }
    None
}

/// Text, or a list of texts between delimiters.
pub(super) fn decide(column: &Column, context: &Context<'_>, notes: &mut Notes) -> Decided {
    let (place, name) = (context.place(), context.name);
    if let Some((mark, count)) = column.lists.delimiter() {
        let of = column.filled;
        if has_word(name, SEVERAL) {
            let text = format!(
                "taken for a list: {count} of {of} values have `{mark}` in them. If it is one text, write \
                 type = \"string\" and leave `list` out"
            );
            notes.doubt(place, context.about(), text);
            let list = ListSyntax::Delimiter(mark.to_string());
            return Decided { list, ..Decided::of(DataType::List(Box::new(DataType::String))) };
        }
        if mark != ',' {
            let text = format!(
                "text: {count} of {of} values have `{mark}` in them. If they are lists, write \
                 type = \"list<string>\", list = {{ delimiter = \"{mark}\" }}"
            );
            notes.found(place, context.about(), text);
            return Decided::text();
        }
    }
    notes.found(place, context.about(), format!("string: {} values of no narrower type", column.filled));
    Decided::text()
}

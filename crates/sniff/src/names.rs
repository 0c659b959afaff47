//! Names: of columns from a header, of a table from a file, and what a name suggests.

use stillhouse_decode::look::comparable;

/// A name is cut to this many characters.
const NAME_CHARS: usize = 60;

/// Words of SQL that a query has to write in quotes when they name a column.
const SQL_WORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cross",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "false",
    "for",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "into",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "qualify",
    "right",
    "select",
    "set",
    "table",
    "then",
    "to",
    "true",
    "union",
    "unnest",
    "using",
    "values",
    "when",
    "where",
    "with",
    "window",
];

/// Whether a query has to write the name in quotes.
pub(crate) fn is_sql_word(name: &str) -> bool {
    SQL_WORDS.contains(&name)
}

/// A header's name as an identifier: lower case, ASCII, `_` between words; `None` if nothing of it is left.
pub(crate) fn identifier(name: &str) -> Option<String> {
    let chars: Vec<char> = name.chars().flat_map(plain).collect();
    let mut into = String::new();
    for (at, &char) in chars.iter().enumerate() {
        if !char.is_ascii_alphanumeric() {
            if !into.ends_with('_') {
                into.push('_');
            }
            continue;
        }
        let before = at.checked_sub(1).map(|at| chars[at]);
        let behind = chars.get(at + 1);
        // `userId`, `IPAddress`: a word begins at the I of Id and at the A of Address.
        let begins = char.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || (before.is_ascii_uppercase() && behind.is_some_and(char::is_ascii_lowercase))
            });
        if begins {
            into.push('_');
        }
        into.push(char.to_ascii_lowercase());
    }
    let name: String = into.trim_matches('_').chars().take(NAME_CHARS).collect();
    let name = name.trim_end_matches('_');
    match name.as_bytes().first() {
        None => None,
        Some(first) if first.is_ascii_digit() => Some(format!("c_{name}")),
        Some(_) => Some(name.to_owned()),
    }
}

/// A letter without its accents, where that is customary.
fn plain(char: char) -> Vec<char> {
    let text = match char {
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'Ć' | 'Č' => "C",
        'ç' | 'ć' | 'č' => "c",
        'È'..='Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'è'..='ë' | 'ē' | 'ę' | 'ě' => "e",
        'Ì'..='Ï' | 'İ' => "I",
        'ì'..='ï' | 'ı' => "i",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ñ' | 'ń' | 'ň' => "n",
        'Ò'..='Ö' | 'Ø' | 'Ő' => "O",
        'ò'..='ö' | 'ø' | 'ő' => "o",
        'Œ' | 'œ' => "oe",
        'Ś' | 'Š' | 'Ş' => "S",
        'ś' | 'š' | 'ş' => "s",
        'ß' => "ss",
        'Ù'..='Ü' | 'Ů' | 'Ű' => "U",
        'ù'..='ü' | 'ů' | 'ű' => "u",
        'Ý' => "Y",
        'ý' | 'ÿ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        'Ł' => "L",
        'ł' => "l",
        'Ğ' => "G",
        'ğ' => "g",
        other => return vec![other],
    };
    text.chars().collect()
}

/// A column's name, and whether its header finds it without help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// The header's name, where the column's own would not find it.
    pub(crate) alias: Option<String>,
}

/// Names for the columns of a header. `by_name` says whether the header's names tell its fields apart: where they do
/// not, columns have to be found by their position.
pub(crate) fn columns(header: &[String]) -> (Vec<Named>, bool) {
    let compared: Vec<String> = header.iter().map(|name| comparable(name)).collect();
    let repeats = |at: usize| compared[..at].contains(&compared[at]);
    let unwritable = |name: &str| name.trim().starts_with('{') || name.trim().starts_with("year of ");
    let by_name = (0..header.len()).all(|at| !compared[at].is_empty() && !repeats(at) && !unwritable(&header[at]));
    let mut named: Vec<Named> = Vec::new();
    for (at, text) in header.iter().enumerate() {
        let wished = identifier(text).unwrap_or_else(|| format!("column_{}", at + 1));
        let taken = |name: &str| {
            let name = comparable(name);
            let other_header = by_name && compared.iter().enumerate().any(|(other, text)| other != at && *text == name);
            other_header || named.iter().any(|named| comparable(&named.name) == name)
        };
        let numbered = (2..).map(|number| format!("{wished}_{number}"));
        let name = std::iter::once(wished.clone()).chain(numbered).find(|name| !taken(name));
        let name = name.expect("numbers do not end");
        let alias = (by_name && comparable(&name) != compared[at]).then(|| text.trim().to_owned());
        named.push(Named { name, alias });
    }
    (named, by_name)
}

/// File names that say nothing about what is in the file.
const GENERIC: &[&str] =
    &["part", "data", "export", "file", "output", "out", "input", "in", "csv", "dump", "download", "table"];

/// A name for the table of a file, from its path: without dates, numbers and ending.
pub(crate) fn table(path: &str) -> String {
    let mut components = path.rsplit('/');
    let file = components.next().unwrap_or_default();
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let candidates = std::iter::once(stem).chain(components);
    let mut named = candidates.filter_map(meaningful);
    let name = named.next().unwrap_or_else(|| "records".to_owned());
    if is_sql_word(&name) { format!("{name}_rows") } else { name }
}

/// What of a component names its content, if anything does.
fn meaningful(component: &str) -> Option<String> {
    let identifier = identifier(component.rsplit_once('=').map_or(component, |(_, value)| value))?;
    let words: Vec<&str> = identifier
        .split('_')
        .filter(|word| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit()) && *word != "c")
        .collect();
    let name = words.join("_");
    let says_something = words.iter().any(|word| word.len() > 1 && !GENERIC.contains(word));
    (says_something && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)).then_some(name)
}

/// One of several: `tags` → `tag`, `companies` → `company`.
pub(crate) fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if name.ends_with(ending) {
            return name[..name.len() - 2].to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.is_empty() && !stem.ends_with('s') && !stem.ends_with('u') => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// Whether some word of an identifier is one of these.
pub(crate) fn has_word(identifier: &str, words: &[&str]) -> bool {
    identifier.split('_').any(|word| words.contains(&word))
}

const TIME_WORDS: &[&str] = &[
    "date",
    "dates",
    "datetime",
    "time",
    "timestamp",
    "ts",
    "day",
    "created",
    "updated",
    "modified",
    "occurred",
    "at",
    "when",
    "posted",
    "booked",
    "booking",
    "fecha",
    "datum",
    "dia",
    "jour",
    "buchungstag",
    "valuta",
    "epoch",
    "start",
    "end",
];

/// The name of something that happens at a time.
pub(crate) fn is_timely(identifier: &str) -> bool {
    has_word(identifier, TIME_WORDS) || identifier.ends_with("date") || identifier.ends_with("time")
}

/// The name of an instant rather than of a day.
pub(crate) fn is_instant(identifier: &str) -> bool {
    has_word(identifier, &["timestamp", "datetime", "ts", "at", "epoch"])
}

const MONEY_WORDS: &[&str] = &[
    "amount",
    "ammount",
    "amout",
    "amt",
    "price",
    "total",
    "subtotal",
    "balance",
    "transaction",
    "cost",
    "fee",
    "revenue",
    "payment",
    "sum",
    "importe",
    "monto",
    "valor",
    "betrag",
    "umsatz",
    "montant",
    "importo",
    "salary",
    "tax",
    "credit",
    "debit",
    "net",
    "gross",
    "discount",
    "paid",
    "charge",
    "spend",
    "budget",
    "saldo",
    "precio",
    "preis",
    "prix",
];

/// The name of an amount of money.
pub(crate) fn is_money(identifier: &str) -> bool {
    has_word(identifier, MONEY_WORDS)
}

const CODE_WORDS: &[&str] = &[
    "zip",
    "zipcode",
    "postcode",
    "postal",
    "plz",
    "phone",
    "tel",
    "telephone",
    "mobile",
    "fax",
    "iban",
    "ssn",
    "isbn",
    "ean",
    "card",
    "sku",
    "barcode",
    "passport",
    "version",
];

/// The name of something that is written in digits and is no number.
pub(crate) fn is_code(identifier: &str) -> bool {
    has_word(identifier, CODE_WORDS)
}

/// The name of what tells one thing from another.
pub(crate) fn is_id(identifier: &str) -> bool {
    has_word(identifier, &["id", "uuid", "guid", "key", "identifier", "folio", "kennung"])
}

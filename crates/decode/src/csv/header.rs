//! Phase 2 of detection: whether the first record names the columns, and which names they are.

use stillhouse_spec::{Choice, Contract, CsvOptions, DataType, HeaderStyle};

use crate::csv::sample::Row;
use crate::values::Reader;

/// The columns of the contract that come from a field, with the names that they go by.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    columns: Vec<NamedColumn>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct NamedColumn {
    /// Its place in the contract.
    pub(crate) column: usize,
    /// Its names in comparable form: its own, then the aliases.
    names: Vec<String>,
}

impl Names {
    pub(crate) fn new(contract: &Contract) -> Self {
        let mut columns = Vec::new();
        for (column, spec) in contract.parent.columns.iter().enumerate() {
            if let Some(names) = spec.field_names() {
                columns.push(NamedColumn { column, names: names.map(comparable).collect() });
            }
        }
        Self { columns }
    }

    /// Of no contract.
    pub(crate) fn none() -> Self {
        Self { columns: Vec::new() }
    }

    /// How many columns come from a field.
    pub(crate) fn count(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn columns(&self) -> &[NamedColumn] {
        &self.columns
    }

    /// How many columns find their name among `texts`.
    pub(crate) fn matched(&self, texts: &[String]) -> usize {
        self.claims(texts).iter().flatten().count()
    }

    /// For each column the field that bears its name: its own name before an alias, an earlier field before a later
    /// one; no field serves two columns.
    pub(crate) fn claims(&self, texts: &[String]) -> Vec<Option<usize>> {
        let texts: Vec<String> = texts.iter().map(|text| comparable(text)).collect();
        let mut taken = vec![false; texts.len()];
        let mut claims = vec![None; self.columns.len()];
        let rounds = self.columns.iter().map(|column| column.names.len()).max().unwrap_or(0);
        for round in 0..rounds {
            for (claim, column) in claims.iter_mut().zip(&self.columns) {
                let Some(name) = column.names.get(round).filter(|_| claim.is_none()) else { continue };
                let free = |(at, text): (usize, &String)| (!taken[at] && text == name).then_some(at);
                if let Some(at) = texts.iter().enumerate().find_map(free) {
                    taken[at] = true;
                    *claim = Some(at);
                }
            }
        }
        claims
    }
}

/// A name without case, blanks, `_` and `-`.
pub(crate) fn comparable(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Decides whether the first row is a header.
pub(crate) fn detect(rows: &[Row], csv: &CsvOptions, contract: &Contract, names: &Names) -> Choice<HeaderStyle> {
    if let Some(header) = csv.header {
        return Choice::set(header);
    }
    let Some(first) = rows.first() else { return Choice::default_value(HeaderStyle::Absent) };
    let present = names.matched(&first.texts) > 0 || looks_like_names(rows, contract);
    Choice::detected(if present { HeaderStyle::Present } else { HeaderStyle::Absent })
}

/// The first row fits no type that the contract asks for, and the rows behind it do.
fn looks_like_names(rows: &[Row], contract: &Contract) -> bool {
    let Some((first, rest)) = rows.split_first() else { return false };
    let readers: Vec<Reader> =
        contract.parent.columns.iter().filter(|c| tells(&c.data_type)).map(Reader::guess).collect();
    let fits_any = |text: &str| readers.iter().any(|reader| reader.fits(text));
    let filled = |text: &&String| !text.trim().is_empty();
    if readers.is_empty() || first.texts.iter().filter(filled).any(|text| fits_any(text)) {
        return false;
    }
    if rest.is_empty() {
        return true;
    }
    let widest = first.texts.len();
    (0..widest).any(|field| {
        let values = || rest.iter().filter_map(|row| row.texts.get(field)).filter(filled);
        let fitting = values().filter(|text| fits_any(text)).count();
        fitting > 0 && fitting * 2 >= values().count()
    })
}

/// A name would hardly be read as a value of this type.
fn tells(data_type: &DataType) -> bool {
    use DataType::{Date, Decimal, Float64, Int64, Time, Timestamp};
    matches!(data_type, Int64 | Float64 | Decimal { .. } | Date | Timestamp | Time)
}

//! Fields that an object has and its contract does not know, and the columns that are added for them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contract::{Checks, Column, ColumnFrom, Contract, ListSyntax, NumberFormat};
use crate::name::{ColumnName, TableName};
use crate::path::FieldPath;
use crate::types::DataType;

/// So many characters of a field's name are kept in that of a column which is added for it.
const NAME_CHARS_MAX: usize = 50;

/// A field that a contract does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct NewField {
    /// The nested table in whose rows it is; none: in the records themselves.
    pub table: Option<TableName>,
    /// Its name, or the way to it, as an alias in `from` would say it.
    pub path: String,
}

/// How receipts write it: of the parent only the path.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    OfParent(String),
    OfNested { table: TableName, path: String },
}

impl From<Written> for NewField {
    fn from(written: Written) -> Self {
        match written {
            Written::OfParent(path) => Self { table: None, path },
            Written::OfNested { table, path } => Self { table: Some(table), path },
        }
    }
}

impl From<NewField> for Written {
    fn from(field: NewField) -> Self {
        match field {
            NewField { table: None, path } => Self::OfParent(path),
            NewField { table: Some(table), path } => Self::OfNested { table, path },
        }
    }
}

impl fmt::Display for NewField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.table {
            None => write!(f, "`{}`", self.path),
            Some(table) => write!(f, "`{}` of `{table}`", self.path),
        }
    }
}

impl Contract {
    /// Adds a column of that type for each of these fields. What is no name becomes one: other characters than letters,
    /// digits and `_` become `_`. Fields of tables that the contract does not have any more are left out.
    pub fn add_columns(&mut self, fields: &[NewField], data_type: &DataType) {
        for field in fields {
            let (columns, taken) = match &field.table {
                None => (&mut self.parent.columns, &[][..]),
                Some(table) => match self.nested.iter_mut().find(|nested| nested.name == *table) {
                    Some(nested) => (&mut nested.columns, nested.copied.as_slice()),
                    None => continue,
                },
            };
            let name = free_name(&field.path, &columns.iter().chain(taken));
            columns.push(added(name, &field.path, data_type));
        }
    }

    /// The fields for which columns were added.
    pub fn added_fields(&self) -> Vec<NewField> {
        let of = |table: Option<&TableName>, columns: &[Column]| {
            let added = columns.iter().filter(|column| column.added);
            let paths = added.filter_map(|column| column.field_names()?.nth(1).map(str::to_owned));
            paths.map(|path| NewField { table: table.cloned(), path }).collect::<Vec<_>>()
        };
        let nested = self.nested.iter().flat_map(|nested| of(Some(&nested.name), &nested.columns));
        of(None, &self.parent.columns).into_iter().chain(nested).collect()
    }
}

fn added(name: ColumnName, path: &str, data_type: &DataType) -> Column {
    Column {
        name,
        data_type: data_type.clone(),
        from: ColumnFrom::Field { aliases: vec![path.to_owned()] },
        required: false,
        formats: Vec::new(),
        zone: None,
        numbers: NumberFormat::default(),
        list: ListSyntax::Auto,
        null_values: Vec::new(),
        // Nobody has said that it is not.
        pii: true,
        checks: Checks::default(),
        default: None,
        added: true,
    }
}

/// A name like that of a field which none of these columns has.
fn free_name<'c>(field: &str, columns: &(impl Iterator<Item = &'c Column> + Clone)) -> ColumnName {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let words = field.parse::<FieldPath>().map_or_else(|_| field.to_owned(), |path| path.names().join("_"));
    let text: String = words.chars().map(fits).take(NAME_CHARS_MAX).collect();
    let text = text.trim_matches('_');
    let stem = if text.starts_with(|c: char| c.is_ascii_alphabetic()) { text.to_owned() } else { format!("c_{text}") };
    let is_taken = |name: &str| columns.clone().any(|column| column.name.as_str().eq_ignore_ascii_case(name));
    let numbered = (2..).map(|number| format!("{stem}_{number}"));
    let free = std::iter::once(stem.clone()).chain(numbered).find(|name| !is_taken(name));
    free.and_then(|name| name.parse().ok()).expect("letters, digits and `_` behind a letter are a name")
}

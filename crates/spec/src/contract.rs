//! Contracts: what a table's columns are and which rows are acceptable.

use serde::{Deserialize, Serialize};

use crate::current::CurrentView;
use crate::format::TimeFormat;
use crate::name::{ColumnName, TableName};
use crate::path::FieldPath;
use crate::scalar::Scalar;
use crate::types::DataType;

/// What a source's records become: one parent table and any number of child and nested tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// The table that gets one row for each accepted record.
    pub parent: Table,
    /// Tables that get one row for each item of a list column of the parent.
    pub children: Vec<ChildTable>,
    /// Tables that get one row for each object of an array inside the records; one that is inside another comes after it.
    #[serde(default)]
    pub nested: Vec<NestedTable>,
    /// A condition in SQL: records that do not meet it are read, counted as filtered, and leave no rows.
    #[serde(default)]
    pub filter: Option<String>,
    /// What to do with a column that the contract does not know.
    pub unknown_columns: UnknownColumns,
    /// What to do when a column of the contract is not in the object.
    pub missing_columns: MissingColumns,
    /// How columns of the object find their column in the contract.
    pub columns_by: ColumnsBy,
    /// Above this, the object is held and nothing of it is loaded.
    pub max_rejected: MaxRejected,
}

/// A table with one row for each accepted record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name in the lake and in SQL.
    pub name: TableName,
    /// The column that periods look at: a `date` or `timestamp` column.
    pub time: Option<ColumnName>,
    /// The columns, in the order of the contract.
    pub columns: Vec<Column>,
    /// The view of the current state, for a table whose rows are changes.
    #[serde(default)]
    pub current: Option<CurrentView>,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// The place of [`time`](Self::time) among the columns.
    pub fn time_column(&self) -> Option<usize> {
        let time = self.time.as_ref()?;
        self.columns.iter().position(|column| column.name == *time)
    }
}

/// One column of a parent table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in the lake and in SQL.
    pub name: ColumnName,
    /// Its type.
    pub data_type: DataType,
    /// Where its values come from.
    pub from: ColumnFrom,
    /// A record without a value here is refused.
    pub required: bool,
    /// For `date`, `timestamp` and `time`: the allowed formats, in order of preference. Never empty for these types.
    pub formats: Vec<TimeFormat>,
    /// For `timestamp`: the IANA time zone of values that state no offset.
    pub zone: Option<String>,
    /// For numbers: how they are written.
    pub numbers: NumberFormat,
    /// For lists: how they are written inside one field.
    pub list: ListSyntax,
    /// Field texts that mean "no value". For every type but `string` the empty text means that too.
    pub null_values: Vec<String>,
    /// Personal data: marked in the quarantine and in profiles.
    pub pii: bool,
    /// What values must be like.
    #[serde(default)]
    pub checks: Checks,
    /// What stands where a record has no value.
    #[serde(default)]
    pub default: Option<Scalar>,
    /// An object brought it ([`UnknownColumns::Add`]): the contract of the settings does not have it, and no other object
    /// needs it.
    #[serde(default)]
    pub added: bool,
}

impl Column {
    /// The names of the field that the values come from, if they come from one: the column's own, then the aliases.
    pub fn field_names(&self) -> Option<impl Iterator<Item = &str>> {
        let ColumnFrom::Field { aliases } = &self.from else { return None };
        Some(std::iter::once(self.name.as_str()).chain(aliases.iter().map(String::as_str)))
    }

    /// Whether an object without a field for the column lacks something: its values come from a field, nothing stands in for
    /// them, and it was not added for the sake of another object.
    pub fn needs_field(&self) -> bool {
        matches!(self.from, ColumnFrom::Field { .. }) && self.default.is_none() && !self.added
    }

    /// The ways to its values in a record that nests, the better ones first. Its own name is one of them unless another one
    /// leads into an object: then that name is the column's alone.
    pub fn paths(&self) -> Vec<FieldPath> {
        let Some(names) = self.field_names() else { return Vec::new() };
        let named: Vec<FieldPath> = names.skip(1).filter_map(|name| name.parse().ok()).collect();
        let leads_in = named.iter().any(|path| path.names().len() != 1);
        let own = (!leads_in).then(|| FieldPath::field(self.name.as_str()));
        let mut paths: Vec<FieldPath> = own.into_iter().chain(named).collect();
        paths.dedup();
        paths
    }
}

/// What the values of a column must be like; in a list column each item. A value that is not so refuses its record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Checks {
    /// One of these; any, if there is none.
    pub allowed: Vec<Scalar>,
    /// Not less than this.
    pub min: Option<Scalar>,
    /// Not more than this.
    pub max: Option<Scalar>,
    /// For texts: a regular expression that fits somewhere in the text, `^` and `$` being its ends.
    pub pattern: Option<String>,
}

impl Checks {
    /// Anything goes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnFrom {
    /// A field of the record. Names are compared without case, blanks, `_` and `-`; the column's own name always counts.
    Field {
        /// Other names that the field may have.
        aliases: Vec<String>,
    },
    /// A placeholder of the path template, such as `yyyy`: the same text for every record of an object.
    Path(String),
    /// How the year of this (date or timestamp) column was found: `stated`, `path`, `setting` or `file time`.
    YearOrigin(ColumnName),
    /// An expression in SQL over the other columns of the row.
    Derived(String),
    /// What the record has beyond the contract, as one JSON object.
    Rest,
}

/// How numbers are written. A sign in front, `(…)` for negative and blanks around are always understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberFormat {
    /// The decimal mark: `.` or `,`.
    pub decimal: char,
    /// The grouping mark that may stand between groups of three digits, if any.
    pub grouping: Option<char>,
    /// Leading or trailing currency signs and codes (`$`, `EUR`) are skipped.
    pub currency: Currency,
}

impl Default for NumberFormat {
    fn default() -> Self {
        Self { decimal: '.', grouping: None, currency: Currency::Refuse }
    }
}

/// Whether a currency sign beside a number is put up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Currency {
    /// A currency sign makes the value unreadable.
    Refuse,
    /// A currency sign or code is skipped.
    Skip,
}

/// How a list is written inside one CSV field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListSyntax {
    /// Text that begins with `[` is Python or JSON, whichever reads more records; else one item.
    Auto,
    /// `['a', "b's"]`, as Python's `repr` writes it.
    Python,
    /// A JSON array.
    Json,
    /// Items between delimiters; the empty text is the empty list.
    Delimiter(String),
}

/// A table with one row for each item of a list column: `from = "events.tags[]"`.
///
/// Its rows carry the parent's `_object` and `_record`, and `_item`, the item's position from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildTable {
    /// Its name in the lake and in SQL.
    pub name: TableName,
    /// The list column of the parent.
    pub list: ColumnName,
    /// The column that holds the item.
    pub item: ColumnName,
    /// Parent columns that are repeated on every row: (name here, name in the parent).
    pub copied: Vec<(ColumnName, ColumnName)>,
}

/// A table with one row for each object of an array inside the records: `from = "posts.comments.data[]"`.
///
/// Its rows carry `_object` and `_record` as those of the parent do, and `_item`, the row's number among those of its record,
/// from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NestedTable {
    /// Its name in the lake and in SQL.
    pub name: TableName,
    /// Columns that repeat values of the table that a row is inside; each place says of which column.
    pub copied: Vec<Column>,
    /// The columns, in the order of the contract.
    pub columns: Vec<Column>,
    /// Where its rows stand; never empty.
    pub places: Vec<NestedPlace>,
    /// The view of the current state, if the rows are changes.
    pub current: Option<CurrentView>,
}

/// An array whose objects are rows of a [`NestedTable`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NestedPlace {
    /// The table with a row for what the array is in: the parent, or one of [`Contract::nested`] up to this table itself.
    pub inside: Inside,
    /// The path from there to the array.
    pub path: FieldPath,
    /// For each of [`NestedTable::copied`] the column of that table.
    pub copied: Vec<ColumnName>,
}

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inside {
    /// The parent.
    Parent,
    /// The one with this number in [`Contract::nested`].
    Nested(usize),
}

impl Inside {
    /// Its number among the tables whose rows come out of records, as [`Contract::read_tables`] has them.
    pub fn table(self) -> usize {
        match self {
            Self::Parent => 0,
            Self::Nested(nested) => nested + 1,
        }
    }
}

impl NestedTable {
    /// A column by its name, copied or its own.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.all_columns().find(|column| column.name.as_str() == name)
    }

    /// The columns as the table has them: copied ones, then its own.
    pub fn all_columns(&self) -> impl Iterator<Item = &Column> {
        self.copied.iter().chain(&self.columns)
    }
}

impl Contract {
    /// The names of its tables: parent, children, nested ones.
    pub fn table_names(&self) -> impl Iterator<Item = &TableName> {
        let children = self.children.iter().map(|child| &child.name);
        std::iter::once(&self.parent.name).chain(children).chain(self.nested.iter().map(|nested| &nested.name))
    }

    /// The views of its tables, each with the table.
    pub fn views(&self) -> impl Iterator<Item = (&TableName, &CurrentView)> {
        let parent = std::iter::once((&self.parent.name, self.parent.current.as_ref()));
        let nested = self.nested.iter().map(|nested| (&nested.name, nested.current.as_ref()));
        parent.chain(nested).filter_map(|(table, view)| Some((table, view?)))
    }

    /// Whether something in it is said in SQL.
    pub fn has_sql(&self) -> bool {
        self.filter.is_some() || self.parent.columns.iter().any(|column| matches!(column.from, ColumnFrom::Derived(_)))
    }

    /// The tables whose rows come out of records, the parent and then the nested ones: their names and own columns.
    pub fn read_tables(&self) -> impl Iterator<Item = (&TableName, &[Column])> {
        let nested = self.nested.iter().map(|nested| (&nested.name, nested.columns.as_slice()));
        std::iter::once((&self.parent.name, self.parent.columns.as_slice())).chain(nested)
    }

    /// All columns that take values out of records: those of the parent, then those of each nested table.
    pub fn read_columns(&self) -> impl Iterator<Item = &Column> {
        self.read_tables().flat_map(|(_, columns)| columns)
    }

    /// How messages and receipts call the column with this number among [`read_columns`](Self::read_columns): that of a
    /// nested table has its table in front, as `comments.created_time`.
    pub fn read_label(&self, number: usize) -> String {
        let labels = self
            .read_tables()
            .enumerate()
            .flat_map(|(table, (name, columns))| columns.iter().map(move |column| (table, name, &column.name)));
        match labels.into_iter().nth(number) {
            Some((0, _, column)) => column.to_string(),
            Some((_, table, column)) => format!("{table}.{column}"),
            None => String::new(),
        }
    }
}

/// What to do with a column that the contract does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownColumns {
    /// The object is held until somebody acts.
    Hold,
    /// The column is left out.
    Ignore,
    /// The table gets the column, as text.
    Add,
    /// What the record has beyond the contract goes into the column [`UNKNOWN_COLUMN`], as one JSON object.
    Json,
}

/// The column of [`UnknownColumns::Json`].
pub const UNKNOWN_COLUMN: &str = "_unknown";

/// What to do when a column of the contract is not in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingColumns {
    /// The object is held until somebody acts.
    Hold,
    /// The column is null, unless it is `required`: then the object is held.
    Null,
}

/// How columns of the object find their column in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnsBy {
    /// By the names of the header; without a header, by position.
    Name,
    /// By position; a header is skipped.
    Position,
    /// By name; columns that no name finds are matched by whether their values fit the type, in order.
    Fit,
}

/// How many records of an object may be refused before the object is held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxRejected {
    /// A share of the records read (blank ones not counted), in hundredths of a percent: 100 is 1 %.
    Share(u32),
    /// A number of records.
    Count(u64),
}

impl MaxRejected {
    /// What a contract that does not say allows: 1 %.
    pub const DEFAULT: MaxRejected = MaxRejected::Share(100);

    /// Whether `rejected` out of `records` (blank ones not counted) is more than allowed.
    pub fn exceeded(self, rejected: u64, records: u64) -> bool {
        match self {
            MaxRejected::Share(share) => u128::from(rejected) * 10_000 > u128::from(records) * u128::from(share),
            MaxRejected::Count(count) => rejected > count,
        }
    }
}

impl std::fmt::Display for MaxRejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MaxRejected::Share(share) if share % 100 == 0 => write!(f, "{}%", share / 100),
            MaxRejected::Share(share) => write!(f, "{}.{:02}%", share / 100, share % 100),
            MaxRejected::Count(count) => write!(f, "{count}"),
        }
    }
}

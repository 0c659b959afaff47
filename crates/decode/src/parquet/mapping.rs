//! Which columns of the file are which of the contract.

use arrow::datatypes::{DataType, FieldRef, Fields};
use parquet::arrow::ProjectionMask;
use stillhouse_spec::{
    Column as ColumnSpec, ColumnsBy, Contract, FieldPath, Inside, MissingColumns, NestedTable, NewField, UnknownColumns,
};

use super::file::File;
use crate::csv::header::comparable;
use crate::error::Error;
use crate::plan::Origin;
use crate::shown::names;

/// The way to a value: numbers of fields, from outside.
pub(super) type Way = Vec<usize>;

/// The outcome.
pub(super) struct Mapping {
    /// For each column that is read: where its values come from.
    pub(super) origins: Vec<Origin>,
    /// … and the way to it from the row of its table.
    pub(super) ways: Vec<Option<Way>>,
    /// For each nested table, for each of its places: the way to the list.
    pub(super) places: Vec<Vec<Option<Way>>>,
    /// Columns of the file that the contract does not know.
    pub(super) rest: Vec<usize>,
    /// What is read.
    pub(super) mask: ProjectionMask,
    pub(super) warnings: Vec<String>,
}

impl Mapping {
    pub(super) fn new(file: &File, contract: &Contract) -> Result<Self, Error> {
        let fields = file.schema().fields();
        if contract.columns_by != ColumnsBy::Name {
            return Err(Error::settings(
                "columns of Parquet files are found by name",
                "leave `columns_by` out of the source file",
            ));
        }
        let mut tables = vec![RowFields::of(fields.clone())];
        let mut places = Vec::new();
        for nested in &contract.nested {
            let (ways, items) = find_places(nested, &mut tables);
            places.push(ways);
            tables.push(items);
        }
        let mut ways = Vec::new();
        for (table, (_, columns)) in tables.iter_mut().zip(contract.read_tables()) {
            ways.extend(columns.iter().map(|column| table.way(column)));
        }
        let origins = contract.read_columns().zip(&ways).map(|(column, way)| {
            let field = if way.is_some() { Origin::Inside } else { Origin::Missing };
            Origin::other(&column.from).unwrap_or(field)
        });
        let origins: Vec<Origin> = origins.collect();
        check_missing(contract, &ways, fields)?;
        let warnings = check_unknown(contract, &tables)?;
        let is_used = &tables[0].used;
        let rest: Vec<usize> = (0..fields.len()).filter(|field| !is_used[*field]).collect();
        let keeps_rest = contract.unknown_columns == UnknownColumns::Json;
        let roots: Vec<usize> = (0..fields.len()).filter(|field| is_used[*field] || keeps_rest).collect();
        let mask = ProjectionMask::roots(file.descriptor(), roots.iter().copied());
        // Batches have the columns that are read, and no others.
        let parents = contract.nested.iter().zip(&mut places).flat_map(|(nested, ways)| nested.places.iter().zip(ways));
        let parents = parents.filter(|(place, _)| place.inside == Inside::Parent).map(|(_, way)| way);
        for way in parents.chain(&mut ways[..contract.parent.columns.len()]).flatten() {
            if let Some(first) = way.first_mut() {
                *first = roots.binary_search(first).unwrap_or_default();
            }
        }
        Ok(Self { origins, ways, places, rest, mask, warnings })
    }
}

/// The fields of the rows of one table, and which of them something is read from. No fields: the file does not have its rows.
#[derive(Default)]
struct RowFields {
    fields: Fields,
    used: Vec<bool>,
}

impl RowFields {
    fn of(fields: Fields) -> Self {
        Self { used: vec![false; fields.len()], fields }
    }

    /// The way to the values of a column.
    fn way(&mut self, column: &ColumnSpec) -> Option<Way> {
        let way = column.paths().iter().find_map(|path| match path.names() {
            // The item of a list that is no struct is its one field.
            [] => Some(Vec::new()).filter(|_| self.fields.len() == 1),
            _ => along(&self.fields, path).map(|(way, _)| way),
        })?;
        self.used[way.first().copied().unwrap_or_default()] = true;
        Some(way)
    }

    /// The way to a list, and the fields of its items.
    fn list(&mut self, path: &FieldPath) -> Option<(Way, Fields)> {
        let (way, field) = along(&self.fields, path)?;
        let DataType::List(item) = field.data_type() else { return None };
        self.used[*way.first()?] = true;
        match item.data_type() {
            DataType::Struct(fields) => Some((way, fields.clone())),
            _ => Some((way, Fields::from(vec![item.clone()]))),
        }
    }

    /// The names of the others.
    fn unused(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(field, _)| field.name().as_str())
    }
}

/// The way to each place of a nested table, and the fields of its rows.
fn find_places(nested: &NestedTable, tables: &mut [RowFields]) -> (Vec<Option<Way>>, RowFields) {
    let mut items = None;
    let mut ways = Vec::new();
    for place in &nested.places {
        let found = tables.get_mut(place.inside.table()).and_then(|outer| outer.list(&place.path));
        ways.push(found.as_ref().map(|(way, _)| way.clone()));
        items = items.or_else(|| found.map(|(_, fields)| fields));
    }
    (ways, items.map(RowFields::of).unwrap_or_default())
}

/// The number of the field of that name, written exactly or nearly so.
fn field(fields: &Fields, name: &str) -> Option<usize> {
    let exact = fields.iter().position(|field| field.name() == name);
    exact.or_else(|| {
        let wanted = comparable(name);
        fields.iter().position(|field| comparable(field.name()) == wanted)
    })
}

/// The way along a path through structs, and what is at its end.
fn along(fields: &Fields, path: &FieldPath) -> Option<(Way, FieldRef)> {
    let mut way = Vec::new();
    let mut at = fields.clone();
    let mut found = None;
    for name in path.names() {
        let number = field(&at, name)?;
        let next = at[number].clone();
        way.push(number);
        at = match next.data_type() {
            DataType::Struct(fields) => fields.clone(),
            _ => Fields::empty(),
        };
        found = Some(next);
    }
    Some((way, found?))
}

fn check_missing(contract: &Contract, ways: &[Option<Way>], fields: &Fields) -> Result<(), Error> {
    let missing = contract.read_columns().enumerate().filter(|(number, column)| {
        let is_missing = column.needs_field() && ways[*number].is_none();
        is_missing && (column.required || contract.missing_columns == MissingColumns::Hold)
    });
    let missing: Vec<String> = missing.map(|(number, _)| format!("`{}`", contract.read_label(number))).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found = names(fields.iter().map(|field| format!("`{}`", field.name())));
    Err(Error::data(
        format!("no field for column {}: found the columns {found}", missing.join(", ")),
        "add the name in the file to `from` of the column, or set `missing_columns = \"null\"` in the source file",
    ))
}

/// What becomes of fields that the contract does not know; gives the warnings.
fn check_unknown(contract: &Contract, tables: &[RowFields]) -> Result<Vec<String>, Error> {
    let fields = tables.iter().zip(contract.read_tables()).enumerate().flat_map(|(number, (table, (name, _)))| {
        let table_name = (number > 0).then(|| name.clone());
        let new = move |field: &str| NewField { table: table_name.clone(), path: FieldPath::field(field).to_string() };
        table.unused().map(new)
    });
    let fields: Vec<NewField> = fields.collect();
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let unknown = names(fields.iter().map(NewField::to_string));
    match contract.unknown_columns {
        UnknownColumns::Ignore => Ok(vec![format!("columns that the contract does not know are left out: {unknown}")]),
        UnknownColumns::Json => Ok(Vec::new()),
        UnknownColumns::Add => Err(Error::more_columns(fields)),
        UnknownColumns::Hold => Err(Error::data(
            format!("no column for {unknown}"),
            "add the columns to the source file, or set `unknown_columns` to \"add\", \"json\" or \"ignore\"",
        )),
    }
}

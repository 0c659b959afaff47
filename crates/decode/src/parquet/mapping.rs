//! Which columns of the file are which of the contract.

use arrow::datatypes::{DataType, FieldRef, Fields};
use parquet::arrow::ProjectionMask;
use stillhouse_spec::{Column as ColumnSpec, ColumnsBy, Contract, FieldPath, Inside, MissingColumns, UnknownColumns};

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
        let mut items: Vec<Option<Fields>> = vec![Some(fields.clone())];
        let mut places = Vec::new();
        let mut used = vec![false; fields.len()];
        for nested in &contract.nested {
            let mut ways = Vec::new();
            let mut own = None;
            for place in &nested.places {
                let inside = place.inside.table();
                let found = items.get(inside).cloned().flatten().and_then(|fields| list(&fields, &place.path));
                if let (Some((way, _)), 0) = (&found, inside) {
                    used[way[0]] = true;
                }
                ways.push(found.as_ref().map(|(way, _)| way.clone()));
                own = own.or_else(|| found.map(|(_, fields)| fields));
            }
            places.push(ways);
            items.push(own);
        }
        let mut ways = Vec::new();
        for (table, (fields, (_, columns))) in items.iter().zip(contract.read_tables()).enumerate() {
            for column in columns {
                let way = fields.as_ref().and_then(|fields| way(fields, column));
                if let (Some(way), 0) = (&way, table) {
                    used[way[0]] = true;
                }
                ways.push(way);
            }
        }
        let origins = contract.read_columns().zip(&ways).map(|(column, way)| {
            let field = if way.is_some() { Origin::Inside } else { Origin::Missing };
            Origin::other(&column.from).unwrap_or(field)
        });
        let origins: Vec<Origin> = origins.collect();
        check_missing(contract, &ways, fields)?;
        let rest: Vec<usize> = (0..fields.len()).filter(|field| !used[*field]).collect();
        let mut warnings = Vec::new();
        check_unknown(contract, fields, &rest, &mut warnings)?;
        let keeps_rest = contract.unknown_columns == UnknownColumns::Json;
        let roots: Vec<usize> = (0..fields.len()).filter(|field| used[*field] || keeps_rest).collect();
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

/// The way to a list, and the fields of its items.
fn list(fields: &Fields, path: &FieldPath) -> Option<(Way, Fields)> {
    let (way, field) = along(fields, path)?;
    let DataType::List(item) = field.data_type() else { return None };
    match item.data_type() {
        DataType::Struct(fields) => Some((way, fields.clone())),
        _ => Some((way, Fields::from(vec![item.clone()]))),
    }
}

/// The way to the values of a column.
fn way(fields: &Fields, column: &ColumnSpec) -> Option<Way> {
    column.paths().iter().find_map(|path| match path.names() {
        // The item of a list that is no struct is its one field.
        [] => Some(Vec::new()).filter(|_| fields.len() == 1),
        _ => along(fields, path).map(|(way, _)| way),
    })
}

fn check_missing(contract: &Contract, ways: &[Option<Way>], fields: &Fields) -> Result<(), Error> {
    let missing = contract.read_columns().enumerate().filter(|(number, column)| {
        let is_missing = contract.needs_field(column) && ways[*number].is_none();
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

fn check_unknown(
    contract: &Contract,
    fields: &Fields,
    rest: &[usize],
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    if rest.is_empty() {
        return Ok(());
    }
    let unknown = names(rest.iter().map(|field| format!("`{}`", fields[*field].name())));
    match contract.unknown_columns {
        UnknownColumns::Ignore => {
            warnings.push(format!("columns that the contract does not know are left out: {unknown}"));
            Ok(())
        }
        UnknownColumns::Json => Ok(()),
        UnknownColumns::Add => {
            Err(Error::more_columns(rest.iter().map(|field| fields[*field].name().clone()).collect()))
        }
        UnknownColumns::Hold => Err(Error::data(
            format!("no column for {unknown}"),
            "add the columns to the source file, or set `unknown_columns` to \"add\", \"json\" or \"ignore\"",
        )),
    }
}

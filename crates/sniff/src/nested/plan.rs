//! The source of nested files, before it is text.

use stillhouse_spec::DataType;

use super::layout::{Kind, Leaf as Laid, Table};
use super::leaf::Leaf;
use super::parquet::Declared;
use super::survey::{self, Survey};
use super::{declared, names, roles, types};
use crate::api::{Input, Notes, Options, Place};
use crate::column::Column;
use crate::decide::{Context, Decided};
use crate::error::Error;
use crate::names::{Named, is_sql_word};
use crate::paths::Paths;
use crate::plan::{Format, Plan, Planned, year};
use crate::text::{count, counted};
use crate::trial::Extent;

/// Plans the source of JSON files.
pub(crate) fn of_json(
    name: &str,
    inputs: &[Input<'_>],
    options: &Options,
    paths: Paths,
    notes: &mut Notes,
) -> Result<(Plan, Vec<Extent>), Error> {
    let survey = survey::of_json(inputs, options, &paths.periods, notes)?;
    let mut plan = Making::new(name, inputs, &survey, None).plan(Format::Json, paths, notes);
    plan.year = year(inputs, plan.all_columns(), &plan.paths, notes);
    if survey.layout.left_out {
        let text = "the records have more names than a table has columns: what has no column is kept in `_unknown`";
        notes.doubt(Place::Table, "unknown_columns", text);
        plan.unknown_columns = Some("json");
    }
    Ok((plan, survey.files))
}

/// Plans the source of Parquet files.
pub(crate) fn of_parquet(
    name: &str,
    inputs: &[Input<'_>],
    paths: Paths,
    notes: &mut Notes,
) -> Result<(Plan, Vec<Extent>), Error> {
    let (survey, declared) = survey::of_parquet(inputs, &paths.periods, notes)?;
    let making = Making::new(name, inputs, &survey, Some(&declared));
    let mut plan = making.plan(Format::Parquet, paths, notes);
    let is_left_out = |(laid, leaf): (&Laid, &Leaf)| laid.way.len() == 1 && leaf.not_utf8 > 0;
    plan.unknown_columns = making.laid().any(is_left_out).then_some("ignore");
    if declared.is_sample {
        let rows = count(survey.rows[0]);
        let text = format!("what is missing, what repeats and what texts are was looked at in the first {rows} rows");
        notes.remark(Place::Table, "read", text);
    }
    if declared.lacking {
        let text = "the files differ in their columns: what one of them lacks is empty there";
        notes.doubt(Place::Table, "missing_columns", text);
        plan.missing_columns = true;
    }
    Ok((plan, survey.files))
}

/// What is known before there is a plan.
pub(super) struct Making<'s> {
    pub(super) survey: &'s Survey,
    declared: Option<&'s Declared>,
    files: Vec<String>,
    /// Names of the tables, parent first.
    pub(super) tables: Vec<String>,
    /// Names of the columns of all tables, one table behind the other, as notes count them.
    pub(super) named: Vec<Named>,
    /// Why columns are taken for personal data.
    personal: Vec<Option<String>>,
    /// The columns, with what they lack counted.
    leaves: Vec<Leaf>,
}

impl<'s> Making<'s> {
    fn new(name: &str, inputs: &[Input<'_>], survey: &'s Survey, declared: Option<&'s Declared>) -> Self {
        let tables = &survey.layout.tables;
        let mut making = Self {
            survey,
            declared,
            files: inputs.iter().map(|input| input.shown.clone()).collect(),
            tables: names::tables(name, &survey.layout),
            named: (0..tables.len()).flat_map(|table| names::columns(&survey.layout, table)).collect(),
            personal: Vec::new(),
            leaves: settled(survey),
        };
        let others_are = making.personal(false).iter().any(Option::is_some);
        making.personal = making.personal(others_are);
        making
    }

    pub(super) fn table(&self, table: usize) -> &'s Table {
        &self.survey.layout.tables[table]
    }

    /// All columns, one table behind the other.
    fn laid(&self) -> impl Iterator<Item = (&'s Laid, &Leaf)> {
        self.survey.layout.tables.iter().flat_map(|table| &table.leaves).zip(&self.leaves)
    }

    /// The number of the first column of a table.
    pub(super) fn first_of(&self, table: usize) -> usize {
        self.survey.layout.tables[..table].iter().map(|table| table.leaves.len()).sum()
    }

    fn personal(&self, others_are: bool) -> Vec<Option<String>> {
        let one = |((laid, leaf), named): ((&Laid, &Leaf), &Named)| match laid.kind {
            Kind::Json(_) => {
                let inside = roles::holds_personal(&self.survey.tree, laid.node);
                inside.then(|| "names inside of it are those of personal data".to_owned())
            }
            _ => roles::personal(leaf, &laid.way, &named.name, others_are),
        };
        self.laid().zip(&self.named).map(one).collect()
    }

    fn context(&self, number: usize) -> Context<'_> {
        Context {
            name: &self.named[number].name,
            number,
            comma_first: false,
            files: &self.files,
            personal: self.personal[number].is_some(),
            unit: if self.declared.is_some() { "row" } else { "line" },
        }
    }

    fn plan(&self, format: Format, paths: Paths, notes: &mut Notes) -> Plan {
        let decided = self.decide(notes);
        let time = self.time(&decided, notes);
        let keys: Vec<Option<usize>> = (0..self.tables.len()).map(|table| self.key(table)).collect();
        let mut all: Vec<Vec<Planned>> = Vec::new();
        for (table, key) in keys.iter().enumerate() {
            all.push(self.columns(table, &decided, time, *key, notes));
        }
        let nested = self.nested(&all, &keys, notes);
        let columns = all.swap_remove(0);
        let children = self.lists(&columns, keys[0], time, notes);
        Plan {
            name: self.tables[0].clone(),
            paths,
            spill_days: 0,
            encoding: None,
            format,
            year: None,
            columns,
            time,
            by_position: false,
            missing_columns: false,
            max_rejected: None,
            children,
            nested,
            unknown_columns: None,
        }
    }

    fn decide(&self, notes: &mut Notes) -> Vec<Decided> {
        let rows = self.survey.layout.tables.iter().zip(&self.survey.rows);
        let rows: Vec<u64> = rows.flat_map(|(table, rows)| vec![*rows; table.leaves.len()]).collect();
        let mut all = Vec::new();
        for (number, (laid, leaf)) in self.laid().enumerate() {
            let context = self.context(number);
            all.push(match self.declared {
                None => types::decide(leaf, laid.kind, rows[number], &context, notes),
                Some(declared) => {
                    let item = self.survey.tree.node(laid.node).item.filter(|_| laid.kind == Kind::List);
                    let types = declared.types.get(&item.unwrap_or(laid.node)).map_or(&[][..], Vec::as_slice);
                    declared::decide(leaf, laid.kind, types, rows[number], &context, notes)
                }
            });
        }
        all
    }

    fn time(&self, decided: &[Decided], notes: &mut Notes) -> Option<usize> {
        let columns = (0..self.table(0).leaves.len())
            .map(|number| (self.named[number].name.clone(), &self.leaves[number].column, decided[number].clone()));
        let columns: Vec<(String, &Column, Decided)> = columns.collect();
        crate::roles::time(&columns, roles::LATE, notes)
    }

    /// Some record has the name twice, so that values are no measure of what is missing.
    fn is_twice(&self, laid: &Laid) -> bool {
        self.survey.tree.node(laid.node).twice
    }

    /// The column of a table that tells its rows apart.
    fn key(&self, table: usize) -> Option<usize> {
        let first = self.first_of(table);
        let leaves = self.table(table).leaves.iter().enumerate().filter(|(_, laid)| !self.is_twice(laid));
        let columns = leaves.map(|(at, laid)| {
            let number = first + at;
            (at, self.named[number].name.as_str(), &self.leaves[number], laid.way.len())
        });
        roles::key(&self.tables[table], table == 0, columns)
    }

    fn columns(
        &self,
        table: usize,
        decided: &[Decided],
        time: Option<usize>,
        key: Option<usize>,
        notes: &mut Notes,
    ) -> Vec<Planned> {
        let first = self.first_of(table);
        let mut columns = Vec::new();
        for (at, laid) in self.table(table).leaves.iter().enumerate() {
            let number = first + at;
            let (context, leaf) = (self.context(number), &self.leaves[number]);
            let of_records = table == 0;
            let whole = self.declared.is_none_or(|declared| !(declared.is_sample || declared.lacking));
            let required = of_records
                && whole
                && !self.is_twice(laid)
                && roles::required(leaf, &decided[number], context.name, time == Some(at), key == Some(at));
            if of_records && key == Some(at) {
                let time = time.map(|time| self.named[time].name.as_str());
                crate::roles::key(&leaf.column, &context, time, notes);
            }
            let planned = self.column(laid, leaf, &context, decided[number].clone(), notes);
            columns.push(Planned { required, ..planned });
        }
        if columns.iter().all(|column| column.left_out) {
            columns.push(self.no_column(table, notes));
        }
        columns
    }

    fn column(&self, laid: &Laid, leaf: &Leaf, context: &Context<'_>, decided: Decided, notes: &mut Notes) -> Planned {
        let Named { name, alias } = &self.named[context.number];
        let place = Place::Column(context.number);
        if let Some(why) = &self.personal[context.number] {
            notes.found(place.clone(), format!("pii of {name}"), format!("personal data: {why}"));
        }
        if is_sql_word(name) {
            let text = format!("a word of SQL: queries write it in quotes, \"{name}\"");
            notes.remark(place.clone(), format!("name of {name}"), text);
        }
        let is_plain = matches!(decided.data_type, DataType::String | DataType::Json | DataType::List(_));
        let values = if laid.kind == Kind::Scalar { leaf.column.filled } else { leaf.wholes };
        let missing = leaf.column.records.saturating_sub(values);
        if is_plain && missing > 0 && values > 0 {
            let text = format!("{} of {} have none", count(missing), counted(leaf.column.records, "row"));
            notes.found(place, format!("values of {name}"), text);
        }
        let mut null_values = Vec::new();
        if !is_plain {
            null_values = crate::roles::null_values(&leaf.column, &decided, context, notes);
            null_values.extend(leaf.not_finite.iter().cloned());
        }
        Planned {
            name: name.clone(),
            alias: alias.clone(),
            header: leaf.column.header.clone(),
            number: context.number,
            decided,
            required: false,
            null_values,
            pii: context.personal,
            values,
            missing,
            left_out: leaf.not_utf8 > 0,
        }
    }

    /// A table needs a column.
    fn no_column(&self, table: usize, notes: &mut Notes) -> Planned {
        let text = "the objects have no value of their own: a table needs a column, and this one stays empty";
        let place = if table == 0 { Place::Table } else { Place::Nested(table - 1) };
        notes.remark(place, "columns", text);
        Planned {
            name: names::no_column(&self.survey.layout, table),
            alias: None,
            header: None,
            number: usize::MAX,
            decided: Decided::text(),
            required: false,
            null_values: Vec::new(),
            pii: false,
            values: 0,
            missing: 0,
            left_out: false,
        }
    }
}

/// The columns, with the rows that have no value.
fn settled(survey: &Survey) -> Vec<Leaf> {
    let mut leaves = survey.leaves.clone();
    let mut all = leaves.iter_mut();
    for (table, rows) in survey.layout.tables.iter().zip(&survey.rows) {
        for (laid, leaf) in table.leaves.iter().zip(&mut all) {
            if laid.kind == Kind::Scalar {
                leaf.column.empty += rows.saturating_sub(leaf.scalars());
            }
            leaf.column.records = *rows;
        }
    }
    leaves
}

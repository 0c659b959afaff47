//! Phase 3 of detection: which field each column of the contract takes its values from.

use stillhouse_spec::{
    Choice, Column as ColumnSpec, ColumnsBy, Contract, HeaderStyle, MissingColumns, NewField, UnknownColumns,
};

use crate::csv::header::{Names, comparable};
use crate::csv::sample::Row;
use crate::error::Error;
use crate::plan::Origin;
use crate::shown::{SHOWN_MAX, names};
use crate::values::Reader;

/// The outcome of this phase.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    /// How many fields a record must have.
    pub(crate) width: usize,
    /// For each column of the contract.
    pub(crate) origins: Vec<Origin>,
    /// Where the record that is the header begins.
    pub(crate) header_offset: Option<u64>,
    /// What the header calls the fields; empty without one.
    pub(crate) names: Vec<String>,
    /// Fields that no column takes.
    pub(crate) rest: Vec<usize>,
    pub(crate) decided: Vec<(String, Choice<String>)>,
    pub(crate) warnings: Vec<String>,
}

/// What the earlier phases found.
pub(crate) struct Found<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) names: &'a Names,
    pub(crate) rows: &'a [Row],
    pub(crate) header: &'a Choice<HeaderStyle>,
    /// Fields of most records.
    pub(crate) width: Option<usize>,
}

impl Found<'_> {
    fn header_row(&self) -> Option<&Row> {
        self.rows.first().filter(|_| self.header.value == HeaderStyle::Present)
    }

    fn data_rows(&self) -> &[Row] {
        if self.header_row().is_some() { &self.rows[1..] } else { self.rows }
    }

    fn spec(&self, named: usize) -> &ColumnSpec {
        &self.contract.parent.columns[self.names.columns()[named].column]
    }

    /// The columns of the contract that come from a field, for messages.
    fn expected(&self) -> String {
        let names = (0..self.names.count()).map(|named| format!("`{}`", self.spec(named).name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The header, or what stands in its place, for messages.
    fn found(&self) -> String {
        match (self.header_row(), self.rows.first(), self.width) {
            (Some(header), ..) => {
                let shown = header.texts.iter().take(SHOWN_MAX).map(|text| format!("`{}`", shorten(text.trim())));
                let more = if header.texts.len() > SHOWN_MAX { ", …" } else { "" };
                format!("the header {}{more}", shown.collect::<Vec<_>>().join(", "))
            }
            (None, Some(_), Some(width)) => format!("no header and {width} fields a record"),
            _ => "no record that can be read".to_owned(),
        }
    }
}

fn shorten(text: &str) -> String {
    let shown: String = text.chars().take(40).flat_map(visible).collect();
    if text.chars().count() > 40 { shown + "…" } else { shown }
}

/// Names in quotes may hold line ends; a message is one line.
fn visible(char: char) -> impl Iterator<Item = char> {
    let escaped = char.is_control().then(|| char.escape_default());
    let plain = escaped.is_none().then_some(char);
    escaped.into_iter().flatten().chain(plain)
}

/// Where the header of a part stands that begins with `row`; or in what it differs from that of the object.
pub(crate) fn same_header(names: &[String], row: &Row) -> Result<u64, Error> {
    if row.texts == names {
        return Ok(row.offset);
    }
    let shown = |texts: &[String]| {
        let shown = texts.iter().take(SHOWN_MAX).map(|text| format!("`{}`", shorten(text)));
        let more = if texts.len() > SHOWN_MAX { ", …" } else { "" };
        format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
    };
    Err(Error::data(
        format!(
            "line {}: expected the header of the parts before, {}, found {}",
            row.line,
            shown(names),
            shown(&row.texts)
        ),
        "write all parts of the folder with the same header, or put files that are no parts of it elsewhere",
    ))
}

/// Maps fields to columns, or says why the object has to be held.
pub(crate) fn map(found: &Found<'_>) -> Result<Mapping, Error> {
    let header = found.header_row();
    let width = header.map(|row| row.texts.len()).or(found.width).unwrap_or(found.names.count());
    let by = found.contract.columns_by;
    let mut decided = Vec::new();
    let mut warnings = Vec::new();
    let mut claims = match header {
        Some(row) if by != ColumnsBy::Position => found.names.claims(&row.texts),
        None if by == ColumnsBy::Fit => vec![None; found.names.count()],
        _ => (0..found.names.count()).map(|position| (position < width).then_some(position)).collect(),
    };
    let way = match (by, header) {
        (ColumnsBy::Position, _) | (ColumnsBy::Name, None) => "by position",
        (ColumnsBy::Name, Some(_)) => "by name",
        (ColumnsBy::Fit, _) => fit_unclaimed(found, width, &mut claims, &mut decided),
    };
    let origin = if by == ColumnsBy::Fit { Choice::detected(way.to_owned()) } else { Choice::set(way.to_owned()) };
    let origin = if by == ColumnsBy::Name && header.is_none() { Choice::detected(way.to_owned()) } else { origin };
    decided.push(("columns".to_owned(), origin));
    check_missing(found, &claims)?;
    check_unknown(found, width, &claims, &mut warnings)?;
    let origins = origins(found, &claims);
    let rest = (0..width).filter(|field| !claims.contains(&Some(*field))).collect();
    Ok(Mapping {
        rest,
        width,
        origins,
        header_offset: header.map(|row| row.offset),
        names: header.map(|row| row.texts.clone()).unwrap_or_default(),
        decided,
        warnings,
    })
}

fn origins(found: &Found<'_>, claims: &[Option<usize>]) -> Vec<Origin> {
    let mut claims = claims.iter();
    let columns = found.contract.parent.columns.iter();
    columns
        .map(|column| {
            let field = || claims.next().copied().flatten().map_or(Origin::Missing, Origin::Field);
            Origin::other(&column.from).unwrap_or_else(field)
        })
        .collect()
}

/// Matches columns that no name found with fields that no name claimed, by whether the values fit the type. Says how
/// the columns were found in all.
fn fit_unclaimed(
    found: &Found<'_>,
    width: usize,
    claims: &mut [Option<usize>],
    decided: &mut Vec<(String, Choice<String>)>,
) -> &'static str {
    let named = claims.iter().flatten().count();
    let columns: Vec<usize> = (0..claims.len()).filter(|column| claims[*column].is_none()).collect();
    let fields: Vec<usize> = (0..width).filter(|field| !claims.contains(&Some(*field))).collect();
    if columns.is_empty() || fields.is_empty() {
        return "by name";
    }
    let fits: Vec<Vec<bool>> = columns
        .iter()
        .map(|column| {
            let reader = Reader::guess(found.spec(*column));
            fields.iter().map(|field| field_fits(found.data_rows(), *field, &reader)).collect()
        })
        .collect();
    let matches = in_order(&fits).unwrap_or_else(|| one_by_one(&fits, |at| tells(&found.spec(columns[at]).data_type)));
    for (column, field) in columns.iter().zip(matches) {
        let Some(field) = field.map(|at| fields[at]) else { continue };
        claims[*column] = Some(field);
        let name = found.header_row().and_then(|row| row.texts.get(field)).map(|text| shorten(text.trim()));
        let place = format!("field {}", field + 1);
        let value = name.map_or_else(|| place.clone(), |name| format!("{place} `{name}`"));
        decided.push((format!("column {}", found.spec(*column).name), Choice::detected(format!("{value} by fit"))));
    }
    if named == 0 { "by fit" } else { "by name and fit" }
}

/// Only some types say by their values that a field is theirs; any text is a string.
fn tells(data_type: &stillhouse_spec::DataType) -> bool {
    !matches!(data_type, stillhouse_spec::DataType::String)
}

/// More than half of the filled values fit; without any value nothing speaks against it.
fn field_fits(rows: &[Row], field: usize, reader: &Reader) -> bool {
    let filled = || rows.iter().filter_map(|row| row.texts.get(field)).filter(|text| !text.trim().is_empty());
    let fitting = filled().filter(|text| reader.fits(text)).count();
    fitting * 2 > filled().count() || filled().next().is_none()
}

/// The one way to give every column a field with both in order; `None` if there is no way, or several.
fn in_order(fits: &[Vec<bool>]) -> Option<Vec<Option<usize>>> {
    let fields = fits.first().map_or(0, Vec::len);
    // ways[column][field]: how many ways (0, 1, or 2 for "several") there are for the columns from `column` on with
    // the fields from `field` on.
    let mut ways = vec![vec![0u8; fields + 1]; fits.len() + 1];
    ways[fits.len()].fill(1);
    for column in (0..fits.len()).rev() {
        for field in (0..fields).rev() {
            let take = if fits[column][field] { ways[column + 1][field + 1] } else { 0 };
            ways[column][field] = (ways[column][field + 1] + take).min(2);
        }
    }
    if ways[0][0] != 1 {
        return None;
    }
    let mut field = 0;
    let mut matches = Vec::with_capacity(fits.len());
    for column in 0..fits.len() {
        while !(fits[column][field] && ways[column + 1][field + 1] == 1) {
            field += 1;
        }
        matches.push(Some(field));
        field += 1;
    }
    Some(matches)
}

/// Columns that only one field fits take it, as long as there are such; columns of any text come last and take what
/// is left if that is as many fields as columns.
fn one_by_one(fits: &[Vec<bool>], tells: impl Fn(usize) -> bool) -> Vec<Option<usize>> {
    let fields = fits.first().map_or(0, Vec::len);
    let mut matches = vec![None; fits.len()];
    let mut free = vec![true; fields];
    loop {
        let open = (0..fits.len()).filter(|column| matches[*column].is_none() && tells(*column));
        let single = open.into_iter().find_map(|column| {
            let mut fitting = (0..fields).filter(|field| free[*field] && fits[column][*field]);
            fitting.next().filter(|_| fitting.next().is_none()).map(|field| (column, field))
        });
        let Some((column, field)) = single else { break };
        matches[column] = Some(field);
        free[field] = false;
    }
    let open: Vec<usize> = (0..fits.len()).filter(|column| matches[*column].is_none()).collect();
    let left: Vec<usize> = (0..fields).filter(|field| free[*field]).collect();
    if open.len() == left.len() && open.iter().zip(&left).all(|(column, field)| fits[*column][*field]) {
        for (column, field) in open.into_iter().zip(left) {
            matches[column] = Some(field);
        }
    }
    matches
}

fn check_missing(found: &Found<'_>, claims: &[Option<usize>]) -> Result<(), Error> {
    let (expected, header) = (found.expected(), found.found());
    if !claims.is_empty() && claims.iter().all(Option::is_none) {
        return Err(Error::data(
            format!("no usable columns: expected {expected}, found {header}"),
            "add the names of the file as aliases of the columns in the source file, or set `header` and `delimiter`",
        ));
    }
    let missing: Vec<String> = (0..claims.len())
        .filter(|column| claims[*column].is_none())
        .filter(|column| found.spec(*column).needs_field())
        .filter(|column| found.spec(*column).required || found.contract.missing_columns == MissingColumns::Hold)
        .map(|column| format!("`{}`", found.spec(column).name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let required = (0..claims.len()).any(|column| claims[column].is_none() && found.spec(column).required);
    let way_out = if required { "" } else { ", or set `missing_columns = \"null\"` in the source file" };
    Err(Error::data(
        format!("no field for column {}: expected {expected}, found {header}", missing.join(", ")),
        format!("add the name in the file as an alias of the column{way_out}"),
    ))
}

fn check_unknown(
    found: &Found<'_>,
    width: usize,
    claims: &[Option<usize>],
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let mut unknown = Vec::new();
    let mut new_columns = Vec::new();
    let named = found.header_row().filter(|_| found.contract.columns_by != ColumnsBy::Position);
    for field in (0..width).filter(|field| !claims.contains(&Some(*field))) {
        let Some(row) = found.header_row() else {
            unknown.push(format!("field {}", field + 1));
            continue;
        };
        let name = comparable(&row.texts[field]);
        let same = |other: &usize| *other != field && comparable(&row.texts[*other]) == name;
        if name.is_empty() {
            warnings.push(format!("field {} has no name in the header and is left out", field + 1));
        } else if let (Some(other), true) = (claims.iter().flatten().find(|other| same(other)), named.is_some()) {
            let text = shorten(row.texts[field].trim());
            warnings.push(format!(
                "header name `{text}` repeats in field {}; the values of field {} are taken",
                field + 1,
                other + 1
            ));
        } else {
            unknown.push(format!("`{}`", shorten(row.texts[field].trim())));
            new_columns.push(NewField { table: None, path: row.texts[field].trim().to_owned() });
        }
    }
    repeated_unknown(found, claims, warnings);
    cut(warnings);
    if unknown.is_empty() {
        return Ok(());
    }
    let (unknown_count, unknown) = (unknown.len(), names(unknown.into_iter()));
    match found.contract.unknown_columns {
        UnknownColumns::Ignore => {
            warnings.push(format!("columns that the contract does not know are left out: {unknown}"));
            Ok(())
        }
        UnknownColumns::Json => Ok(()),
        UnknownColumns::Add if new_columns.len() == unknown_count => Err(Error::more_columns(new_columns)),
        UnknownColumns::Add => Err(Error::data(
            format!("{unknown} cannot be added: without a header they have no names"),
            "give the columns names in the source file, or set `unknown_columns = \"ignore\"`",
        )),
        UnknownColumns::Hold => Err(Error::data(
            format!("no column for {unknown}: expected {}, found {}", found.expected(), found.found()),
            "add the column or an alias to the source file, or set `unknown_columns` to \"add\", \"json\" or \"ignore\"",
        )),
    }
}

/// Receipts keep warnings: a header of ten thousand delimiters must not fill them.
fn cut(warnings: &mut Vec<String>) {
    let more = warnings.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        warnings.truncate(SHOWN_MAX);
        warnings.push(format!("{more} more warnings about the names in the header"));
    }
}

/// Names that repeat among the fields that nobody claims are worth a word too.
fn repeated_unknown(found: &Found<'_>, claims: &[Option<usize>], warnings: &mut Vec<String>) {
    let Some(row) = found.header_row() else { return };
    let mut seen = std::collections::BTreeMap::new();
    for (field, text) in row.texts.iter().enumerate().filter(|(field, _)| !claims.contains(&Some(*field))) {
        let name = comparable(text);
        let claimed = claims.iter().flatten().any(|other| comparable(&row.texts[*other]) == name);
        if name.is_empty() || claimed {
            continue;
        }
        if let Some(first) = seen.get(&name) {
            let text = shorten(text.trim());
            warnings.push(format!("header name `{text}` repeats in fields {} and {}", first + 1, field + 1));
        } else {
            seen.insert(name, field);
        }
    }
}

//! Charts: from the columns of a result to the description of a chart.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::{DataType, Field, Schema};
use stillhouse_chart::{CHART_FORMAT, Chart, Moment, NumberFormat, POINTS_MAX, Rest, Series, Thousands, Value, X};
use stillhouse_query::nearest;
use stillhouse_spec::{ChartKind, ChartRest, ChartSettings, ChartThousands, ColumnFormat};

use crate::error::{Error, Kind};
use crate::render::{Cell, cell, shown};
use crate::view::QueryView;

/// The columns that a chart shows, by index.
struct Columns {
    x: Option<usize>,
    y: Vec<usize>,
    series: Option<usize>,
}

/// Whether the columns of the chart are in the result, and hold what it needs.
pub(crate) fn check(settings: &ChartSettings, schema: &Schema) -> Result<(), Error> {
    columns(settings, schema).map(|_| ())
}

/// The chart of a result. What cannot be drawn says so in its place: the tables of a run are worth having without it.
pub(crate) fn chart(settings: &ChartSettings, query: &QueryView, subtitle: &str) -> Chart {
    let mut chart = empty(settings, query, subtitle);
    let filled = columns(settings, &query.schema)
        .map_err(|error| error.to_string())
        .and_then(|columns| fill(&mut chart, settings, query, &columns))
        .and_then(|()| chart.check());
    if let Err(problem) = filled {
        (chart.x, chart.series) = (X::Category { values: Vec::new() }, Vec::new());
        chart.problem = Some(problem);
    }
    chart
}

fn empty(settings: &ChartSettings, query: &QueryView, subtitle: &str) -> Chart {
    Chart {
        format: CHART_FORMAT,
        kind: match settings.kind {
            ChartKind::Line => stillhouse_chart::Kind::Line,
            ChartKind::Bar => stillhouse_chart::Kind::Bar,
            ChartKind::Stacked => stillhouse_chart::Kind::Stacked,
            ChartKind::Area => stillhouse_chart::Kind::Area,
            ChartKind::Pie => stillhouse_chart::Kind::Pie,
            ChartKind::Figure => stillhouse_chart::Kind::Figure,
        },
        title: settings.title.clone().unwrap_or_else(|| query.title.clone()),
        subtitle: settings.subtitle.clone().unwrap_or_else(|| subtitle.to_owned()),
        x_title: String::new(),
        y_title: String::new(),
        x: X::Category { values: Vec::new() },
        series: Vec::new(),
        number: NumberFormat {
            unit: settings.format.unit.clone(),
            percent: settings.format.percent,
            decimals: settings.format.decimals,
            thousands: match settings.format.thousands {
                ChartThousands::Comma => Thousands::Comma,
                ChartThousands::Blank => Thousands::Blank,
                ChartThousands::Apostrophe => Thousands::Apostrophe,
                ChartThousands::None => Thousands::None,
            },
        },
        limit: settings.limit,
        rest: Rest::Omit,
        problem: None,
    }
}

/// Finds the columns: the stated ones, and else the first text or date for x and every number for y.
fn columns(settings: &ChartSettings, schema: &Schema) -> Result<Columns, Error> {
    let find = |key: &str, name: &String| find(schema, key, name);
    let stated_x = settings.x.as_ref().map(|name| find("x", name)).transpose()?;
    let series = settings.series.as_ref().map(|name| find("series", name)).transpose()?;
    let stated_y = settings.y.iter().map(|name| find("y", name)).collect::<Result<Vec<_>, _>>()?;
    if let Some(index) = stated_y.iter().find(|index| !schema.field(**index).data_type().is_numeric()) {
        let field = schema.field(*index);
        let found = crate::render::type_name(field.data_type());
        let message = format!("`y` of its chart: column `{}` is {found}, not a number", field.name());
        return Err(Error::new(Kind::FixSettings, message).with_hint("cast it in the query, or name another column"));
    }
    let free = |index: &usize| Some(*index) != series && !stated_y.contains(index) && Some(*index) != stated_x;
    let of_type = |fits: fn(&DataType) -> bool| {
        let indexes = (0..schema.fields().len()).filter(free);
        indexes.filter(|index| fits(schema.field(*index).data_type())).collect::<Vec<_>>()
    };
    let is_name = |data_type: &DataType| !data_type.is_numeric() && !data_type.is_nested();
    let mut x = stated_x.or_else(|| of_type(is_name).first().copied());
    let mut y = if stated_y.is_empty() { of_type(DataType::is_numeric) } else { stated_y.clone() };
    if x.is_none() && settings.kind != ChartKind::Figure {
        // Without a name or a date the first number says where, if others say how much.
        x = match stated_y.is_empty() {
            true if y.len() > 1 => Some(y.remove(0)),
            true => None,
            false => of_type(DataType::is_numeric).first().copied(),
        };
    }
    if settings.kind == ChartKind::Pie || series.is_some() {
        y.truncate(1);
    }
    if y.is_empty() {
        let message = format!("its chart: the result has no column of numbers, only {}", names(schema).join(", "));
        return Err(Error::new(Kind::FixSettings, message).with_hint("select a number, or leave `chart` out"));
    }
    if x.is_none() && settings.kind != ChartKind::Figure {
        let message = format!("its chart: no column is left for `x`, there is only {}", names(schema).join(", "));
        return Err(Error::new(Kind::FixSettings, message)
            .with_hint("select a text or a date as well, or write `kind = \"figure\"`"));
    }
    Ok(Columns { x, y, series })
}

fn names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn find(schema: &Schema, key: &str, name: &str) -> Result<usize, Error> {
    schema.index_of(name).map_err(|_| {
        let names = names(schema);
        let message = format!("`{key}` of its chart: the result has no column `{name}`, only {}", names.join(", "));
        Error::new(Kind::FixSettings, message).with_hint(nearest("columns", name, &names))
    })
}

fn fill(chart: &mut Chart, settings: &ChartSettings, query: &QueryView, columns: &Columns) -> Result<(), String> {
    let rows: usize = query.batches.iter().map(|batch| batch.num_rows()).sum();
    if rows > POINTS_MAX {
        return Err(format!("{rows} rows are too many for a picture (at most {POINTS_MAX}); group them in the query"));
    }
    let field = |index: usize| query.schema.field(index);
    let y_names: Vec<String> = columns.y.iter().map(|index| words(field(*index).name())).collect();
    chart.y_title = settings.y_title.clone().unwrap_or_else(|| match y_names.as_slice() {
        [only] if chart.kind != stillhouse_chart::Kind::Figure => only.clone(),
        _ => String::new(),
    });
    chart.number.decimals = chart.number.decimals.or_else(|| common_decimals(&query.formats, columns, &query.schema));
    chart.rest = match settings.rest {
        Some(ChartRest::Other) => Rest::Other,
        Some(ChartRest::Omit) => Rest::Omit,
        None if columns.y.iter().all(|index| field(*index).data_type().is_integer()) => Rest::Other,
        None => Rest::Omit,
    };
    let places: Vec<Cell> = match columns.x {
        Some(x) => cells(query, x),
        None => vec![Cell::Null; rows],
    };
    match columns.series {
        None => {
            let series =
                columns.y.iter().zip(y_names).map(|(index, name)| Series { name, values: values(query, *index) });
            chart.series = series.collect();
            chart.x = axis(chart.kind, columns.x.map(field), &places);
        }
        Some(series) => {
            let (kept, series) = pivot(&places, &cells(query, series), values(query, columns.y[0]))?;
            chart.series = series;
            chart.x = axis(chart.kind, columns.x.map(field), &kept);
        }
    }
    if chart.rest == Rest::Other
        && chart.series.iter().flat_map(|series| &series.values).flatten().any(Value::is_negative)
    {
        chart.rest = if settings.rest.is_some() { Rest::Other } else { Rest::Omit };
    }
    chart.x_title = settings.x_title.clone().unwrap_or_else(|| match (&chart.x, columns.x) {
        (X::Date { .. }, _) | (_, None) => String::new(),
        (_, Some(x)) => words(field(x).name()),
    });
    Ok(())
}

/// `average_debit` is "average debit".
fn words(name: &str) -> String {
    name.replace('_', " ").trim().to_owned()
}

/// The digits that all of the columns are printed with, if they agree.
fn common_decimals(formats: &BTreeMap<String, ColumnFormat>, columns: &Columns, schema: &Schema) -> Option<u8> {
    let mut decimals =
        columns.y.iter().map(|index| formats.get(schema.field(*index).name()).and_then(|format| format.decimals));
    let first = decimals.next().flatten()?;
    decimals.all(|other| other == Some(first)).then_some(first)
}

fn cells(query: &QueryView, column: usize) -> Vec<Cell> {
    let rows = query.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    rows.map(|(batch, row)| cell(batch.column(column), row, None)).collect()
}

/// Exact values; NaN and infinities are none.
fn values(query: &QueryView, column: usize) -> Vec<Option<Value>> {
    let value = |cell| match cell {
        Cell::Number(text) | Cell::Decimal(text) => text.parse().ok(),
        _ => None,
    };
    cells(query, column).into_iter().map(value).collect()
}

fn name(cell: &Cell) -> Option<String> {
    if *cell == Cell::Null { None } else { Some(shown(cell.clone())) }
}

/// From a row for each place and series to a column for each series. Both are in the order in which they come first.
fn pivot(places: &[Cell], names: &[Cell], values: Vec<Option<Value>>) -> Result<(Vec<Cell>, Vec<Series>), String> {
    let mut kept: Vec<Cell> = Vec::new();
    let mut place_indexes: HashMap<Option<String>, usize> = HashMap::new();
    let mut series_indexes: HashMap<Option<String>, usize> = HashMap::new();
    let mut series: Vec<(String, HashMap<usize, Option<Value>>)> = Vec::new();
    for ((place, series_name), value) in places.iter().zip(names).zip(values) {
        let place_index = *place_indexes.entry(name(place)).or_insert_with(|| {
            kept.push(place.clone());
            kept.len() - 1
        });
        let series_index = *series_indexes.entry(name(series_name)).or_insert_with(|| {
            series.push((name(series_name).unwrap_or_else(|| "(none)".to_owned()), HashMap::new()));
            series.len() - 1
        });
        if series[series_index].1.insert(place_index, value).is_some() {
            let place = name(place).unwrap_or_else(|| "(none)".to_owned());
            return Err(format!("two rows are about {place} and {}; group them in the query", series[series_index].0));
        }
    }
    let points = kept.len().saturating_mul(series.len());
    if points > POINTS_MAX {
        return Err(format!(
            "{points} values are too many for a picture (at most {POINTS_MAX}); group them in the query"
        ));
    }
    let filled = series.into_iter().map(|(name, mut values)| Series {
        name,
        values: (0..kept.len()).map(|place| values.remove(&place).flatten()).collect(),
    });
    let filled = filled.collect();
    Ok((kept, filled))
}

/// Days without their midnights, where there is nothing but midnights.
fn without_midnights(names: Vec<Option<String>>) -> Vec<Option<String>> {
    let is_midnight = |name: &String| name.ends_with("T00:00:00Z") || name.ends_with("T00:00:00");
    if !names.iter().flatten().all(is_midnight) {
        return names;
    }
    let day = |name: String| name.split('T').next().unwrap_or_default().to_owned();
    names.into_iter().map(|name| name.map(day)).collect()
}

/// Times of the day are names: no axis of ours begins at midnight and ends there.
fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// The places: dates and numbers as what they are; months written as text are dates where they ascend.
fn axis(kind: stillhouse_chart::Kind, field: Option<&Field>, places: &[Cell]) -> X {
    use stillhouse_chart::Kind as Marks;
    let names = || X::Category { values: without_midnights(places.iter().map(name).collect()) };
    let is_time = field.is_some_and(|field| is_moment(field.data_type()));
    let moment = |cell: &Cell| match cell {
        Cell::Moment(text) => text.parse::<Moment>().ok(),
        // Four digits alone may be anything.
        Cell::Text(text) if text.contains('-') => text.parse::<Moment>().ok(),
        _ => None,
    };
    let moments: Vec<Option<Moment>> = places.iter().map(moment).collect();
    let ascend = moments.iter().all(Option::is_some) && moments.windows(2).all(|pair| pair[0] < pair[1]);
    match kind {
        Marks::Pie => names(),
        // Figures say days as days.
        Marks::Figure if is_time => X::Date { values: moments },
        Marks::Figure => names(),
        // Bars in another order than that of time are a ranking.
        Marks::Bar | Marks::Stacked if is_time && !ascend => names(),
        _ if is_time => X::Date { values: moments },
        _ if field.is_some_and(|field| field.data_type().is_numeric()) => {
            let number = |cell: &Cell| match cell {
                Cell::Number(text) | Cell::Decimal(text) => text.parse().ok(),
                _ => None,
            };
            X::Number { values: places.iter().map(number).collect() }
        }
        _ if ascend && !places.is_empty() => X::Date { values: moments },
        _ => names(),
    }
}

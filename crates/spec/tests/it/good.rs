//! What right files mean.

use std::collections::BTreeMap;

use jiff::civil::date;
use stillhouse_spec::{
    Cadence, ChartFormat, ChartKind, ChartRest, ChartThousands, ColumnFormat, ColumnFrom, ColumnName, ColumnsBy,
    CsvOptions, Currency, CurrentView, DataType, DeleteMarker, DeleteValues, Durability, EscapeStyle, Grain,
    HeaderStyle, INGESTED_AT, InputFormat, Limits, ListSyntax, MAX_RECORD_BYTES_DEFAULT, MaxRejected, MissingColumns,
    NumberFormat, OnChange, OnMissing, OnSameContent, Parameter, Period, PeriodChoice, PeriodKind, Project, QuoteStyle,
    SETTLE_MS_DEFAULT, Source, UnknownColumns,
};

use super::{SETTINGS, parse};

fn project(files: &[(&str, &str)]) -> Project {
    parse(files).unwrap_or_else(|problems| panic!("{problems}"))
}

fn source(text: &str) -> Source {
    project(&[("stillhouse.toml", SETTINGS), ("sources/s.toml", text)]).sources.remove(0)
}

const SMALL: &str =
    "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 't'\ncolumns = { a = 'string' }\n";

#[test]
fn settings_default() {
    let project = project(&[("stillhouse.toml", SETTINGS)]);
    assert_eq!((project.name.as_str(), project.time_zone.as_str()), ("shop", "UTC"));
    assert_eq!((project.lake.path.expose(), project.lake.durability), ("lake", Durability::Fsync));
    assert_eq!(project.ledger.path.expose(), ".stillhouse/ledger.db");
    let limits = Limits {
        query_memory_bytes: 128 << 20,
        query_seconds: 600,
        result_rows: 1_000_000,
        spill_bytes: 20 << 30,
        workers: None,
    };
    assert_eq!(project.limits, limits);
    assert!(project.sources.is_empty() && project.reports.is_empty());
}

#[test]
fn settings_set() {
    let text = "\u{feff}format = 1\r\n[project]\r\nname = \"shop\"\r\ntime_zone = \"Europe/Berlin\"\r\n\
        [lake]\npath = '/srv/${DIR}/$${x}'\ndurability = 'os'\n[ledger]\npath = 'l.db'\n\
        [limits]\nquery_memory = 1048576\nquery_seconds = 5\nresult_rows = 7\nspill = '1.5 GB'\nworkers = 2\n";
    let project = project(&[("stillhouse.toml", text)]);
    assert_eq!(project.zone().iana_name(), Some("Europe/Berlin"));
    assert_eq!((project.lake.path.expose(), project.lake.durability), ("/srv/data/${x}", Durability::Os));
    assert_eq!(project.lake.path.to_string(), "/srv/${DIR}/$${x}");
    assert_eq!(project.ledger.path.expose(), "l.db");
    let limits = Limits {
        query_memory_bytes: 1 << 20,
        query_seconds: 5,
        result_rows: 7,
        spill_bytes: 3 << 29,
        workers: Some(2),
    };
    assert_eq!(project.limits, limits);
}

#[test]
fn source_default() {
    let source = source(SMALL);
    assert_eq!((source.name.as_str(), source.path.as_str()), ("s", "x.csv"));
    assert_eq!(source.format, InputFormat::Csv(CsvOptions::default()));
    assert_eq!((source.cadence, source.settle_ms), (None, SETTLE_MS_DEFAULT));
    assert_eq!(source.max_record_bytes, MAX_RECORD_BYTES_DEFAULT);
    assert_eq!(source.on_change, OnChange::Replace);
    assert_eq!((source.on_same_content, source.on_missing), (OnSameContent::Skip, OnMissing::Keep));
    let contract = &source.contract;
    assert_eq!((contract.unknown_columns, contract.missing_columns), (UnknownColumns::Hold, MissingColumns::Hold));
    assert_eq!((contract.columns_by, contract.max_rejected), (ColumnsBy::Name, MaxRejected::Share(100)));
    assert!(contract.children.is_empty() && contract.parent.time.is_none());
    let column = &contract.parent.columns[0];
    assert_eq!((column.name.as_str(), &column.data_type), ("a", &DataType::String));
    assert_eq!(column.from, ColumnFrom::Field { aliases: Vec::new() });
    assert_eq!((column.numbers, &column.list), (NumberFormat::default(), &ListSyntax::Auto));
    assert!(!column.required && !column.pii && column.formats.is_empty() && column.zone.is_none());
}

#[test]
fn source_set() {
    let source = source(
        r##"
format = 1
[source]
path = "${DIR}/{yyyy}/{MM}/*.csv"
type = "csv"
every = "year"
spill = "2 days"
settle = "1 min"
max_record_bytes = "1 MB"
on_change = "append"
on_same_content = "load"
on_missing = "remove"
[csv]
delimiter = "tab"
quote = "none"
escape = "backslash"
header = false
skip_lines = 3
comment = "#"
year = 2024
[table]
name = "orders"
time = "placed"
unknown_columns = "ignore"
missing_columns = "null"
columns_by = "position"
max_rejected = 12
[table.columns]
placed = { type = "timestamp", zone = "Europe/Berlin", format = "%d.%m.%Y %H:%M", required = true }
amount = { type = "decimal(12,2)", decimal = ",", grouping = ".", currency = "skip", from = ["Betrag", "sum"] }
month = { type = "int64", from = "{MM}" }
year_from = { type = "string", from = "year of placed" }
mail = { type = "string", from = "E-Mail", null_values = ["", "n/a"], pii = true }
tags = { type = "list<string>", list = { delimiter = "|" } }
days = "list<date>"
[[child]]
name = "order_tags"
from = "orders.tags[]"
item = "tag"
copy = { placed_at = "placed", amount = "amount" }
"##,
    );
    assert_eq!(source.path.as_str(), "data/{yyyy}/{MM}/*.csv");
    assert_eq!(source.cadence, Some(Cadence { every: Grain::Year, spill_days: 2 }));
    assert_eq!((source.settle_ms, source.max_record_bytes), (60_000, 1 << 20));
    assert_eq!(source.on_change, OnChange::Append);
    assert_eq!((source.on_same_content, source.on_missing), (OnSameContent::Load, OnMissing::Remove));
    let csv = CsvOptions {
        delimiter: Some(b'\t'),
        quote: Some(QuoteStyle::None),
        escape: Some(EscapeStyle::Backslash),
        header: Some(HeaderStyle::Absent),
        skip_lines: 3,
        comment: Some(b'#'),
        year: Some(2024),
    };
    assert_eq!(source.format, InputFormat::Csv(csv));
    let contract = &source.contract;
    assert_eq!((contract.unknown_columns, contract.missing_columns), (UnknownColumns::Ignore, MissingColumns::Null));
    assert_eq!((contract.columns_by, contract.max_rejected), (ColumnsBy::Position, MaxRejected::Count(12)));
    let table = &contract.parent;
    assert_eq!(table.time.as_ref().unwrap().as_str(), "placed");
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["placed", "amount", "month", "year_from", "mail", "tags", "days"]);
    let column = |name| table.column(name).unwrap();
    assert_eq!(column("placed").zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(column("placed").formats[0].as_str(), "%d.%m.%Y %H:%M");
    assert!(column("placed").required);
    let numbers = NumberFormat { decimal: ',', grouping: Some('.'), currency: Currency::Skip };
    assert_eq!(column("amount").numbers, numbers);
    assert_eq!(column("amount").from, ColumnFrom::Field { aliases: vec!["Betrag".to_owned(), "sum".to_owned()] });
    assert_eq!(column("month").from, ColumnFrom::Path("MM".to_owned()));
    assert_eq!(column("year_from").from, ColumnFrom::YearOrigin("placed".parse().unwrap()));
    assert_eq!(column("mail").null_values, ["", "n/a"]);
    assert!(column("mail").pii);
    assert_eq!(column("tags").list, ListSyntax::Delimiter("|".to_owned()));
    assert_eq!(column("days").formats[0].as_str(), "iso8601");
    let child = &contract.children[0];
    assert_eq!((child.name.as_str(), child.list.as_str(), child.item.as_str()), ("order_tags", "tags", "tag"));
    let copied: Vec<_> = child.copied.iter().map(|(here, there)| (here.as_str(), there.as_str())).collect();
    assert_eq!(copied, [("placed_at", "placed"), ("amount", "amount")]);
}

/// The view of a table with these lines in `[table]`.
fn view(lines: &str) -> CurrentView {
    let text = format!(
        "format = 1\n[source]\npath = 'x.csv'\ntype = 'csv'\n[table]\nname = 'shops'\n{lines}\n[table.columns]\n\
         id = {{ type = 'string', required = true }}\nregion = {{ type = 'int64', required = true }}\nat = 'timestamp'\n\
         seq = 'int64'\nop = 'string'\ngone = 'bool'\n"
    );
    source(&text).contract.parent.current.unwrap()
}

#[test]
fn views() {
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<ColumnName>>();
    let plain = view("key = 'id'\nkeep = 'latest by at'");
    let (key, latest_by) = (names(&["id"]), names(&["at"]));
    assert_eq!(plain, CurrentView { name: "shops_current".parse().unwrap(), key, latest_by, deleted: None });
    assert_eq!(plain.to_string(), "of each id the latest by at");
    let full = view(
        "key = ['region', 'id']\nkeep = ' latest by at ,seq, _ingested_at'\ncurrent = 'shops_now'\n\
         deleted = { column = 'op', values = ['D', 'say \"x\"'] }",
    );
    assert_eq!((full.name.as_str(), full.key.clone()), ("shops_now", names(&["region", "id"])));
    assert_eq!(full.latest_by, names(&["at", "seq", INGESTED_AT]));
    let values = DeleteValues::Texts(vec!["D".to_owned(), "say \"x\"".to_owned()]);
    assert_eq!(full.deleted, Some(DeleteMarker { column: "op".parse().unwrap(), values }));
    assert_eq!(
        full.to_string(),
        r#"of each region, id the latest by at, seq, _ingested_at, unless op is "D" or "say \"x\"""#
    );
    let marked = |marker: &str| {
        view(&format!("key = 'id'\nkeep = 'latest by at'\ndeleted = {marker}")).deleted.unwrap().to_string()
    };
    assert_eq!(marked("{ column = 'op', values = 'D' }"), "op is \"D\"");
    assert_eq!(marked("{ column = 'seq', values = [3, -4] }"), "seq is 3 or -4");
    assert_eq!(marked("{ column = 'seq', values = 3 }"), "seq is 3");
    assert_eq!(marked("{ column = 'gone' }"), "gone is true");
    assert_eq!(marked("{ column = 'at' }"), "at has a value");
    assert!(source(SMALL).contract.parent.current.is_none());
}

#[test]
fn report() {
    let text = r#"
format = 1
title = "Sales"
period = { type = "month", default = "2021-04..2021-06" }
[parameters]
top = 10
country = "Kenya"
[queries.zebra]
[queries.apple_pie]
title = "Pie"
file = "zebra.sql"
columns.total = { decimals = 2 }
chart = { kind = "pie" }
[queries.zebra.chart]
kind = "stacked"
x = "day"
y = ["total", "other"]
format = { unit = "EUR", percent = true, decimals = 1, thousands = "blank" }
limit = 5
rest = "other"
"#;
    let files = [("stillhouse.toml", SETTINGS), ("reports/r/report.toml", text), ("reports/r/zebra.sql", "SELECT 1")];
    let report = project(&files).reports.remove(0);
    assert_eq!((report.name.as_str(), report.title.as_str(), report.description.as_str()), ("r", "Sales", ""));
    assert_eq!(report.period.kind, PeriodKind::Each(Grain::Month));
    let range = Period::Range(date(2021, 4, 1), date(2021, 7, 1));
    assert_eq!(report.period.default, PeriodChoice::Fixed(range));
    let parameters =
        [("top".to_owned(), Parameter::Int(10)), ("country".to_owned(), Parameter::Text("Kenya".to_owned()))];
    assert_eq!(report.parameters, BTreeMap::from(parameters));
    let queries: Vec<_> = report.queries.iter().map(|query| (query.name.as_str(), query.title.as_str())).collect();
    assert_eq!(queries, [("zebra", "Zebra"), ("apple_pie", "Pie")]);
    assert_eq!((report.queries[1].file.as_str(), report.queries[1].sql.as_str()), ("reports/r/zebra.sql", "SELECT 1"));
    assert_eq!(report.queries[1].columns["total"], ColumnFormat { decimals: Some(2) });
    let pie = report.queries[1].chart.as_ref().unwrap();
    assert_eq!((pie.kind, &pie.x, pie.y.len(), pie.rest), (ChartKind::Pie, &None, 0, None));
    let stacked = report.queries[0].chart.as_ref().unwrap();
    assert_eq!((stacked.kind, stacked.x.as_deref(), stacked.limit), (ChartKind::Stacked, Some("day"), Some(5)));
    assert_eq!((stacked.y.join(" "), stacked.rest), ("total other".to_owned(), Some(ChartRest::Other)));
    let (unit, thousands) = ("EUR".to_owned(), ChartThousands::Blank);
    assert_eq!(stacked.format, ChartFormat { unit, percent: true, decimals: Some(1), thousands });
}

#[test]
fn default_periods() {
    let default = |kind: &str| {
        let text = format!("format = 1\ntitle = 'x'\nperiod = {{ type = '{kind}' }}\n[queries.q]\n");
        let files = [("stillhouse.toml", SETTINGS), ("reports/r/report.toml", &text), ("reports/r/q.sql", "SELECT 1")];
        project(&files).reports[0].period.default.to_string()
    };
    assert_eq!(default("any"), "last-month");
    assert_eq!(default("day"), "last-day");
    assert_eq!(default("month"), "last-month");
    assert_eq!(default("year"), "last-year");
    assert_eq!(default("all"), "all");
}

#[test]
fn fingerprints() {
    let source = |text: &str| source(text).fingerprint;
    assert_eq!(source(SMALL), source(SMALL));
    assert_ne!(source(SMALL), source(&format!("{SMALL}# a remark\n")));
    let report = |sql: &str, other: &str| {
        let text = "format = 1\ntitle = 'x'\nperiod = { type = 'all' }\n[queries.q]\n[queries.r]\n";
        let (q, r) = (("reports/r/q.sql", sql), ("reports/r/r.sql", other));
        project(&[("stillhouse.toml", SETTINGS), ("reports/r/report.toml", text), q, r]).reports.remove(0).fingerprint
    };
    assert_eq!(report("SELECT 1", "SELECT 2").len(), 64);
    assert_ne!(report("SELECT 1", "SELECT 2"), report("SELECT 1", "SELECT 3"));
    assert_ne!(report("ab", "c"), report("a", "bc"));
}

#[test]
fn other_files_are_left_alone() {
    let files = [
        ("stillhouse.toml", SETTINGS),
        ("sources/old/a.toml", "nonsense"),
        ("sources/a.toml.bak", "nonsense"),
        ("reports/README.md", "nonsense"),
        ("data/x.csv", "nonsense"),
    ];
    assert_eq!(project(&files), project(&files[..1]));
}

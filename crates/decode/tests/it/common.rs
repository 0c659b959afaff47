//! What the tests share: contracts and results as short texts, and a sink that keeps everything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use stillhouse_decode::{
    ByteSource, Error, Outcome, Reject, Request, RowSink, Sink, SinkError, SourceError, YearHint, decode, written_out,
};
use stillhouse_spec::{
    Checks, ChildTable, Column, ColumnFrom, ColumnsBy, Contract, CsvOptions, Currency, DataType, InputFormat,
    ListSyntax, MaxRejected, MissingColumns, NumberFormat, Source, Table, UnknownColumns,
};

/// How a null is shown.
pub const NULL: &str = "∅";

/// One object to decode.
#[derive(Debug, Clone)]
pub struct Case {
    pub contract: Contract,
    pub format: InputFormat,
    pub max_record_bytes: u64,
    pub path_values: BTreeMap<String, String>,
    pub year: YearHint,
    pub batch_rows: usize,
    pub batch_bytes: usize,
}

/// What came out.
#[derive(Debug)]
pub struct Got {
    pub outcome: Outcome,
    /// For each table its rows, each value as text; `_record` and `_item` come last.
    pub tables: Vec<Vec<Vec<String>>>,
    pub rejects: Vec<Reject>,
    pub restarts: usize,
    pub batches: usize,
}

impl Case {
    /// A contract such as `id string; day date fmt=%m/%d|%Y-%m-%d; amount decimal(12,2) required`. Options: `fmt=`,
    /// `required`, `pii`, `alias=a|b`, `null=NA|-`, `path=yyyy`, `yearof=day`, `decimal=,`, `grouping=.`, `currency`,
    /// `list=python|json|x` (another word is the delimiter), `zone=Europe/Berlin`. `_` stands for a blank in formats.
    pub fn new(columns: &str) -> Self {
        let columns: Vec<Column> = columns.split(';').map(|text| column(text.trim())).collect();
        let time = columns.iter().find(|c| matches!(c.data_type, DataType::Date | DataType::Timestamp));
        let time = time.map(|column| column.name.clone());
        Self {
            contract: Contract {
                parent: Table { name: "parent".parse().unwrap(), time, columns, current: None },
                children: Vec::new(),
                nested: Vec::new(),
                filter: None,
                unknown_columns: UnknownColumns::Hold,
                missing_columns: MissingColumns::Hold,
                columns_by: ColumnsBy::Name,
                max_rejected: MaxRejected::Share(10_000),
            },
            format: InputFormat::Csv(CsvOptions::default()),
            max_record_bytes: 64 << 20,
            path_values: BTreeMap::new(),
            year: YearHint { path: None, setting: None, modified: 2026 },
            batch_rows: 1000,
            batch_bytes: 1 << 20,
        }
    }

    /// What a source file says behind its `[source]` section, for records of that type.
    pub fn of_source(kind: &str, settings: &str) -> Self {
        let text = format!("format = 1\n[source]\npath = 'data/*'\ntype = '{kind}'\n{settings}");
        let source = Source::parse("case", &text, &|_| None).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        Self { format: source.format, contract: source.contract, ..Self::new("any string") }
    }

    /// How many tables there are beside the parent.
    pub fn others(&self) -> usize {
        self.contract.table_names().count() - 1
    }

    /// The dialect that is set.
    pub fn csv(&mut self) -> &mut CsvOptions {
        match &mut self.format {
            InputFormat::Csv(csv) => csv,
            other => panic!("the case is of {other:?}"),
        }
    }

    /// The dialect that is set, to be looked at.
    pub fn dialect(&self) -> &CsvOptions {
        match &self.format {
            InputFormat::Csv(csv) => csv,
            other => panic!("the case is of {other:?}"),
        }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Adds a child table `child(list, item, copied …)`.
    pub fn child(mut self, name: &str, list: &str, item: &str, copied: &[&str]) -> Self {
        let copied = copied.iter().map(|name| (name.parse().unwrap(), name.parse().unwrap())).collect();
        self.contract.children.push(ChildTable {
            name: name.parse().unwrap(),
            list: list.parse().unwrap(),
            item: item.parse().unwrap(),
            copied,
        });
        self
    }

    pub fn run(&self, bytes: impl AsRef<[u8]>) -> Result<Got, Error> {
        self.run_source(&mut bytes.as_ref())
    }

    pub fn run_source(&self, source: &mut dyn ByteSource) -> Result<Got, Error> {
        let mut sink = Collect::default();
        let outcome = self.run_into(source, &mut sink)?;
        let got = sink.got(outcome, self.others());
        assert!(got.outcome.counts.balanced(), "{:?}", got.outcome.counts);
        assert_eq!(got.outcome.counts.loaded, got.tables[0].len() as u64, "every loaded record is a row");
        assert_eq!(got.outcome.counts.quarantined, got.rejects.len() as u64, "every refused record is handed over");
        assert_eq!(got.outcome.reasons.values().sum::<u64>(), got.outcome.counts.quarantined);
        if self.contract.parent.time.is_some() {
            assert_eq!(got.outcome.days.values().sum::<u64>(), got.outcome.counts.loaded, "every row has its day");
        }
        Ok(got)
    }

    pub fn run_into(&self, source: &mut dyn ByteSource, sink: &mut dyn Sink) -> Result<Outcome, Error> {
        decode(source, &self.request(), sink)
    }

    pub fn request(&self) -> Request<'_> {
        Request {
            format: &self.format,
            contract: &self.contract,
            max_record_bytes: self.max_record_bytes,
            path_values: &self.path_values,
            year: self.year,
            batch_rows: self.batch_rows,
            batch_bytes: self.batch_bytes,
            rules: None,
        }
    }

    /// The rows of the parent without `_record`, fields joined by `,`, rows by line ends.
    pub fn rows(&self, bytes: impl AsRef<[u8]>) -> String {
        self.run(bytes).expect("the object decodes").rows()
    }

    /// The message and hint of the error with which the object is held.
    pub fn held(&self, bytes: impl AsRef<[u8]>) -> String {
        match self.run(bytes) {
            Err(error) if error.is_held() => format!("{error}\nhint: {}", error.hint().unwrap_or("none")),
            Err(error) => panic!("expected the object to be held, found {error:?}"),
            Ok(got) => panic!("expected the object to be held, found {got:?}"),
        }
    }
}

impl Got {
    pub fn rows(&self) -> String {
        let rows = self.tables[0].iter().map(|row| row[..row.len() - 1].join(","));
        rows.collect::<Vec<_>>().join("\n")
    }

    /// The rejects as `line 3 (bytes 12+4) column amount: reason, expected …, found …`.
    pub fn refused(&self) -> String {
        let lines = self.rejects.iter().map(|Reject { place, .. }| {
            let column = place.column.as_ref().map(|name| format!(" column {name}")).unwrap_or_default();
            format!(
                "line {} (bytes {}+{}){column}: {}, expected {}, found {}",
                place.line, place.offset, place.bytes, place.reason, place.expected, place.found
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What was decided about `name`, as `; (detected)`.
    pub fn decided(&self, name: &str) -> String {
        let choice = self.outcome.decided.get(name);
        choice.map_or_else(|| "nothing".to_owned(), |choice| format!("{} ({})", choice.value, choice.origin))
    }

    /// A table, rows joined by line ends, all columns.
    pub fn table(&self, table: usize) -> String {
        self.tables[table].iter().map(|row| row.join(",")).collect::<Vec<_>>().join("\n")
    }
}

fn column(text: &str) -> Column {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap();
    let data_type: DataType = words.next().unwrap().parse().unwrap();
    let mut column = Column {
        name: name.parse().unwrap(),
        formats: match &data_type {
            DataType::Date | DataType::Timestamp | DataType::Time => vec!["iso8601".parse().unwrap()],
            DataType::List(item) if matches!(**item, DataType::Date | DataType::Timestamp) => {
                vec!["iso8601".parse().unwrap()]
            }
            _ => Vec::new(),
        },
        data_type,
        from: ColumnFrom::Field { aliases: Vec::new() },
        required: false,
        zone: None,
        numbers: NumberFormat::default(),
        list: ListSyntax::Auto,
        null_values: Vec::new(),
        pii: false,
        checks: Checks::default(),
        default: None,
        added: false,
    };
    for word in words {
        option(&mut column, word);
    }
    column
}

fn option(column: &mut Column, word: &str) {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    let list = || value.split('|').map(str::to_owned).collect::<Vec<_>>();
    match name {
        "fmt" => {
            let text = |text: &String| if text.starts_with('%') { text.replace('_', " ") } else { text.clone() };
            column.formats = list().iter().map(|format| text(format).parse().unwrap()).collect();
        }
        "required" => column.required = true,
        "pii" => column.pii = true,
        "alias" => column.from = ColumnFrom::Field { aliases: list() },
        "null" => column.null_values = list(),
        "path" => column.from = ColumnFrom::Path(value.to_owned()),
        "yearof" => column.from = ColumnFrom::YearOrigin(value.parse().unwrap()),
        "decimal" => column.numbers.decimal = value.chars().next().unwrap(),
        "grouping" => column.numbers.grouping = value.replace('_', " ").chars().next(),
        "currency" => column.numbers.currency = Currency::Skip,
        "list" => {
            column.list = match value {
                "python" => ListSyntax::Python,
                "json" => ListSyntax::Json,
                delimiter => ListSyntax::Delimiter(delimiter.to_owned()),
            }
        }
        "zone" => column.zone = Some(value.to_owned()),
        other => panic!("no such option: {other}"),
    }
}

/// Keeps everything, and forgets it when told to.
#[derive(Default)]
pub struct Collect {
    pub batches: Vec<(usize, RecordBatch)>,
    pub rejects: Vec<Reject>,
    pub restarts: usize,
}

impl RowSink for Collect {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        assert!(batch.num_rows() > 0, "no empty batches");
        self.batches.push((table, written_out(&batch)));
        Ok(())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        self.rejects.push(reject);
        Ok(())
    }
}

impl Sink for Collect {
    fn restart(&mut self) -> Result<(), SinkError> {
        let restarts = self.restarts + 1;
        *self = Self { restarts, ..Self::default() };
        Ok(())
    }
}

impl Collect {
    /// What was kept, of a parent and so many child tables.
    pub fn got(self, outcome: Outcome, children: usize) -> Got {
        let tables = (0..=children).map(|table| self.rows(table)).collect();
        Got { outcome, tables, batches: self.batches.len(), rejects: self.rejects, restarts: self.restarts }
    }

    fn rows(&self, table: usize) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for (_, batch) in self.batches.iter().filter(|(of, _)| *of == table) {
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|column| cell(column.as_ref(), row)).collect());
            }
        }
        rows
    }
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return NULL.to_owned();
    }
    if let Some(list) = column.as_list_opt::<i32>() {
        let items = list.value(row);
        let items: Vec<String> = (0..items.len()).map(|item| cell(items.as_ref(), item)).collect();
        return format!("[{}]", items.join("|"));
    }
    if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        return jiff::Timestamp::from_microsecond(times.value(row)).unwrap().to_string();
    }
    let options = FormatOptions::default();
    ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string()
}

/// Hands out at most `piece` bytes at a time and counts them.
pub struct Pieces<'a> {
    pub bytes: &'a [u8],
    pub piece: usize,
    pub read: u64,
}

impl ByteSource for Pieces<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        let most = buf.len().min(self.piece);
        let count = self.bytes.read_at(offset, &mut buf[..most])?;
        self.read += count as u64;
        Ok(count)
    }
}

/// A file of the sample data, which lies beside the workspace and not in it.
pub fn shared(path: &str) -> Vec<u8> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("STILLHOUSE_SHARED_DATA").map_or(beside, PathBuf::from);
    let file = root.join(path);
    std::fs::read(&file).unwrap_or_else(|error| {
        panic!("{}: {error}; set STILLHOUSE_SHARED_DATA to the folder of the sample data", file.display())
    })
}

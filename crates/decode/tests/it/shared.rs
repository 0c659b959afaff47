//! Several threads, and many records at once: the same as one by one.

use std::sync::Mutex;

use arrow::record_batch::RecordBatch;
use proptest::prelude::*;
use stillhouse_decode::{
    ByteSource, Error, Outcome, PartFiles, Reject, RowSink, SharedSink, SharedSource, SinkError, SinkPart, Threads,
    decode_parts_shared, decode_shared,
};
use stillhouse_spec::{EscapeStyle, HeaderStyle, QuoteStyle};

use crate::common::{Case, Collect, Got, Pieces};

/// Readers that hand out at most `piece` bytes at a time.
pub struct SharedPieces<'b> {
    pub bytes: &'b [u8],
    pub piece: usize,
}

impl SharedSource for SharedPieces<'_> {
    fn reader(&self) -> Box<dyn ByteSource + Send + '_> {
        Box::new(Pieces { bytes: self.bytes, piece: self.piece, read: 0 })
    }
}

/// Keeps the parts in the order in which they come.
#[derive(Default)]
struct Kept(Mutex<Collect>);

#[derive(Default)]
struct Part(Collect, bool);

impl RowSink for Part {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        self.0.batch(table, batch)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        self.0.reject(reject)
    }
}

impl SinkPart for Part {
    fn is_full(&self) -> bool {
        self.0.batches.len() > 2
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        assert!(!std::mem::replace(&mut self.1, true), "a part is finished once");
        Ok(())
    }
}

impl SharedSink for Kept {
    type Part = Part;

    fn part(&self) -> Part {
        Part::default()
    }

    fn append(&self, part: Part) -> Result<(), SinkError> {
        assert!(part.1, "a part is finished before it is handed over");
        let mut kept = self.0.lock().unwrap();
        kept.batches.extend(part.0.batches);
        kept.rejects.extend(part.0.rejects);
        Ok(())
    }

    fn restart(&self) -> Result<(), SinkError> {
        use stillhouse_decode::Sink;
        self.0.lock().unwrap().restart()
    }
}

pub fn run(case: &Case, source: &dyn SharedSource, threads: Threads) -> Result<Got, Error> {
    let kept = Kept::default();
    let outcome: Outcome = decode_shared(source, &case.request(), &kept, threads)?;
    Ok(kept.0.into_inner().unwrap().got(outcome, case.others()))
}

pub fn run_parts(case: &Case, files: &dyn PartFiles, threads: Threads) -> Result<Got, Error> {
    let kept = Kept::default();
    let outcome: Outcome = decode_parts_shared(files, &case.request(), &kept, threads)?;
    Ok(kept.0.into_inner().unwrap().got(outcome, case.others()))
}

/// What a caller is promised, whoever does it: not where batches begin, nor how often it was tried.
pub type Promised = Result<(Outcome, Vec<Vec<Vec<String>>>, Vec<Reject>), String>;

pub fn promised(got: Result<Got, Error>) -> Promised {
    match got {
        Ok(got) => Ok((got.outcome, got.tables, got.rejects)),
        Err(error) => Err(format!("{error} / {:?}", error.hint())),
    }
}

fn check(case: &Case, bytes: &[u8], region_bytes: u64) -> Result<(), TestCaseError> {
    // A comment that never comes: then no record is looked at together with others.
    let one_by_one = case.clone().with(|case| case.csv().comment = Some(1));
    prop_assume!(
        !bytes.contains(&1) && case.dialect().delimiter != Some(1) && case.dialect().quote != Some(QuoteStyle::Byte(1))
    );
    let expected = promised(one_by_one.run(bytes));
    prop_assert_eq!(&promised(case.run(bytes)), &expected);
    for count in [1, 3] {
        prop_assert_eq!(&promised(run(case, &bytes, Threads { count, region_bytes })), &expected, "{} threads", count);
    }
    Ok(())
}

/// Lines that are mostly fine.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        12 => prop::sample::select(vec!["1,a\n", "22,\"b, c\"\n", "3,\"say \"\"it\"\"\"\n", "4,é\r\n", "5,\"x\ny\"\n", "6,\n"]),
        2 => prop::sample::select(vec!["\n", "  \r\n", "7,a,b\n", "x,a\n", ",a\n", "8\n", "9,\"two\r\nlines\"\r\n", "1.5,b\n"]),
        1 => prop::sample::select(vec!["1,a\"b\n", "2,\"c\"d\n", "3,e\r", "\"4,open\n", "5,\"\n\",f\n", "6,\"\r\"\n", "7,\u{0}\n"]),
    ];
    (prop::collection::vec(line, 0..60), any::<bool>(), any::<bool>()).prop_map(|(lines, header, cut)| {
        let mut text = lines.concat();
        if cut && text.ends_with('\n') {
            text.pop();
        }
        if header { format!("a,b\n{text}").into_bytes() } else { text.into_bytes() }
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => prop::sample::select(b"\"\"\",,\n\n\r\\ab12/".to_vec()),
        1 => prop::sample::select(b"';\t| []{}:\0".to_vec()),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..300)
}

const CONTRACTS: [&str; 4] = [
    "a int64; b string",
    "a string; b string null=a",
    "a decimal(9,2) required; b list<string>",
    "a int64; b date fmt=%m/%d|%d/%m",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_read_alike(bytes in lines(), region in 1u64..80, contract in 0..CONTRACTS.len(), limit in 3u64..40, rows in 1usize..20) {
        let case = Case::new(CONTRACTS[contract]).with(|case| {
            (case.max_record_bytes, case.batch_rows) = (limit, rows);
        });
        check(&case, &bytes, region)?;
    }

    #[test]
    fn any_bytes_are_read_alike(bytes in any_bytes(), region in 1u64..80, contract in 0..CONTRACTS.len(), backslash in any::<bool>()) {
        let case = Case::new(CONTRACTS[contract]).with(|case| {
            case.csv().header = Some(HeaderStyle::Absent);
            case.csv().delimiter = Some(b',');
            case.csv().quote = Some(QuoteStyle::Byte(b'"'));
            case.csv().escape = Some(if backslash { EscapeStyle::Backslash } else { EscapeStyle::Doubled });
            case.contract.unknown_columns = stillhouse_spec::UnknownColumns::Ignore;
            case.contract.missing_columns = stillhouse_spec::MissingColumns::Null;
        });
        check(&case, &bytes, region)?;
    }

    /// Whatever the settings may say, with the smallest regions and pieces that there are.
    #[test]
    fn any_syntax_is_read_alike_byte_by_byte(
        template in any_bytes(),
        delimiter in (0..128u8).prop_filter("no line end", |byte| !matches!(byte, b'\n' | b'\r')),
        quote in prop::option::of((0..128u8).prop_filter("no line end", |byte| !matches!(byte, b'\n' | b'\r'))),
        contract in 0..CONTRACTS.len(),
        limit in 3u64..200,
    ) {
        let quote = quote.filter(|quote| *quote != delimiter);
        let written = |byte: &u8| match byte {
            b',' => delimiter,
            b'"' => quote.unwrap_or(b'"'),
            other => *other,
        };
        let bytes: Vec<u8> = template.iter().map(written).collect();
        let case = Case::new(CONTRACTS[contract]).with(|case| {
            case.csv().header = Some(HeaderStyle::Absent);
            case.csv().delimiter = Some(delimiter);
            case.csv().quote = Some(quote.map_or(QuoteStyle::None, QuoteStyle::Byte));
            case.contract.unknown_columns = stillhouse_spec::UnknownColumns::Ignore;
            case.contract.missing_columns = stillhouse_spec::MissingColumns::Null;
            case.max_record_bytes = limit;
        });
        check(&case, &bytes, 1)?;
        let shared = SharedPieces { bytes: &bytes, piece: 1 };
        let expected = promised(case.run(&bytes));
        prop_assert_eq!(&promised(case.run_source(&mut Pieces { bytes: &bytes, piece: 1, read: 0 })), &expected);
        prop_assert_eq!(&promised(run(&case, &shared, Threads { count: 2, region_bytes: 1 })), &expected);
    }

    #[test]
    fn formats_are_chosen_alike(
        days in prop::collection::vec((1u8..=31, 1u8..=12, any::<bool>()), 1..40),
        region in 5u64..60,
    ) {
        let lines = days.iter().map(|(day, month, swapped)| {
            let (first, second) = if *swapped { (month, day) } else { (day, month) };
            format!("{first}/{second},\"[\"\"x\"\", \"\"y\"\"]\"\n")
        });
        let text = format!("day,tags\n{}", lines.collect::<String>());
        let case = Case::new("day date fmt=%m/%d|%d/%m; tags list<string>")
            .child("tags", "tags", "tag", &["day"])
            .with(|case| case.contract.max_rejected = stillhouse_spec::MaxRejected::Count(u64::MAX));
        check(&case, text.as_bytes(), region)?;
    }
}

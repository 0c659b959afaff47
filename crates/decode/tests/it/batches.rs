//! Batches, errors of source and sink, and pieces of any size.

use stillhouse_decode::{ByteSource, Kind, Reject, RowSink, Sink, SinkError, SourceError};

use crate::common::{Case, Pieces};

fn two() -> Case {
    Case::new("a string; b int64")
}

#[test]
fn batches_are_bounded_by_rows_and_by_bytes() {
    let text = format!("a,b\n{}", "0123456789,1\n".repeat(1000));
    let by_rows = two().with(|case| case.batch_rows = 300).run(&text).unwrap();
    assert_eq!(by_rows.batches, 4);
    let by_bytes = two().with(|case| case.batch_bytes = 1000).run(&text).unwrap();
    assert!((12..=100).contains(&by_bytes.batches), "{}", by_bytes.batches);
    assert_eq!(by_rows.rows(), by_bytes.rows());
    assert_eq!(
        two().with(|case| (case.batch_rows, case.batch_bytes) = (0, 0)).run(&text).unwrap().rows(),
        by_rows.rows()
    );
}

#[test]
fn pieces_of_one_byte_give_the_same_as_the_whole() {
    let text = "\u{feff}\"a\",b\r\n\"x\r\n\"\"y\"\"\",1\r\n\r\nq,\"2\"z\r\n\"é\",3\r\"open,4\r\n5,5";
    let case = two().with(|case| case.max_record_bytes = 20);
    let whole = case.run(text).unwrap();
    assert_eq!(whole.rows(), "x\r\n\"y\",1\né,3\n5,5");
    for piece in [1, 2, 3, 7] {
        let parts = case.run_source(&mut Pieces { bytes: text.as_bytes(), piece, read: 0 }).unwrap();
        assert_eq!(
            (parts.tables, parts.rejects, parts.outcome),
            (whole.tables.clone(), whole.rejects.clone(), whole.outcome.clone())
        );
    }
}

struct Failing;

impl ByteSource for Failing {
    fn len(&self) -> u64 {
        10_000_000
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        if offset > 3_000_000 {
            return Err("the disk is gone".into());
        }
        buf.fill(b'\n');
        Ok(buf.len())
    }
}

#[test]
fn an_error_of_the_source_comes_through() {
    let error =
        two().with(|case| case.csv().header = Some(stillhouse_spec::HeaderStyle::Absent)).run_source(&mut Failing);
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.is_held()), (Kind::Source, false));
    assert!(error.to_string().ends_with("the disk is gone"), "{error}");
    assert_eq!(error.into_source().unwrap().to_string(), "the disk is gone");
}

struct Shrunk;

impl ByteSource for Shrunk {
    fn len(&self) -> u64 {
        100
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        (&b"a,b\n1,2\n"[..]).read_at(offset, buf)
    }
}

#[test]
fn a_source_that_ends_early_is_an_error_and_not_a_short_table() {
    let error = two().run_source(&mut Shrunk).unwrap_err();
    assert_eq!(error.kind(), Kind::Source);
    assert_eq!(
        error.to_string(),
        "reading at byte 8: ended although its length is 100 bytes; it was changed while it was read"
    );
}

struct Full;

impl RowSink for Full {
    fn batch(&mut self, _: usize, _: arrow::record_batch::RecordBatch) -> Result<(), SinkError> {
        Err("no space left".into())
    }

    fn reject(&mut self, _: Reject) -> Result<(), SinkError> {
        Ok(())
    }
}

impl Sink for Full {
    fn restart(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn an_error_of_the_sink_comes_through() {
    let error = two().run_into(&mut b"a,b\n1,2\n".as_slice(), &mut Full).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Sink, "no space left"));
}

//! What the tests share: files in memory, and what a proposal makes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use stillhouse_decode::{
    ByteSource, Outcome, Reject, Request, RowSink, Sink, SinkError, SourceError, YearHint, decode,
};
use stillhouse_sniff::{Error, Input, Opened, Options, Proposal, Unopened, Wrapping, propose};
use stillhouse_spec::{Source, TextEncoding};
use stillhouse_unpack::{Confidence, Encoding, Limits, Packing, Transcoder, detect, recognise, unpack};

/// The year in which every file was last changed.
pub const MODIFIED: i16 = 2023;

struct Bytes(Arc<[u8]>);

impl ByteSource for Bytes {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, SourceError> {
        (&*self.0).read_at(offset, buf)
    }
}

pub fn input(path: &str, bytes: impl AsRef<[u8]>) -> Input<'static> {
    let (path, member) = path.split_once('!').unwrap_or((path, ""));
    let shown = if member.is_empty() { path.to_owned() } else { format!("{path}!{member}") };
    let bytes: Arc<[u8]> = bytes.as_ref().into();
    Input {
        path: path.to_owned(),
        member: member.to_owned(),
        shown,
        outside: false,
        modified_year: MODIFIED,
        open: Box::new(move |encoding| open(&bytes, encoding)),
    }
}

/// Opens bytes as loading does: out of their packing, and in UTF-8.
fn open(stored: &Arc<[u8]>, encoding: TextEncoding) -> Result<Opened<'static>, Unopened> {
    let unopened = |error: stillhouse_unpack::Error| Unopened {
        message: error.to_string(),
        hint: error.hint().map(str::to_owned),
    };
    let mut wrapping = Wrapping { stored_bytes: stored.len() as u64, ..Wrapping::default() };
    let mut bytes = stored.to_vec();
    let packing = recognise(&bytes).map_err(|refused| unopened(refused.into()))?;
    if packing != Packing::None {
        bytes.clear();
        let unpacked = unpack(packing, &**stored, &Limits::default(), &mut bytes).map_err(unopened)?;
        assert!(unpacked.is_whole(), "{unpacked:?}");
        wrapping.packing = Some(packing.to_string());
    }
    if !bytes.starts_with(b"PAR1") {
        let head = &bytes[..bytes.len().min(64 << 10)];
        let found = detect(head, head.len() == bytes.len());
        wrapping.encoding = (encoding == TextEncoding::Auto).then_some(found);
        let encoding = match encoding {
            TextEncoding::Auto if found.confidence == Confidence::Guess => Encoding::Utf8,
            TextEncoding::Auto => found.encoding,
            TextEncoding::Windows1252 => Encoding::Windows1252,
            other => panic!("nobody asks for {other:?}"),
        };
        bytes = in_utf8(&bytes, encoding);
    }
    Ok(Opened { bytes: Box::new(Bytes(bytes.into())), wrapping })
}

fn in_utf8(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    if matches!(encoding, Encoding::Utf8 | Encoding::Utf8Bom) {
        return bytes.to_vec();
    }
    let (mut transcoder, mut text) = (Transcoder::new(encoding), Vec::new());
    transcoder.push(bytes, &mut text).unwrap();
    transcoder.finish(&mut text).unwrap();
    text
}

pub fn sniff_all(files: &[(&str, &str)]) -> Result<Proposal, Error> {
    let inputs: Vec<Input<'_>> = files.iter().map(|(path, text)| input(path, text)).collect();
    propose(&inputs, &Options::default())
}

/// The proposal for one file.
pub fn sniff(text: impl AsRef<[u8]>) -> Proposal {
    propose(&[input("data/things.csv", text)], &Options::default()).unwrap()
}

/// `name type` of each column.
pub fn types(proposal: &Proposal) -> Vec<String> {
    proposal.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect()
}

/// The line of the source file that sets a key or declares a column.
pub fn line(proposal: &Proposal, key: &str) -> String {
    let begins = format!("{key} = ");
    let found = proposal.source.lines().find(|line| line.starts_with(&begins));
    found.unwrap_or_else(|| panic!("no `{key}` in\n{}", proposal.source)).to_owned()
}

/// The doubts, each as `about: text`.
pub fn doubts(proposal: &Proposal) -> Vec<String> {
    proposal.doubts().map(|note| format!("{}: {}", note.about, note.text)).collect()
}

/// What loading comes to under a proposal.
#[derive(Debug, Default)]
pub struct Loaded {
    pub rows: Vec<Vec<String>>,
    /// Rows of each table: the parent, then the children.
    pub counts: Vec<usize>,
    /// Line and reason.
    pub rejects: Vec<(u64, String)>,
}

struct Keeping(Loaded);

impl RowSink for Keeping {
    fn batch(&mut self, table: usize, batch: RecordBatch) -> Result<(), SinkError> {
        self.0.counts.resize(self.0.counts.len().max(table + 1), 0);
        self.0.counts[table] += batch.num_rows();
        if table > 0 {
            return Ok(());
        }
        let options = FormatOptions::default().with_null("∅");
        let formatters: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            self.0.rows.push(formatters.iter().map(|formatter| formatter.value(row).to_string()).collect());
        }
        Ok(())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), SinkError> {
        self.0.rejects.push((reject.place.line, reject.place.reason));
        Ok(())
    }
}

impl Sink for Keeping {
    fn restart(&mut self) -> Result<(), SinkError> {
        self.0 = Loaded::default();
        Ok(())
    }
}

/// Loads a file under the proposal, as it is.
pub fn load(proposal: &Proposal, bytes: &[u8]) -> (Loaded, Outcome) {
    let source = Source::parse(&proposal.name, &proposal.source, &|_| None).unwrap();
    let request = Request {
        format: &source.format,
        contract: &source.contract,
        max_record_bytes: source.max_record_bytes,
        path_values: &BTreeMap::new(),
        year: YearHint { path: None, setting: source.format.year(), modified: MODIFIED },
        batch_rows: 1000,
        batch_bytes: 1 << 20,
        rules: None,
    };
    let mut sink = Keeping(Loaded::default());
    let outcome =
        decode(&mut &*bytes, &request, &mut sink).unwrap_or_else(|error| panic!("{error}\n{}", proposal.source));
    (sink.0, outcome)
}

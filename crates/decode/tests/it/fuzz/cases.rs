//! Contracts and settings under which hostile bytes are read.

use std::fmt;

use proptest::prelude::RngExt as _;
use proptest::test_runner::TestRng;
use stillhouse_spec::{ColumnsBy, EscapeStyle, HeaderStyle, MaxRejected, MissingColumns, QuoteStyle, UnknownColumns};

use crate::common::Case;

/// How an object is read.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) case: Case,
    /// Bytes of a region.
    pub(super) region: u64,
    /// Bytes that a source gives at a time.
    pub(super) piece: usize,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, case, region, piece } = self;
        let (csv, limit, rows) = (&case.format, case.max_record_bytes, case.batch_rows);
        write!(f, "`{name}`, {csv:?}, limit {limit}, {rows} rows, regions of {region}, pieces of {piece}")
    }
}

/// Takes what there is: nothing is held for columns or rejects.
fn lenient(columns: &str) -> Case {
    Case::new(columns).with(|case| {
        case.contract.unknown_columns = UnknownColumns::Ignore;
        case.contract.missing_columns = MissingColumns::Null;
        case.contract.max_rejected = MaxRejected::Count(u64::MAX);
        case.max_record_bytes = 300;
        case.batch_rows = 7;
    })
}

fn stated(delimiter: u8, quote: Option<u8>, escape: EscapeStyle, header: HeaderStyle) -> Case {
    lenient("id string; amount string").with(|case| {
        case.csv().delimiter = Some(delimiter);
        case.csv().quote = Some(quote.map_or(QuoteStyle::None, QuoteStyle::Byte));
        case.csv().escape = Some(escape);
        case.csv().header = Some(header);
        case.contract.columns_by = ColumnsBy::Position;
    })
}

fn cases() -> Vec<(&'static str, Case)> {
    use EscapeStyle::{Backslash, Doubled};
    use HeaderStyle::{Absent, Present};
    vec![
        ("detected", lenient("id string; amount string null=a|1")),
        ("strict", Case::new("id string; amount decimal(9,2)").with(|case| case.max_record_bytes = 50)),
        ("typed", lenient("id int64; amount decimal(9,2) required; day date fmt=%m/%d|%d/%m; note string pii")),
        ("lists", lenient("id string; tags list<string>; at timestamp").child("tags", "tags", "tag", &["id"])),
        (
            "fit",
            lenient("day date fmt=iso8601|%m/%d; amount int64").with(|case| {
                case.contract.columns_by = ColumnsBy::Fit;
            }),
        ),
        ("one", lenient("message string")),
        ("stated", stated(b',', Some(b'"'), Doubled, Absent)),
        ("named", stated(b',', Some(b'"'), Doubled, Present)),
        ("backslash", stated(b',', Some(b'"'), Backslash, Absent)),
        ("unquoted", stated(b',', None, Doubled, Absent)),
        ("odd", stated(b'"', Some(b','), Doubled, Absent)),
        ("nul", stated(b'\0', Some(b'\''), Doubled, Absent)),
        (
            "comment",
            stated(b',', Some(b'"'), Doubled, Present).with(|case| {
                case.csv().comment = Some(b'#');
                case.csv().skip_lines = 1;
            }),
        ),
        ("comment quote", stated(b',', Some(b'"'), Doubled, Absent).with(|case| case.csv().comment = Some(b'"'))),
    ]
}

/// Every case with the smallest and some other regions and pieces.
pub(super) fn settings() -> Vec<Setting> {
    let sizes = [(1, 1), (2, 3), (7, 64), (64, 1 << 20), (100, 4096)];
    let of_case = |(name, case): (&'static str, Case)| {
        sizes.map(|(region, piece)| Setting { name, case: case.clone(), region, piece })
    };
    cases().into_iter().flat_map(of_case).collect()
}

/// Any case with any sizes, and sometimes another limit or syntax.
pub(super) fn any_setting(random: &mut TestRng) -> Setting {
    let mut cases = cases();
    let (name, mut case) = cases.swap_remove(random.random_range(0..cases.len()));
    if random.random_ratio(1, 3) {
        case.max_record_bytes = random.random_range(1..80);
    }
    if random.random_ratio(1, 3) {
        case.batch_rows = random.random_range(1..4);
        case.batch_bytes = random.random_range(1..100);
    }
    if random.random_ratio(1, 6) {
        let structure = |byte: &u8| !matches!(byte, b'\n' | b'\r');
        let [delimiter, quote] = [0, 1].map(|_| Some(random.random_range(0..128)).filter(structure));
        case.csv().delimiter = delimiter.or(case.csv().delimiter);
        let stated = case.csv().delimiter;
        case.csv().quote = quote.filter(|_| quote != stated).map(QuoteStyle::Byte).or(Some(QuoteStyle::None));
    }
    let region = if random.random_ratio(1, 3) { 1 } else { random.random_range(1..200) };
    let piece = if random.random_ratio(1, 3) { 1 } else { random.random_range(1..5000) };
    Setting { name, case, region, piece }
}

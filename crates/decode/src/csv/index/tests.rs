//! Every way to find the bytes of structure comes to what a scan byte by byte finds, whatever the bytes are.

use proptest::prelude::*;

use super::census::{Count, End};
use super::*;

/// What a scan byte by byte finds.
#[derive(Default)]
struct Simple {
    index: Index,
    count: Count,
    /// The block in which something is irregular.
    irregular: Option<usize>,
}

fn simple(data: &[u8], mut inside: bool, marks: Marks) -> Simple {
    let mut found = Simple::default();
    let is_separator = |byte: u8| byte == marks.delimiter || byte == b'\n';
    let is_quote = |byte: u8| Some(byte) == marks.quote;
    let (mut closed, mut separated, mut returned) = (false, true, false);
    let mut left = (0, 0, false, false);
    for (at, &byte) in data.iter().enumerate() {
        if at % 64 == 0 {
            let Index { separators, ends, has_doubled, has_inner_lines } = &found.index;
            left = (separators.len(), ends.len(), *has_doubled, *has_inner_lines);
        }
        let bad = (closed && !(is_quote(byte) || is_separator(byte) || byte == b'\r'))
            || (is_quote(byte) && !inside && !separated && !closed)
            || (returned && byte != b'\n');
        if bad && found.irregular.is_none() {
            found.irregular = Some(at / 64 * 64);
            found.index.separators.truncate(left.0);
            found.index.ends.truncate(left.1);
            (found.index.has_doubled, found.index.has_inner_lines) = (left.2, left.3);
            return found;
        }
        found.count.lines += u64::from(byte == b'\n');
        found.index.has_inner_lines |= inside && byte == b'\n';
        found.index.has_doubled |= is_quote(byte) && closed;
        closed = is_quote(byte) && inside;
        inside ^= is_quote(byte);
        separated = !inside && is_separator(byte);
        returned = byte == b'\r';
        if separated {
            found.index.separators.push(u32::try_from(at).unwrap());
        }
        if separated && byte == b'\n' {
            found.index.ends.push(u32::try_from(found.index.separators.len()).unwrap());
            let end = Some(End { at, lines: found.count.lines });
            let count = &mut found.count;
            *count = Count { ends: count.ends + 1, first: count.first.or(end), last: end, ..*count };
        }
    }
    found.count.ends_inside = inside;
    found
}

fn ways() -> Vec<(&'static str, Way)> {
    let mut all = vec![("portable", portable::WAY)];
    all.extend(super::ways());
    all
}

/// Index and census of every way are those of the simple scan.
fn check(data: &[u8], marks: Marks) -> Result<(), TestCaseError> {
    let [outside, inside] = [false, true].map(|inside| simple(data, inside, marks));
    for (name, way) in ways() {
        let mut index = Index::default();
        let looked = (way.build)(data, marks, &mut index);
        prop_assert_eq!(looked, outside.irregular.unwrap_or(data.len()), "{}", name);
        prop_assert_eq!(&index, &outside.index, "{}", name);
        for (is_inside, expected) in [(false, &outside), (true, &inside)] {
            let count = (way.census)(data, marks, is_inside);
            prop_assert_eq!(count.is_irregular, expected.irregular.is_some(), "{}", name);
            if !count.is_irregular {
                prop_assert_eq!(count, expected.count, "{}", name);
            }
        }
    }
    Ok(())
}

/// The bytes in memory of their own that ends with them, `start` bytes behind its beginning: whoever reads further reads
/// what is not ours.
fn placed(data: &[u8], start: usize) -> Box<[u8]> {
    [vec![0; start].as_slice(), data].concat().into_boxed_slice()
}

const USUAL: Marks = Marks { delimiter: b',', quote: Some(b'"') };

/// Everything that settings may say, the usual more often.
fn marks() -> impl Strategy<Value = Marks> {
    let structure = |byte: &u8| !matches!(byte, b'\n' | b'\r');
    let any = (0..128u8, prop::option::of(0..128u8))
        .prop_filter("line ends are no marks", move |(delimiter, quote)| {
            structure(delimiter) && quote.as_ref().is_none_or(structure) && Some(*delimiter) != *quote
        })
        .prop_map(|(delimiter, quote)| Marks { delimiter, quote });
    prop_oneof![2 => Just(USUAL), 1 => Just(Marks { quote: None, ..USUAL }), 2 => any]
}

/// `,` and `"` stand for the marks.
fn written(text: &[u8], marks: Marks) -> Vec<u8> {
    let byte = |byte: &u8| match byte {
        b',' => marks.delimiter,
        b'"' => marks.quote.unwrap_or(b'"'),
        other => *other,
    };
    text.iter().map(byte).collect()
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "a",
        "bc",
        "12345678901234567890",
        ",",
        ",",
        "\n",
        "\r\n",
        "\"",
        "\"\"",
        ",\"x, y\",",
        "\n\"a\nb\"\n",
        "\r",
        ";",
        "é",
        "\u{feff}",
        "\0",
        ",\"say \"\"it\"\"\"\r\n",
    ]);
    // Most pieces that irregular data is made of are left out of the other half, so that whole ones stay regular.
    let regular = prop::sample::select(vec!["a", ",", "\n", "\r\n", ",\"x\ny\",", ",\"\",", ",\"a \"\"b\"\"\"\n"]);
    let byte = prop_oneof![4 => prop::sample::select(b"\"\",,\n\r".to_vec()), 4 => Just(b'a'), 1 => any::<u8>()];
    let join = |pieces: Vec<&str>| pieces.concat().into_bytes();
    prop_oneof![
        2 => prop::collection::vec(piece, 0..120).prop_map(join),
        3 => prop::collection::vec(regular, 0..120).prop_map(join),
        1 => prop::collection::vec(byte, 0..300),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

/// The same with an end close to the end of a block.
fn blocks_of_data() -> impl Strategy<Value = Vec<u8>> {
    (data(), 1usize..6, -2isize..=2).prop_map(|(data, blocks, more)| {
        let wanted = (64 * blocks).saturating_add_signed(more);
        data.iter().chain(b"a,\n".iter().cycle()).copied().take(wanted).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn every_way_finds_the_same(data in prop_oneof![data(), blocks_of_data()], marks in marks(), start in 0usize..64) {
        check(&placed(&written(&data, marks), start)[start..], marks)?;
    }

    /// A region begins anywhere.
    #[test]
    fn every_way_finds_the_same_behind_a_cut(data in data(), marks in marks(), cut in 0usize..200) {
        let data = written(&data, marks);
        check(&data[cut.min(data.len())..], marks)?;
    }

    /// Cut anywhere, the two parts are regular if the whole is.
    #[test]
    fn what_follows_is_regular_if_the_whole_is(data in data(), marks in marks(), cut in 1usize..200) {
        let data = written(&data, marks);
        if cut >= data.len() {
            return Ok(());
        }
        let (first, second) = data.split_at(cut);
        let before = simple(first, false, marks);
        if before.irregular.is_some() {
            return Ok(());
        }
        let inside = before.count.ends_inside;
        let behind = simple(second, inside, marks).irregular.is_none();
        let regular = behind && marks.follows(first[cut - 1], second[0], inside);
        prop_assert_eq!(regular, simple(&data, false, marks).irregular.is_none());
    }
}

/// What means something only together, at every place of two blocks and over the border between them.
#[test]
fn what_belongs_together_may_lie_across_blocks() {
    let seams: [&[u8]; 17] = [
        b"\"",
        b"\"\"",
        b"\"\"\"",
        b"\"\"\"\"",
        b"\r\n",
        b"\r",
        b"\n\r",
        b"\r\r\n",
        b",\"x\"\r\n",
        b",\"\"\"\"\r\n",
        b"\"\r\n\"",
        b",\"a\"b",
        b"a\"b\"",
        b"\n\"",
        b"\"\n\"\n",
        b"\xef\xbb\xbf\"",
        b"\xe2\x82\xac\0\xff",
    ];
    for seam in seams {
        for at in 0..=130 {
            for behind in [0, 1, 63, 64, 65] {
                for quoted in [false, true] {
                    let mut data = if quoted { b"\"".to_vec() } else { Vec::new() };
                    data.resize(data.len().max(at), b'a');
                    data.extend_from_slice(seam);
                    data.extend(b"a,".iter().cycle().take(behind));
                    check(&data, USUAL)
                        .unwrap_or_else(|error| panic!("{:?}: {error}", data.escape_ascii().to_string()));
                }
            }
        }
    }
}

/// Lengths of no block, of one and of some, a byte more and less, at every start: memory that was never written, and bytes
/// beyond the end, would show under valgrind.
#[test]
fn valgrind_no_way_reads_what_is_not_there() {
    let around = (1..=8).flat_map(|blocks| [64 * blocks - 1, 64 * blocks, 64 * blocks + 1]);
    for length in (0..=130).chain(around) {
        for start in [0, 1, 7, 15, 16, 31, 32, 33, 63] {
            let data: Vec<u8> = b"1,\"a \"\"b\"\"\nc\",d\r\n".iter().copied().cycle().take(length).collect();
            check(&placed(&data, start)[start..], USUAL).unwrap_or_else(|error| panic!("{length} + {start}: {error}"));
        }
    }
}

//! Inputs out of other inputs.

use proptest::prelude::RngExt as _;
use proptest::test_runner::TestRng;

use super::Shape;

/// What has a meaning, or looks as if it had.
const WORDS: [&[u8]; 34] = [
    b"\"",
    b"\"",
    b"\"\"",
    b"\"\"\"",
    b",",
    b",",
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"\r\r\n",
    b"\n\r",
    b"\\",
    b"\\\"",
    b"\\\\",
    b"'",
    b";",
    b"\t",
    b"|",
    b"#",
    b" ",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xff",
    b"\xc3",
    b"\xe2\x82\xac",
    b"1",
    b"0.5",
    b"2024-02-29",
    b"02/29",
    b"[\"a\", 'b']",
    b"\"a \"\"b\"\" c\"",
    b",\"x\ny\",",
];

/// Few bytes find most, quickly; some inputs are longer than what is looked at at once.
const BYTES_MAX: usize = 600;
const BYTES_MAX_SELDOM: usize = 12_000;

/// A file of the corpus that was changed in one to eight ways.
pub(super) fn mutate(corpus: &[Shape], random: &mut TestRng) -> Vec<u8> {
    let most = if random.random_ratio(1, 30) { BYTES_MAX_SELDOM } else { BYTES_MAX };
    let mut bytes = piece(corpus, most, random);
    for _ in 0..random.random_range(1..=8) {
        change(&mut bytes, corpus, random);
        bytes.truncate(most);
    }
    bytes
}

/// A file of the corpus, or a piece of one.
fn piece(corpus: &[Shape], most: usize, random: &mut TestRng) -> Vec<u8> {
    let bytes = &corpus[random.random_range(0..corpus.len())].bytes;
    let skipped = bytes.len().saturating_sub(most);
    let start = if skipped > 0 { random.random_range(0..=skipped) } else { 0 };
    bytes[start..bytes.len().min(start + most)].to_vec()
}

fn change(bytes: &mut Vec<u8>, corpus: &[Shape], random: &mut TestRng) {
    let at = random.random_range(0..=bytes.len());
    let length = random.random_range(0..=(bytes.len() - at).min(40));
    let range = at..at + length;
    match random.random_range(0..10) {
        0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.random_range(0..8)),
        1 => drop(bytes.drain(range)),
        2 => {
            let times = random.random_range(1..60);
            let again = bytes[range].repeat(times);
            bytes.splice(at..at, again);
        }
        3 => {
            let mut other = piece(corpus, 60, random);
            let turned = random.random_range(0..=other.len());
            other.rotate_left(turned);
            bytes.splice(range, other);
        }
        4 => bytes.truncate(at),
        5 => {
            let swapped: Vec<u8> = bytes.drain(range).collect();
            let to = random.random_range(0..=bytes.len());
            bytes.splice(to..to, swapped);
        }
        // Words, most of all where a block ends.
        6 => {
            let border = (at / 64 * 64).saturating_sub(random.random_range(0..2));
            bytes.splice(border..border, WORDS[random.random_range(0..WORDS.len())].iter().copied());
        }
        _ => drop(bytes.splice(at..at, WORDS[random.random_range(0..WORDS.len())].iter().copied())),
    }
}

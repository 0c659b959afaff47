//! Numbers of few bits, as Parquet packs them.

/// Appends numbers of at most `width` bits, the lowest bits first, and fills the last byte up with zeros.
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u8, into: &mut Vec<u8>) {
    let width = u32::from(width);
    let (mut word, mut used) = (0u64, 0u32);
    for value in values {
        word |= value << used;
        used += width;
        if used >= 64 {
            into.extend_from_slice(&word.to_le_bytes());
            used -= 64;
            // What did not fit; all of it did when nothing is left of the width.
            word = value.checked_shr(width - used).unwrap_or(0);
        }
    }
    into.extend_from_slice(&word.to_le_bytes()[..used.div_ceil(8) as usize]);
}

/// Bits that hold every number up to this one.
pub(super) fn width_of(largest: u64) -> u8 {
    u8::try_from(64 - largest.leading_zeros()).expect("a number has at most 64 bits")
}

/// Seven bits a byte, the lowest first.
pub(super) fn varint(mut value: u64, into: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return into.push(low);
        }
        into.push(low | 0x80);
    }
}

/// A signed number as a [`varint`] that is short when it is near zero.
pub(super) fn zigzag(value: i64, into: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)).cast_unsigned(), into);
}

/// A number repeated at least so often stands there once.
const RUN_MIN: usize = 8;

/// Parquet's hybrid of runs and packed numbers, each of at most `width` bits, without a length in front.
pub(super) fn hybrid<T: Copy + Eq + Into<u64>>(values: &[T], width: u8, into: &mut Vec<u8>) {
    // Numbers from `from` to `at` wait to be packed; there are whole groups of eight.
    let (mut from, mut at) = (0, 0);
    while at < values.len() {
        let run = run_length(&values[at..]);
        if run < RUN_MIN {
            at = values.len().min(at + 8);
            continue;
        }
        packed(&values[from..at], width, into);
        repeated(values[at].into(), run, width, into);
        at += run;
        from = at;
    }
    packed(&values[from..], width, into);
}

/// The same number many times, as [`hybrid`] writes it.
pub(super) fn repeated(value: u64, count: usize, width: u8, into: &mut Vec<u8>) {
    varint((count as u64) << 1, into);
    into.extend_from_slice(&value.to_le_bytes()[..usize::from(width.div_ceil(8))]);
}

fn packed<T: Copy + Into<u64>>(values: &[T], width: u8, into: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint((groups as u64) << 1 | 1, into);
    let end = into.len() + groups * usize::from(width);
    pack(values.iter().map(|value| (*value).into()), width, into);
    into.resize(end, 0);
}

/// How often the first number stands there in a row.
fn run_length<T: Copy + Eq>(values: &[T]) -> usize {
    let first = values[0];
    // Most runs are short; comparing eight at once would cost more than it saves.
    values.iter().position(|value| *value != first).unwrap_or(values.len())
}

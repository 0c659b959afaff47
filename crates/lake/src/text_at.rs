//! A text among others, and what its first bytes tell without a look at the rest.

use std::ops::Range;

use arrow::array::{Array as _, StringArray};

/// Bytes of a head.
const HEAD_BYTES: usize = size_of::<u128>();

/// A text of up to so many bytes has a [`key`](TextAt::key).
const KEY_BYTES: usize = HEAD_BYTES - 1;

/// A text, and what stands around it: where many stand one behind the other, a fixed number of bytes can be loaded from the
/// place of a shorter one, which is quicker than to copy a few.
#[derive(Debug, Clone)]
pub(crate) struct TextAt<'d> {
    data: &'d [u8],
    range: Range<usize>,
}

impl<'d> TextAt<'d> {
    /// All of a text.
    pub(crate) fn whole(text: &'d str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// All of a text; these are its bytes.
    pub(crate) fn of_bytes(text: &'d [u8]) -> Self {
        Self { data: text, range: 0..text.len() }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &'d [u8] {
        &self.data[self.range.clone()]
    }

    pub(crate) fn text(&self) -> &'d str {
        std::str::from_utf8(self.bytes()).expect("a text is UTF-8")
    }

    /// Its first bytes as a number. Numbers are in the order of their texts; a shorter text is filled up with zeros.
    #[inline]
    pub(crate) fn head(&self) -> u128 {
        let (from, length) = (&self.data[self.range.start..], self.range.len());
        let all = match from.first_chunk::<HEAD_BYTES>() {
            Some(bytes) => u128::from_be_bytes(*bytes),
            None => {
                let mut bytes = [0; HEAD_BYTES];
                bytes[..from.len()].copy_from_slice(from);
                u128::from_be_bytes(bytes)
            }
        };
        if length < HEAD_BYTES { all & !(u128::MAX >> (8 * length)) } else { all }
    }

    /// A number that a short text has alone; `None` for a longer one.
    #[inline]
    pub(crate) fn key(&self) -> Option<u128> {
        (self.range.len() <= KEY_BYTES).then(|| self.head() | self.range.len() as u128)
    }
}

/// Shows all texts that are not null.
#[inline]
pub(crate) fn each_text<'d>(array: &'d StringArray, mut each: impl FnMut(TextAt<'d>)) {
    let (data, offsets) = (array.value_data(), array.value_offsets());
    let between = |pair: &[i32]| {
        let [start, end] = [pair[0], pair[1]].map(|offset| offset.cast_unsigned() as usize);
        TextAt { data, range: start..end }
    };
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => offsets.windows(2).for_each(|pair| each(between(pair))),
        Some(nulls) => nulls.valid_indices().for_each(|row| each(between(&offsets[row..row + 2]))),
    }
}

/// How many bytes two texts begin with in common.
pub(crate) fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Whether two texts are equal. Most are short, and a call would take longer than to compare them.
#[inline]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // Both ends overlap where the text is shorter than the two together.
    match one.len() {
        0..4 => one.iter().eq(other),
        4..8 => one.first_chunk::<4>() == other.first_chunk() && one.last_chunk::<4>() == other.last_chunk(),
        8..=16 => one.first_chunk::<8>() == other.first_chunk() && one.last_chunk::<8>() == other.last_chunk(),
        17..=32 => one.first_chunk::<16>() == other.first_chunk() && one.last_chunk::<16>() == other.last_chunk(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn heads_are_in_the_order_of_their_texts(
            texts in prop::collection::vec(prop::option::of("[\0-b]{0,20}"), 0..8),
        ) {
            let array = StringArray::from(texts.clone());
            let texts: Vec<String> = texts.into_iter().flatten().collect();
            let mut all = Vec::new();
            each_text(&array, |text| all.push(text));
            prop_assert_eq!(all.len(), texts.len());
            for (one, text) in all.iter().zip(&texts) {
                prop_assert_eq!(one.text(), text);
                prop_assert_eq!(one.head(), TextAt::whole(text).head());
                prop_assert_eq!(one.key().is_some(), text.len() <= KEY_BYTES);
                for (other, other_text) in all.iter().zip(&texts) {
                    prop_assert!(one.head() >= other.head() || text < other_text);
                    let equal_keys = one.key().is_some() && one.key() == other.key();
                    prop_assert!(!equal_keys || text == other_text);
                }
            }
        }

        #[test]
        fn the_same_is_equal(text in "[ab]{0,40}", at in 0_usize..40) {
            let mut other = text.clone().into_bytes();
            prop_assert!(same(text.as_bytes(), &other));
            if let Some(byte) = other.get_mut(at) {
                *byte = b'c';
                prop_assert!(!same(text.as_bytes(), &other));
            }
            other.push(b'a');
            prop_assert!(!same(text.as_bytes(), &other));
        }
    }
}

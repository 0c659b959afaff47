//! The digest of an object whose blocks are read in any order, by several threads.
//!
//! BLAKE3 is a tree of hashes: blocks of a power of two are whole subtrees of it, whose values are merged at the end. The
//! digest is the same as that of a reader who begins at the first byte.

use blake3::hazmat::{
    ChainingValue, HasherExt as _, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};
use blake3::{Hash, Hasher};

/// Bytes of a block. A power of two, as the tree wants it.
pub(crate) const BLOCK_BYTES: u64 = 4 << 20;

/// What is known of the blocks of an object.
pub(crate) struct Blocks {
    size: u64,
    values: Vec<Option<ChainingValue>>,
    /// Of an object that is one block.
    whole: Option<Hash>,
}

impl Blocks {
    pub(crate) fn new(size: u64) -> Self {
        let count = usize::try_from(size.div_ceil(BLOCK_BYTES)).expect("an object has fewer than 2^64 blocks");
        let whole = (size == 0).then(|| blake3::hash(&[]));
        Self { size, values: vec![None; count], whole }
    }

    /// Whether a block is known.
    pub(crate) fn has(&self, block: usize) -> bool {
        self.whole.is_some() || self.values[block].is_some()
    }

    /// The first block that is not known.
    pub(crate) fn missing(&self) -> Option<usize> {
        (0..self.values.len()).find(|block| !self.has(*block))
    }

    /// Keeps what [`value`] gave; false if the block was known.
    pub(crate) fn keep(&mut self, block: usize, value: &Value) -> bool {
        let was_known = self.has(block);
        match value {
            Value::Whole(hash) => self.whole = Some(*hash),
            Value::Part(value) => self.values[block] = Some(*value),
        }
        !was_known
    }

    /// The digest, once all blocks are known.
    pub(crate) fn digest(&self) -> Option<Hash> {
        if self.whole.is_some() {
            return self.whole;
        }
        let left = left_subtree_len(self.size);
        Some(merge_subtrees_root(&self.subtree(0, left)?, &self.subtree(left, self.size - left)?, Mode::Hash))
    }

    fn subtree(&self, offset: u64, bytes: u64) -> Option<ChainingValue> {
        if bytes <= BLOCK_BYTES {
            return self.values[usize::try_from(offset / BLOCK_BYTES).ok()?];
        }
        let left = left_subtree_len(bytes);
        let (first, second) = (self.subtree(offset, left)?, self.subtree(offset + left, bytes - left)?);
        Some(merge_subtrees_non_root(&first, &second, Mode::Hash))
    }
}

/// The value of a block.
pub(crate) enum Value {
    Whole(Hash),
    Part(ChainingValue),
}

/// The value of a block of an object of `size` bytes.
pub(crate) fn value(bytes: &[u8], block: usize, size: u64) -> Value {
    if size <= BLOCK_BYTES {
        return Value::Whole(blake3::hash(bytes));
    }
    let mut hasher = Hasher::new();
    hasher.set_input_offset(block as u64 * BLOCK_BYTES);
    Value::Part(hasher.update(bytes).finalize_non_root())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn blocks_in_any_order_give_the_digest() {
        let bytes: Vec<u8> = (0..4 * BLOCK_BYTES + 1).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
        let block = usize::try_from(BLOCK_BYTES).unwrap();
        for size in [0, 1, 1024, block - 1, block, block + 1, 2 * block, 3 * block - 7, 3 * block, 4 * block + 1] {
            let data = &bytes[..size];
            let mut blocks = Blocks::new(size as u64);
            let parts: Vec<(usize, &[u8])> = data.chunks(block).enumerate().collect();
            for (number, part) in parts.iter().rev() {
                assert!(!blocks.has(*number));
                assert!(blocks.keep(*number, &value(part, *number, size as u64)));
                assert!(!blocks.keep(*number, &value(part, *number, size as u64)));
            }
            assert_eq!(blocks.missing(), None);
            assert_eq!(blocks.digest(), Some(blake3::hash(data)), "{size} bytes");
        }
    }
}

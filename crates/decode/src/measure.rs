//! What benchmarks look at besides [`decode`](crate::decode()): the structural index alone, made in each way.

use crate::csv::index::{Index, Marks, Way, ways};
use crate::csv::scan::Syntax;
use crate::window::PIECE_BYTES;

/// One way in which the structural index of plain CSV can be made on this processor.
#[derive(Debug)]
pub struct IndexWay {
    name: &'static str,
    way: Way,
    marks: Marks,
    index: Index,
}

impl IndexWay {
    /// All of them, the fastest last.
    pub fn all() -> Vec<Self> {
        let syntax = Syntax { delimiter: b',', quote: Some(b'"'), backslash: false };
        let marks = Marks::new(syntax).expect("nothing about this syntax needs more than marks");
        ways().into_iter().map(|(name, way)| Self { name, way, marks, index: Index::default() }).collect()
    }

    /// The name of the instructions that it uses.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Goes through `data` in pieces, as the decoder does, and says how many separators of fields and records there are in
    /// the whole records up to the first irregular place.
    pub fn separators(&mut self, data: &[u8]) -> usize {
        let (mut at, mut count) = (0, 0);
        while at < data.len() {
            let piece = &data[at..data.len().min(at + PIECE_BYTES)];
            self.index.build_as(self.way, piece, self.marks);
            let Some(&records_end) = self.index.ends.last() else { break };
            count += records_end as usize;
            at += self.index.separators[records_end as usize - 1] as usize + 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::IndexWay;

    #[test]
    fn every_way_finds_all_separators_of_several_pieces() {
        let record = "1,2024-01-17,\"['west', 'search']\",a longer text without a quote\n";
        let data = record.repeat(40_000);
        assert!(data.len() > 2 * super::PIECE_BYTES);
        for mut way in IndexWay::all() {
            assert_eq!(way.separators(data.as_bytes()), 4 * 40_000, "{}", way.name());
        }
    }
}

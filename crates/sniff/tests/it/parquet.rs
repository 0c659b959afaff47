//! Parquet.

use stillhouse_sniff::{Input, Options, propose};
use stillhouse_testkit::shared_data;

use crate::common::{input, load};

#[test]
fn what_is_known_of_posts_loads_whole() {
    let folder = shared_data("paramount").join("post_meta");
    let files = ["part-00000.snappy.parquet", "part-00003.snappy.parquet"];
    let bytes: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(folder.join(file)).unwrap()).collect();
    let inputs: Vec<Input<'_>> =
        files.iter().zip(&bytes).map(|(file, bytes)| input(&format!("post_meta/{file}"), bytes)).collect();
    let proposal = propose(&inputs, &Options::default()).unwrap();
    println!("{}", proposal.source);
    let mut rows = 0;
    for bytes in &bytes {
        let (loaded, outcome) = load(&proposal, bytes);
        assert_eq!((loaded.rejects.len(), outcome.counts.quarantined), (0, 0));
        rows += loaded.rows.len();
    }
    assert_eq!(rows, 3716);
}

//! The files of JSONTestSuite (`y_`: has to be accepted, `n_`: has to be refused, `i_`: either, without a crash).

use std::path::PathBuf;

use super::json;
use crate::common::Case;

/// Any value is a record, and is kept as a whole.
fn any_value() -> Case {
    json("[table]\nname = 't'\nmax_rejected = '100%'\n[table.columns]\nvalue = { type = 'json', from = '$' }")
}

#[test]
fn every_file_is_accepted_or_refused_as_it_should_be() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("STILLHOUSE_SHARED_DATA").map_or(beside, PathBuf::from);
    let folder = root.join("JSONTestSuite/test_parsing");
    let mut wrong = Vec::new();
    let (mut accepted, mut refused, mut either) = (0, 0, 0);
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let result = any_value().run(std::fs::read(&path).unwrap());
        let (is_accepted, has_place) = match &result {
            Ok(got) => (got.rejects.is_empty(), got.rejects.iter().all(|reject| reject.place.line > 0)),
            Err(error) => (false, error.is_held() && !error.message().is_empty()),
        };
        match name.as_bytes()[0] {
            b'y' => accepted += 1,
            b'n' => refused += 1,
            _ => either += 1,
        }
        let is_right = match name.as_bytes()[0] {
            b'y' => is_accepted,
            b'n' => !is_accepted && has_place,
            _ => true,
        };
        if !is_right {
            wrong.push(name);
        }
    }
    assert_eq!((accepted, refused, either), (95, 188, 35));
    assert!(wrong.is_empty(), "{wrong:?}");
}

//! stillhouse-decode
fn main() {}

//! stillhouse-lake

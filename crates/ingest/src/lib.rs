//! stillhouse-decode

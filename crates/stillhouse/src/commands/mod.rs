//! One file a command.

pub mod check;
pub mod explain;
pub mod ingest;
pub mod init;
pub mod ledger;
pub mod quarantine;
pub mod receipts;
pub mod report;
pub mod run;
pub mod sql;
pub mod tables;

//! One file a command.

pub mod amend;
pub mod audit;
pub mod check;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod generate;
pub mod ingest;
pub mod init;
pub mod jobs;
pub mod lake;
pub mod ledger;
pub mod maintain;
pub mod profile;
pub mod profile_file;
pub mod publish;
pub mod quarantine;
pub mod quarantine_export;
pub mod receipts;
pub mod report;
pub mod run;
pub mod sniff;
pub mod sql;
pub mod tables;
pub mod text;
pub mod verify;

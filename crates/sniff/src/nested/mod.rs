//! JSON and Parquet: records with objects and arrays inside.
//!
//! `survey` reads the files, twice: `tree` is the shape of the records, `fold` makes one of structures that repeat inside of
//! themselves, `layout` lays out tables and columns, and `leaf` is what is learnt about a column when the values pass by
//! again, along `routes`. `types` (of Parquet: `declared`) and `roles` decide about columns, `names` calls them something, `plan` puts it together,
//! and `inside` says what tables repeat of the records around them.

mod declared;
mod fold;
mod inside;
mod json;
mod layout;
mod leaf;
mod names;
mod parquet;
mod plan;
mod roles;
mod routes;
mod survey;
mod tree;
mod types;

pub(crate) use plan::{of_json, of_parquet};
pub(crate) use survey::names_of_json;

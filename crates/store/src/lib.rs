//! How SQL runs: the pools, the two dialects, migrations, and turning rows into typed values.
//! No feature's SQL is in here: that stands in each feature's `queries.rs`.

pub mod db;
pub mod migrate;
mod reader;
pub mod row;
pub mod sql;
#[cfg(any(test, feature = "test-database"))]
pub mod test_database;

pub use db::{Db, Dialect, StoreError};
pub use reader::Reader;
pub use row::RowExt;
pub use sql::Sql;

//! The program put together: database, door, services, pages, the embedded endpoint, and this machine as
//! a node. `start` gives a running server, for the command line and for tests.

mod bucket_store;
mod connection;
pub mod data_dir;
pub mod endpoint;
pub mod files;
pub mod forms;
pub mod local_node;
mod master_seal;
pub mod pages;
pub mod recordings;
pub mod start;
mod start_error;
pub mod tunnel;

pub use start::{Running, StartError, start};

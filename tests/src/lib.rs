//! The harness of whole-portal tests and benchmarks: the built program as people run it, and a
//! signed-in client for it. No test logic in here.

pub mod api;
pub mod copied;
pub mod one_node;
pub mod portal;
pub mod sim;
pub mod stats;
pub mod terminal;

pub use portal::{Client, Portal};

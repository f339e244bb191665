//! Keyset paging: a page of rows and an opaque cursor to the next.

use serde::{Deserialize, Serialize};

/// Where the next page starts. Opaque to everybody but the query that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// Some rows, and the way to more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows, in order.
    pub items: Vec<T>,
    /// The next page, when there is one.
    pub next: Option<Cursor>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next: None,
        }
    }
}

/// How many rows a page holds when nobody says.
pub const DEFAULT_LIMIT: u32 = 50;
/// How many rows a page holds at most.
pub const MAX_LIMIT: u32 = 200;

/// `limit` within what is allowed.
#[must_use]
pub fn clamp_limit(limit: Option<u32>) -> u32 {
    limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
}

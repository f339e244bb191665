//! The audit log: rows written per second by callers at once, and rows verified per second, on both databases.

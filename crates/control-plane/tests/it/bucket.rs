//! Tests of bucket.

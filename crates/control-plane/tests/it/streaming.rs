//! Tests of streaming.

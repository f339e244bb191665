//! Tests of gateway.

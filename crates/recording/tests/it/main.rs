//! Tests of recordings from outside: real files, real terminals' output, real processes that are killed.
#![cfg(test)]

mod crash;
mod docs;
mod fixtures;
mod life;
mod replay;
mod s3;
mod tamper;
mod unsealed;

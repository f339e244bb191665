//! Background tasks that keep the portal's copy fresh: periodic and nudged, without input, idempotent.

pub mod commands;
pub mod executions;
pub mod fleet;
pub mod parameters;
pub mod patching;
mod tags;
pub mod windows;

//! Background tasks that keep the portal's copy fresh: periodic and nudged, without input, idempotent.

pub mod commands;
pub mod executions;
pub mod fleet;
pub mod parameters;
mod tags;
pub mod windows;

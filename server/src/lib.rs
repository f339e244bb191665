//! Services and the HTTP edge of Muster. Nothing in here knows pages.

pub mod access;
pub mod approvals;
pub mod audit;
pub mod aws;
pub mod commands;
pub mod config;
pub mod deployments;
pub mod door;
pub mod error;
pub mod events;
pub mod fleet;
pub mod http;
pub mod notifications;
pub mod overview;
pub mod parameters;
pub mod patching;
pub mod runbooks;
pub mod services;
pub mod sessions;
pub mod sync;
pub mod windows;

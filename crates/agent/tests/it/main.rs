//! The agent against a small control plane, with real processes: one file per concern.
#![cfg(test)]

mod agents;
mod commands;
mod faults;
mod gateway;
mod gateway_server;
mod registration;
mod sim;

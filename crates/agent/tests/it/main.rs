//! The agent against a small control plane, with real processes: one file per concern.
#![cfg(test)]

mod agents;
mod commands;
mod content;
mod faults;
mod gateway;
mod gateway_server;
mod leg;
mod reboots;
mod registration;
mod session_commands;
mod session_faults;
mod session_ports;
mod session_shell;
mod sim;
mod tls;

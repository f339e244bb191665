//! The data channel's two ends against each other and against scripted peers, in virtual time.
#![cfg(test)]

mod fuzz;
mod hostile;
mod link;
mod lossy;
mod mux;
mod ports;
mod resume;
mod script;
mod traps_agent;
mod traps_client;
mod vectors;

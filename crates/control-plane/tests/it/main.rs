//! The control plane from outside: signed requests through its router, and a simulated agent on a real
//! websocket. What single functions do is tested beside them.

mod agent;
mod bad_input;
mod bucket;
mod clients;
mod fleet;
mod gateway;
mod operations;
mod run_command;
mod signatures;
mod streaming;
mod world;

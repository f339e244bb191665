//! What an agent and the control plane say to each other: Amazon's own agent protocol, plus
//! negotiated additions of ours, and the signing of requests. Types and pure functions only.

pub mod calls;
pub mod control;
pub mod extension;
pub mod inputs;
pub mod session;
pub mod signing;

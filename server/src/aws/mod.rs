//! The only way out to Systems Manager: one connection, its clients, its call budget and its errors.
//! "Embedded" is the same client with another endpoint.

pub mod budget;
pub mod clients;
pub mod errors;
pub mod output;
pub mod sdk_keys;
pub mod sealing;

pub use clients::{Connection, Known, Ssm};
pub use sdk_keys::SdkKeys;
pub use sealing::SealingService;

//! The embedded control plane: it answers the Systems Manager API (AWS JSON 1.1, signed requests), keeps
//! nodes, documents, commands, sessions, parameters and keys durably, speaks with agents over their control channel, and
//! carries the data channels of sessions. It knows
//! nothing of the portal: the portal is one of its callers.

mod associations;
mod audited;
mod automation;
mod base32;
mod bucket_objects;
mod buckets;
mod caller_identity;
mod client_tokens;
mod commands;
mod compliance;
mod config;
mod control_plane;
mod data_sync;
mod documents;
mod ec2;
mod errors;
mod fleet;
mod gateway;
mod groups;
mod index_text;
mod inventory;
mod json_protocol;
mod keys;
mod kms;
mod operations;
mod ops_items;
mod paging;
mod parameters;
mod patches;
mod query;
mod router;
mod sessions;
mod settings;
mod signature;
mod steady;
mod tags;
pub mod tls;
mod topics;
mod turns;
mod validation;
mod windows;

pub use buckets::{Buckets, FolderBuckets};
pub use config::ControlPlaneConfig;
pub use control_plane::{Change, ControlPlane, OpenError, SessionLoad};
pub use keys::{KeysError, operator_credentials_in};
pub use kms::master::{BySeal, MasterSeal};
pub use object_store::ObjectStore;
pub use operations::{Access, OPERATIONS, Operation, Who, input_model};
pub use steady::Steady;

/// The bucket that is built in: commands that name it get URLs of their full output.
pub const OUTPUT_BUCKET: &str = "muster-command-output";

//! Nodes and how they join: activations, registration, credentials, reports. One file per operation.

pub(crate) mod create_activation;
pub(crate) mod delete_activation;
pub(crate) mod deregister_managed_instance;
pub(crate) mod describe_activations;
pub(crate) mod describe_instance_information;
pub(crate) mod describe_instance_properties;
pub(crate) mod get_connection_status;
pub(crate) mod list_instance_associations;
mod node_filters;
pub(crate) mod queries;
pub(crate) mod register_managed_instance;
pub(crate) mod request_managed_instance_role_token;
mod shown;
mod standing;
pub(crate) mod update_instance_information;
pub(crate) mod update_managed_instance_public_key;

use muster_domain::Timestamp;
use serde::Serialize;

/// The answer of operations that answer nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

/// A point in time as the protocol writes it: seconds, with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 fit into 53 bits for 285,000 years"
)]
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1000.0
}

/// The same, read.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float is cut to the range of the integer, which is meant"
)]
pub(crate) fn from_seconds(seconds: f64) -> Timestamp {
    Timestamp((seconds * 1000.0).round() as i64)
}

//! What can be set about the control plane. Reading it from flags or files is the server's business.

use crate::buckets::Buckets;
use crate::kms::master::MasterSeal;
use crate::steady::Steady;
use std::path::PathBuf;
use std::sync::Arc;

/// Settings, with defaults that fit one machine.
#[derive(Clone, Debug)]
pub struct ControlPlaneConfig {
    /// The account number that answers and ARNs carry.
    pub account: String,
    /// The region of unsigned requests that name none.
    pub default_region: String,
    /// Where keys and command output are kept.
    pub data_dir: PathBuf,
    /// A node that was silent for so long has lost its connection.
    pub connection_lost_after_ms: i64,
    /// Requests signed further away from our clock than this are refused.
    pub clock_skew_ms: i64,
    /// How long a node's temporary keys hold.
    pub node_credentials_ms: i64,
    /// How much longer than the document allows a silent node's command may run before it is given up.
    pub execution_grace_ms: i64,
    /// How long an agent may take to acknowledge a job before it is sent again.
    pub resend_after_ms: i64,
    /// Bytes of one output stream of one step that are kept; an agent that sends more is cut off there.
    pub max_output_bytes: u64,
    /// How long a node may take to open a session's data channel.
    pub session_connect_ms: i64,
    /// What measures idleness and the life of tokens: never the wall's clock, which may jump.
    pub steady: Steady,
    /// Bytes of a request's body at most.
    pub max_body_bytes: usize,
    /// Object storage to write to for others; folders of the data directory unless given.
    pub buckets: Option<Arc<dyn Buckets>>,
    /// What seals the master key; it lies open in the data directory unless given.
    pub master_seal: Option<Arc<dyn MasterSeal>>,
}

impl Default for ControlPlaneConfig {
    fn default() -> Self {
        Self {
            account: "123456789012".into(),
            default_region: "eu-west-1".into(),
            data_dir: PathBuf::from("data"),
            connection_lost_after_ms: 120_000,
            clock_skew_ms: 300_000,
            node_credentials_ms: 3_600_000,
            execution_grace_ms: 60_000,
            resend_after_ms: 30_000,
            max_output_bytes: 4 << 30,
            session_connect_ms: 20_000,
            steady: Steady::default(),
            max_body_bytes: 1 << 20,
            buckets: None,
            master_seal: None,
        }
    }
}

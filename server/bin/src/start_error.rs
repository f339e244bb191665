//! Why the server cannot start, as sentences that say what to do.

use crate::data_dir::DataDirError;
use muster_store::StoreError;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] muster_server::audit::log::OpenError),
    /// The embedded endpoint.
    #[error(transparent)]
    ControlPlane(#[from] muster_control_plane::OpenError),
    /// Its certificates.
    #[error(transparent)]
    Authority(#[from] muster_control_plane::tls::AuthorityError),
    /// A listener.
    #[error(transparent)]
    Listen(#[from] std::io::Error),
    /// A client.
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
    /// Where notices go.
    #[error("notices cannot be sent: {0}")]
    Notices(#[from] muster_server::notifications::SenderError),
    /// Where recordings are kept.
    #[error("recordings cannot be kept: {0}")]
    Recordings(String),
    /// The setting names no key.
    #[error("kms_master_key cannot be {setting:?}: {why}")]
    MasterKey {
        /// What was set.
        setting: String,
        /// Why not.
        why: String,
    },
    /// Where buckets are.
    #[error("bucket_store cannot be {setting:?}: {why}")]
    Buckets {
        /// The setting.
        setting: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file of approval policies.
    #[error("approval_policies cannot be used: {0}")]
    Policies(String),
    /// Nobody says which region.
    #[error("there is no region: set MUSTER_REGION or AWS_REGION, or a region in the AWS profile")]
    NoRegion,
    /// The first row of the audit log.
    #[error("the audit log cannot be written: {0}")]
    AuditWrite(muster_domain::PortalError),
}

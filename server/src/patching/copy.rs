//! Brings the portal's copy up to date with what Systems Manager says.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::patching::{keep, queries, ssm};
use muster_domain::Timestamp;
use muster_store::{Db, StoreError};
use std::collections::HashMap;

/// Why a copy did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Systems Manager did not answer, or refused.
    #[error("{0}")]
    Call(CallError),
}

impl From<CallError> for CopyError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Copies how all nodes stand. Answers whether anything was different.
///
/// # Errors
/// [`CopyError`]; what was copied before stays.
pub async fn states(db: &Db, ssm: &Ssm, now: Timestamp) -> Result<bool, CopyError> {
    let connection = ssm.connection.id.as_str();
    let mut after = String::new();
    let mut changed = false;
    loop {
        let nodes = queries::nodes_after(db, connection, &after, ssm::AT_ONCE).await?;
        let Some(last) = nodes.last() else { break };
        after.clone_from(last);
        let found: HashMap<_, _> = ssm::states(ssm, &nodes).await?.into_iter().collect();
        changed |= keep::states(db, connection, &nodes, &found).await?;
    }
    keep::copied(db, connection, now).await?;
    Ok(changed)
}

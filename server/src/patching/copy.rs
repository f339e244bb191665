//! Brings the portal's copy up to date with what Systems Manager says.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::patching::baseline_keep::{By, Holds};
use crate::patching::{baseline_keep, baseline_queries, baseline_ssm, keep, queries, ssm};
use muster_domain::Timestamp;
use muster_domain::patching::BaselineSummary;
use muster_domain::time::Clock;
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

/// Copies for what baselines hold, of those that are known.
///
/// # Errors
/// [`CopyError`].
pub async fn holds(db: &Db, ssm: &Ssm, clock: &dyn Clock) -> Result<(), CopyError> {
    let connection = ssm.connection.id.as_str();
    let listed = baseline_ssm::list(ssm).await?;
    let mut groups = baseline_ssm::groups(ssm).await?;
    for one in listed {
        let holds = Holds {
            is_default: one.is_default,
            groups: groups.remove(&one.baseline_id).unwrap_or_default(),
        };
        baseline_keep::holds(db, connection, &one.baseline_id, &holds, clock.now()).await?;
    }
    Ok(())
}

/// Copies all baselines, and forgets those that are gone. Those that come with Systems Manager hardly ever change: what they say
/// is asked for when they are not known, or when `all` of them are wanted.
///
/// # Errors
/// [`CopyError`]; what was copied before stays.
pub async fn baselines(db: &Db, ssm: &Ssm, clock: &dyn Clock, all: bool) -> Result<(), CopyError> {
    let connection = ssm.connection.id.as_str();
    let begun = clock.now();
    let known: HashMap<String, BaselineSummary> = baseline_queries::all(db, connection)
        .await?
        .into_iter()
        .filter(|one| one.is_given)
        .map(|one| (one.baseline_id.clone(), one))
        .collect();
    let mut same = Vec::new();
    let listed = baseline_ssm::list(ssm).await?;
    let mut groups = baseline_ssm::groups(ssm).await?;
    for one in listed {
        let holds = Holds {
            is_default: one.is_default,
            groups: groups.remove(&one.baseline_id).unwrap_or_default(),
        };
        match known.get(&one.baseline_id).filter(|_| !all) {
            Some(known) if known.is_default == holds.is_default && known.groups == holds.groups => {
                same.push(one.baseline_id);
                continue;
            }
            Some(_) => {
                baseline_keep::holds(db, connection, &one.baseline_id, &holds, clock.now()).await?;
                continue;
            }
            None => {}
        }
        // One that was deleted since it was listed is none.
        if let Some(live) = baseline_ssm::get(ssm, &one.baseline_id).await? {
            baseline_keep::keep(db, connection, &live, &holds, By::default(), clock.now()).await?;
        }
    }
    baseline_keep::seen(db, connection, &same, clock.now()).await?;
    baseline_keep::copied(db, connection, begun).await?;
    Ok(())
}

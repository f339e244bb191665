//! Brings what Systems Manager says of windows into the portal's copy: the list in rounds, one window at once where somebody
//! looks at it or has changed it; targets, tasks and executions of those that are said to be different, that are open, or
//! that were not looked at for long, because nothing tells of those.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::windows::{queries, runs, ssm};
use muster_domain::Timestamp;
use muster_domain::time::Clock;
use muster_store::{Db, StoreError};

/// Windows that are looked at in one go.
const AT_ONCE: i64 = 20;

/// Why copying did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Systems Manager did not answer.
    #[error("{0}")]
    Call(CallError),
}

impl From<CallError> for CopyError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Copies the list, and forgets windows that are gone.
///
/// # Errors
/// [`CopyError`]; what was copied before stays.
pub async fn list(db: &Db, ssm: &Ssm, clock: &dyn Clock) -> Result<(), CopyError> {
    let connection = ssm.connection.id.as_str();
    let begun = clock.now();
    let mut token = None;
    loop {
        let asked_at = clock.now();
        let (found, next) = ssm::list(ssm, token).await?;
        for one in &found {
            queries::keep(db, connection, one, asked_at).await?;
        }
        token = next;
        if token.is_none() {
            break;
        }
    }
    queries::copied(db, connection, begun).await?;
    Ok(())
}

/// Looks up targets, tasks and executions of some windows. Answers of how many.
///
/// # Errors
/// [`CopyError`].
pub async fn some_details(
    db: &Db,
    ssm: &Ssm,
    clock: &dyn Clock,
    (old_ms, open_ms): (i64, i64),
) -> Result<usize, CopyError> {
    let now = clock.now();
    let times = (now.plus_ms(-old_ms), now.plus_ms(-open_ms));
    let ids = queries::to_look_at(db, ssm.connection.id.as_str(), times, AT_ONCE).await?;
    for id in &ids {
        details(db, ssm, id, clock.now()).await?;
    }
    Ok(ids.len())
}

async fn details(db: &Db, ssm: &Ssm, id: &str, now: Timestamp) -> Result<(), CopyError> {
    let connection = ssm.connection.id.as_str();
    let (targets, tasks, runs) =
        tokio::join!(ssm::targets(ssm, id), ssm::task_ids(ssm, id), runs::runs(ssm, id));
    match (targets, tasks, runs) {
        (Ok(targets), Ok(tasks), Ok(runs)) => {
            let counts = (targets.len(), tasks.len());
            queries::looked(db, connection, id, counts, runs.first(), now).await?;
            Ok(())
        }
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
            if ssm::is_missing(&error) {
                queries::forget(db, connection, id).await?;
                return Ok(());
            }
            Err(error.into())
        }
    }
}

/// What one window is now, kept; forgotten where there is none.
///
/// # Errors
/// [`CopyError`].
pub async fn one(db: &Db, ssm: &Ssm, id: &str, now: Timestamp) -> Result<(), CopyError> {
    let connection = ssm.connection.id.as_str();
    match ssm::get(ssm, id).await? {
        Some(got) => {
            queries::keep(db, connection, &got.listed, now).await?;
            details(db, ssm, id, now).await
        }
        None => Ok(queries::forget(db, connection, id).await?),
    }
}

//! Brings what Systems Manager says of parameters into the portal's copy: all of them in rounds, one at once where
//! somebody looks at it or has written it, and labels as far as the budget of calls allows.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::parameters::{keep, queries, ssm};
use muster_domain::Timestamp;
use muster_domain::parameters::{ParameterSummary, name_key};
use muster_domain::time::Clock;
use muster_store::{Db, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Labels are looked up anew when they are older than this, in ms: somebody may have moved them outside the portal.
const LABELS_MS: i64 = 24 * 3_600_000;
/// Parameters whose labels are looked up in one go.
const LABELS_AT_ONCE: i64 = 20;
/// How long a deletion is remembered, in ms: longer than any call takes.
const GONE_MS: i64 = 600_000;

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

/// What was deleted a moment ago: an answer that was asked for before that must not bring it back.
#[derive(Clone, Debug, Default)]
pub struct Gone(Arc<Mutex<HashMap<String, Timestamp>>>);

impl Gone {
    /// Remembers that it was deleted.
    pub fn add(&self, name: &str, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, at| now.since_ms(*at) < GONE_MS);
        all.insert(name_key(name).to_owned(), now);
    }

    /// Whether it was deleted after that moment.
    fn is_since(&self, name: &str, asked_at: Timestamp) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(name_key(name)).is_some_and(|at| *at >= asked_at)
    }
}

/// Copies all parameters, and forgets those that are gone.
///
/// # Errors
/// [`CopyError`]; what was copied before stays.
pub async fn all(db: &Db, ssm: &Ssm, clock: &dyn Clock, gone: &Gone) -> Result<(), CopyError> {
    let connection = ssm.connection.id.as_str();
    let begun = clock.now();
    let mut token = None;
    loop {
        let asked_at = clock.now();
        let (mut found, next) = ssm::list(ssm, token, asked_at).await?;
        found.retain(|one| !gone.is_since(&one.name, asked_at));
        keep::keep(db, connection, &found).await?;
        token = next;
        if token.is_none() {
            break;
        }
    }
    keep::copied(db, connection, begun).await?;
    Ok(())
}

/// Looks up labels that were not looked up lately. Answers of how many parameters.
///
/// # Errors
/// [`CopyError`].
pub async fn some_labels(db: &Db, ssm: &Ssm, now: Timestamp) -> Result<usize, CopyError> {
    let connection = ssm.connection.id.as_str();
    let names = queries::unlabelled(db, connection, now.plus_ms(-LABELS_MS), LABELS_AT_ONCE).await?;
    for name in &names {
        match ssm::history(ssm, name).await {
            Ok(versions) => keep::labels(db, connection, name, &labels(&versions), now).await?,
            // Gone since it was listed; the next list forgets it.
            Err(error) if error.refused && !error.is_throttled() => {
                keep::labels(db, connection, name, &[], now).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(names.len())
}

/// The labels of these versions.
#[must_use]
pub fn labels(versions: &[ssm::Version]) -> Vec<(String, i64)> {
    versions
        .iter()
        .flat_map(|one| {
            one.version
                .labels
                .iter()
                .map(|label| (label.clone(), one.version.version))
        })
        .collect()
}

/// What one parameter is now, kept; nothing, and forgotten, where there is none.
///
/// # Errors
/// [`CopyError`].
pub async fn one(
    db: &Db,
    ssm: &Ssm,
    name: &str,
    now: Timestamp,
) -> Result<Option<ParameterSummary>, CopyError> {
    let connection = ssm.connection.id.as_str();
    let found = ssm::describe(ssm, name, now).await?;
    match &found {
        Some(found) => keep::keep(db, connection, std::slice::from_ref(found)).await?,
        None => keep::forget_one(db, connection, name).await?,
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_outlives_answers_that_were_on_their_way() {
        let gone = Gone::default();
        gone.add("/a", Timestamp(10));
        assert!(gone.is_since("a", Timestamp(5)) && gone.is_since("a", Timestamp(10)));
        assert!(!gone.is_since("a", Timestamp(11)), "made again since");
        gone.add("/b", Timestamp(10 + GONE_MS));
        assert!(!gone.is_since("a", Timestamp(5)), "long ago");
    }
}

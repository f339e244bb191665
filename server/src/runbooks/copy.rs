//! Brings runbooks into the portal's copy: the list in rounds, versions and texts when somebody looks and they are old.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::error::store;
use crate::runbooks::catalogue::{self, Listed};
use crate::runbooks::ssm;
use aws_sdk_ssm::types::DocumentIdentifier;
use muster_domain::runbooks::{RunbookOwner, RunbookSummary, RunbookVersion};
use muster_domain::{PortalError, Timestamp};
use muster_store::{Db, StoreError};

/// Descriptions are fetched anew when they are older than this, in ms: those of Amazon's change now and then.
const DESCRIPTION_MS: i64 = 24 * 3_600_000;

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

/// Versions are looked up anew when they are older than this, in ms. The embedded endpoint answers at once, and people who
/// change a runbook look at it.
const fn fresh_ms(embedded: bool) -> i64 {
    if embedded { 2_000 } else { 5 * 60_000 }
}

fn listed(ssm: &Ssm, document: &DocumentIdentifier) -> Listed {
    let owner_name = document.owner().unwrap_or_default().to_owned();
    let owner = match owner_name.as_str() {
        "Amazon" => RunbookOwner::Amazon,
        name if name == ssm.connection.account || ssm.connection.account.is_empty() => RunbookOwner::Own,
        _ => RunbookOwner::Shared,
    };
    Listed {
        name: document.name().unwrap_or_default().to_owned(),
        owner,
        owner_name,
        category: target(document.target_type().unwrap_or_default()),
        default_version: document.document_version().unwrap_or("1").to_owned(),
    }
}

/// What a target type names, in a word: `/AWS::EC2::Instance` is `EC2 Instance`.
fn target(target_type: &str) -> String {
    let name = target_type.trim_start_matches('/');
    let name = name.strip_prefix("AWS::").unwrap_or(name);
    name.replace("::", " ")
}

/// Copies the list of runbooks, and forgets those that are gone.
///
/// # Errors
/// [`CopyError`]; what was copied before stays.
pub async fn list(db: &Db, ssm: &Ssm, now: Timestamp) -> Result<(), CopyError> {
    let connection = ssm.connection.id.as_str();
    let mut token = None;
    loop {
        let (found, next) = ssm::list(ssm, None, token).await?;
        for document in &found {
            catalogue::keep(db, connection, &listed(ssm, document), now).await?;
        }
        token = next;
        if token.is_none() {
            break;
        }
    }
    catalogue::forget_older(db, connection, now).await?;
    Ok(())
}

/// Asks what some runbooks do that were not asked about lately. Answers how many.
///
/// # Errors
/// [`CopyError`].
pub async fn describe_some(db: &Db, ssm: &Ssm, now: Timestamp) -> Result<usize, CopyError> {
    let connection = ssm.connection.id.as_str();
    let before = now.plus_ms(-DESCRIPTION_MS);
    let names = catalogue::undescribed(db, connection, before, 20).await?;
    for name in &names {
        let described = match ssm::describe(ssm, name).await {
            Ok(described) => described,
            // Gone since it was listed; the next list forgets it.
            Err(error) if error.refused && !error.is_throttled() => None,
            Err(error) => return Err(error.into()),
        };
        let description = described.as_ref().and_then(|one| one.description());
        let category = described.as_ref().and_then(|one| one.category().first());
        let told = (
            description.unwrap_or_default(),
            category.map(String::as_str).unwrap_or_default(),
        );
        catalogue::describe(db, connection, name, told, now).await?;
    }
    Ok(names.len())
}

fn missing(name: &str) -> PortalError {
    PortalError::NotFound {
        what: format!("The runbook {name}"),
    }
}

/// One runbook, also one that was made since the list was copied; its versions are looked up when they are old, and the
/// copy serves when that fails.
///
/// # Errors
/// When there is no such runbook.
pub async fn known(db: &Db, ssm: &Ssm, name: &str, now: Timestamp) -> Result<RunbookSummary, PortalError> {
    let connection = ssm.connection.id.as_str();
    let mut found = catalogue::get(db, connection, name).await.map_err(store)?;
    if found.is_none() {
        let (listing, _) = ssm::list(ssm, Some(name), None)
            .await
            .map_err(|error| error.to_portal())?;
        let document = listing.iter().find(|document| document.name() == Some(name));
        let document = document.ok_or_else(|| missing(name))?;
        catalogue::keep(db, connection, &listed(ssm, document), now)
            .await
            .map_err(store)?;
        found = catalogue::get(db, connection, name).await.map_err(store)?;
    }
    let (summary, versions_at) = found.ok_or_else(|| missing(name))?;
    if now.since_ms(versions_at) <= fresh_ms(ssm.connection.embedded) {
        return Ok(summary);
    }
    match ssm::versions(ssm, name).await {
        Ok(versions) => {
            let versions: Vec<RunbookVersion> = versions
                .iter()
                .map(|one| RunbookVersion {
                    version: one.document_version().unwrap_or_default().to_owned(),
                    version_name: one.version_name().unwrap_or_default().to_owned(),
                    created_at: ssm::stamp(one.created_date()),
                    is_default: one.is_default_version(),
                })
                .collect();
            catalogue::put_versions(db, connection, name, &versions, now)
                .await
                .map_err(store)?;
        }
        Err(error) if versions_at == Timestamp(0) => return Err(error.to_portal()),
        Err(error) => tracing::debug!(%error, name, "the versions of a runbook could not be looked up"),
    }
    Ok(summary)
}

/// The text of a version and its hash, fetched where it is not here yet.
///
/// # Errors
/// When there is no such version, or its text cannot be fetched.
pub async fn text(db: &Db, ssm: &Ssm, name: &str, version: &str) -> Result<(String, String), PortalError> {
    let connection = ssm.connection.id.as_str();
    if let Some(found) = catalogue::text(db, connection, name, version)
        .await
        .map_err(store)?
    {
        return Ok(found);
    }
    let fetched = ssm::text(ssm, name, Some(version))
        .await
        .map_err(|error| match error.code.as_str() {
            "InvalidDocument" | "InvalidDocumentVersion" => PortalError::NotFound {
                what: format!("Version {version} of the runbook {name}"),
            },
            _ => error.to_portal(),
        })?;
    let hash = catalogue::put_text(db, connection, name, version, &fetched.content)
        .await
        .map_err(store)?;
    Ok((hash, fetched.content))
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_target_type_is_said_in_words() {
        assert_eq!(target("/AWS::EC2::Instance"), "EC2 Instance");
        assert_eq!(target("/"), "");
        assert_eq!(target(""), "");
    }
}

//! Labels of versions: which texts are labels, how many a version may have, and how one moves.

use super::label_queries;
use super::name::Name;
use super::{no_version, not_found, queries};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};

/// Labels of one version at most.
const MAX_LABELS: usize = 10;

/// Letters, digits and `.-_`, not beginning with a digit, `aws` or `ssm`.
pub(crate) fn is_label(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}

/// Gives that version those labels, wherever they were; the newest version when none is named. Gives the version.
pub(crate) async fn put(
    plane: &ControlPlane,
    region: &str,
    name: &Name,
    version: Option<i64>,
    labels: &[String],
) -> ApiResult<i64> {
    let _turn = plane.parameter_turns.of((region, name.key.as_str())).await;
    let mut transaction = plane.db.begin().await?;
    if !queries::lock(&mut transaction, region, &name.key).await? {
        return Err(not_found());
    }
    let row = match version {
        Some(version) => queries::version(&mut *transaction, region, &name.key, version)
            .await?
            .ok_or_else(|| no_version(&version.to_string(), &name.spelled))?,
        None => queries::current(&mut *transaction, region, &name.key)
            .await?
            .ok_or_else(not_found)?,
    };
    let mut there = label_queries::labels_of(&mut *transaction, region, &name.key, Some(row.version)).await?;
    there.extend(labels.iter().map(|label| (label.clone(), row.version)));
    there.sort();
    there.dedup();
    if there.len() > MAX_LABELS {
        return Err(ApiError::new(
            "ParameterVersionLabelLimitExceeded",
            format!(
                "A parameter version can have maximum {MAX_LABELS} labels. Move one or more labels to another version and \
                 try again."
            ),
        ));
    }
    for label in labels {
        label_queries::put_label(&mut *transaction, region, &name.key, label, row.version).await?;
    }
    transaction.commit().await?;
    Ok(row.version)
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn labels_are_told_from_other_texts() {
        for good in ["live", "Prod-1", "a.b_c", &"x".repeat(100)] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", "1st", "awsx", "SSM", "a b", "ä", "a/b", &"x".repeat(101)] {
            assert!(!is_label(bad), "{bad}");
        }
    }
}

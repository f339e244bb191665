//! Compliance: what holds on which resource and what does not, as associations, patching and anybody else report it. One
//! file per operation. Items about patches are read from the inventory of their node, all others are rows.

pub(crate) mod filters;
pub(crate) mod list_compliance_items;
pub(crate) mod list_compliance_summaries;
pub(crate) mod list_resource_compliance_summaries;
pub(crate) mod put_compliance_items;
pub(crate) mod queries;

use crate::errors::ApiResult;
use queries::{Execution, Item, Resource, ResourceRow};
use serde::{Deserialize, Serialize};
use sqlx::{Any, Transaction};

/// What associations report.
pub(crate) const ASSOCIATION: &str = "Association";
/// What patching reports.
pub(crate) const PATCH: &str = "Patch";

/// From the worst.
pub(crate) const SEVERITIES: [&str; 6] = [
    "CRITICAL",
    "HIGH",
    "MEDIUM",
    "LOW",
    "INFORMATIONAL",
    "UNSPECIFIED",
];

/// How many of each severity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SeveritySummary {
    critical_count: i64,
    high_count: i64,
    medium_count: i64,
    low_count: i64,
    informational_count: i64,
    unspecified_count: i64,
}

impl SeveritySummary {
    /// Adds so many of one.
    pub(crate) fn add(&mut self, severity: &str, count: i64) {
        *match severity {
            "CRITICAL" => &mut self.critical_count,
            "HIGH" => &mut self.high_count,
            "MEDIUM" => &mut self.medium_count,
            "LOW" => &mut self.low_count,
            "INFORMATIONAL" => &mut self.informational_count,
            _ => &mut self.unspecified_count,
        } += count;
    }

    /// All of them.
    pub(crate) fn total(&self) -> i64 {
        self.critical_count
            + self.high_count
            + self.medium_count
            + self.low_count
            + self.informational_count
            + self.unspecified_count
    }
}

/// What is reported about a resource.
pub(crate) struct Put<'a> {
    pub(crate) compliance_type: &'a str,
    pub(crate) items: Vec<Item>,
    pub(crate) execution: &'a Execution,
    /// Whether items that are not among these stay.
    pub(crate) is_partial: bool,
    pub(crate) content_hash: &'a str,
}

/// Of several items: status and severity of the whole, and the counts of both kinds.
pub(crate) fn summed<'a>(
    items: impl Iterator<Item = (&'a str, &'a str)>,
) -> (&'static str, &'static str, SeveritySummary, SeveritySummary) {
    let (mut good, mut bad) = (SeveritySummary::default(), SeveritySummary::default());
    let mut worst = SEVERITIES.len() - 1;
    for (status, severity) in items {
        if status == "COMPLIANT" {
            good.add(severity, 1);
        } else {
            bad.add(severity, 1);
            let place = SEVERITIES.iter().position(|known| *known == severity);
            worst = worst.min(place.unwrap_or(SEVERITIES.len() - 1));
        }
    }
    let status = if bad.total() > 0 {
        "NON_COMPLIANT"
    } else {
        "COMPLIANT"
    };
    (
        status,
        SEVERITIES.get(worst).copied().unwrap_or("UNSPECIFIED"),
        good,
        bad,
    )
}

/// Writes a report down, and what it makes of the resource as a whole.
pub(crate) async fn put(
    transaction: &mut Transaction<'static, Any>,
    resource: &Resource,
    put: Put<'_>,
) -> ApiResult<()> {
    let kind = put.compliance_type;
    if !put.is_partial {
        queries::delete_items(&mut **transaction, resource, kind).await?;
    }
    queries::put_items(transaction, resource, kind, &put.items, put.execution).await?;
    let all = queries::states(&mut **transaction, resource, kind).await?;
    let (status, severity, compliant, non_compliant) = summed(
        all.iter()
            .map(|(status, severity)| (status.as_str(), severity.as_str())),
    );
    let row = ResourceRow {
        resource: resource.clone(),
        compliance_type: kind.to_owned(),
        status: status.to_owned(),
        severity: severity.to_owned(),
        compliant,
        non_compliant,
        content_hash: put.content_hash.to_owned(),
        execution: put.execution.clone(),
    };
    queries::put_resource(&mut **transaction, &row).await
}

/// Takes an item away from a resource.
pub(crate) async fn take_away(
    transaction: &mut Transaction<'static, Any>,
    resource: &Resource,
    compliance_type: &str,
    item_id: &str,
) -> ApiResult<()> {
    queries::delete_item(&mut **transaction, resource, compliance_type, item_id).await?;
    let left = queries::states(&mut **transaction, resource, compliance_type).await?;
    if left.is_empty() {
        return queries::delete_resource(&mut **transaction, resource, compliance_type).await;
    }
    let Some(row) = queries::resource(&mut **transaction, resource, compliance_type).await? else {
        return Ok(());
    };
    let (status, severity, compliant, non_compliant) = summed(
        left.iter()
            .map(|(status, severity)| (status.as_str(), severity.as_str())),
    );
    let row = ResourceRow {
        status: status.to_owned(),
        severity: severity.to_owned(),
        compliant,
        non_compliant,
        ..row
    };
    queries::put_resource(&mut **transaction, &row).await
}

/// Takes an item away wherever it is: what it spoke of is gone.
pub(crate) async fn forget_item(
    transaction: &mut Transaction<'static, Any>,
    region: &str,
    compliance_type: &str,
    item_id: &str,
) -> ApiResult<()> {
    for row in queries::with_item(&mut **transaction, region, compliance_type, item_id).await? {
        take_away(transaction, &row.resource, compliance_type, item_id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_what_does_not_hold_counts() {
        let items = [
            ("COMPLIANT", "CRITICAL"),
            ("NON_COMPLIANT", "LOW"),
            ("NON_COMPLIANT", "HIGH"),
            ("NON_COMPLIANT", "nonsense"),
        ];
        let (status, severity, good, bad) = summed(items.into_iter());
        assert_eq!((status, severity), ("NON_COMPLIANT", "HIGH"));
        assert_eq!((good.total(), bad.total(), bad.unspecified_count), (1, 3, 1));
        let (status, severity, ..) = summed([("COMPLIANT", "CRITICAL")].into_iter());
        assert_eq!((status, severity), ("COMPLIANT", "UNSPECIFIED"));
    }
}

//! `DescribeInstancePatchStatesForPatchGroup`: of the nodes of a group, filtered by their counts.

use super::describe_instance_patch_states::{Output, paged};
use super::shapes::PATCH_GROUP;
use super::state_queries::states_sql;
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{ANY_TEXT, Member, NEXT_TOKEN, Shape, list, one_of, optional, required, text, whole};
use serde::Deserialize;

pub(crate) const INPUT: &[Member] = &[
    required("PatchGroup", PATCH_GROUP),
    optional(
        "Filters",
        list(
            0,
            4,
            &Shape::Record(&[
                required("Key", text(1, 200)),
                required("Values", list(1, 1, &ANY_TEXT)),
                required("Type", one_of(&["Equal", "NotEqual", "LessThan", "GreaterThan"])),
            ]),
        ),
    ),
    optional("NextToken", NEXT_TOKEN),
    optional("MaxResults", whole(10, 100)),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    values: Vec<String>,
    #[serde(rename = "Type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    patch_group: String,
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

const KEYS: [(&str, &str); 10] = [
    ("InstalledCount", " and installed_count "),
    ("InstalledOtherCount", " and installed_other_count "),
    (
        "InstalledPendingRebootCount",
        " and installed_pending_reboot_count ",
    ),
    ("InstalledRejectedCount", " and installed_rejected_count "),
    ("MissingCount", " and missing_count "),
    ("FailedCount", " and failed_count "),
    (
        "AvailableSecurityUpdateCount",
        " and available_security_update_count ",
    ),
    ("CriticalNonCompliantCount", " and critical_non_compliant_count "),
    ("SecurityNonCompliantCount", " and security_non_compliant_count "),
    ("OtherNonCompliantCount", " and other_non_compliant_count "),
];

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let mut sql = states_sql(&call.region);
    sql.push(" and patch_group = ").text(&input.patch_group);
    let filters = input.filters.unwrap_or_default();
    for filter in &filters {
        let column = KEYS
            .iter()
            .find(|(key, _)| *key == filter.key)
            .map(|(_, column)| *column);
        let column = column.ok_or_else(|| {
            let keys: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
            ApiError::new(
                "InvalidFilter",
                format!("The filter key {} is not one of {}.", filter.key, keys.join(", ")),
            )
        })?;
        let number = filter.values.first().and_then(|value| value.trim().parse().ok());
        let number = number.ok_or_else(|| {
            ApiError::new(
                "InvalidFilter",
                format!("The filter {} needs a whole number.", filter.key),
            )
        })?;
        sql.push(column).push(match filter.kind.as_str() {
            "Equal" => "= ",
            "NotEqual" => "<> ",
            "LessThan" => "< ",
            _ => "> ",
        });
        sql.int(number);
    }
    let question: Vec<(&str, &str, Option<&String>)> = filters
        .iter()
        .map(|filter| (filter.key.as_str(), filter.kind.as_str(), filter.values.first()))
        .collect();
    let scope = format!(
        "DescribeInstancePatchStatesForPatchGroup|{}|{}|{question:?}",
        call.region, input.patch_group
    );
    paged(plane, &scope, sql, input.next_token.as_deref(), input.max_results).await
}

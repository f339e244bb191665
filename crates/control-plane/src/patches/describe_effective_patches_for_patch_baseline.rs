//! `DescribeEffectivePatchesForPatchBaseline`: what a baseline says of the updates that its nodes have found.

use super::available_queries::available;
use super::describe_available_patches::{Shown, shown};
use super::find;
use super::shapes::BASELINE_ID;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, required, whole};
use muster_domain::Timestamp;
use muster_patching::{Verdict, verdict};
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    required("BaselineId", BASELINE_ID),
    optional("MaxResults", whole(1, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    baseline_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    deployment_status: &'static str,
    compliance_level: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_date: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Effective {
    patch: Shown,
    patch_status: Status,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    effective_patches: Vec<Effective>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn status(of: Verdict) -> Option<Status> {
    let (deployment_status, compliance_level, approval_date) = match of {
        Verdict::Approved {
            level,
            is_explicit: true,
        } => ("EXPLICIT_APPROVED", level, None),
        Verdict::Approved { level, .. } => ("APPROVED", level, None),
        Verdict::Pending { until_ms, level } => {
            ("PENDING_APPROVAL", level, Some(seconds(Timestamp(until_ms))))
        }
        Verdict::Rejected => ("EXPLICIT_REJECTED", "UNSPECIFIED".to_owned(), None),
        Verdict::NotMeant => return None,
    };
    Some(Status {
        deployment_status,
        compliance_level,
        approval_date,
    })
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let row = find(plane, &call.region, &input.baseline_id).await?;
    let scope = format!(
        "DescribeEffectivePatchesForPatchBaseline|{}|{}",
        call.region, row.baseline_id
    );
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let limit = input.max_results.unwrap_or(100);
    let system = Some(row.baseline.operating_system.as_str());
    let rows = available(plane.db.reader(), &call.region, system, &after, limit + 1).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |(key, _, _)| {
        vec![key.clone()]
    });
    let effective = rows.into_iter().filter_map(|(_, _, patch)| {
        let patch_status = status(verdict(&row.baseline, &patch, call.now.0))?;
        Some(Effective {
            patch: shown(patch),
            patch_status,
        })
    });
    Ok(Output {
        effective_patches: effective.collect(),
        next_token,
    })
}

//! `DescribeAvailablePatches`: updates that the nodes of this region have found in their repositories. The service tells of
//! all that its vendors have; here the nodes are who knows. It counts before it filters, so a page may be short.

use super::available_queries::available;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::fleet::seconds;
use crate::operations::Call;
use crate::paging::page;
use crate::validation::{Member, NEXT_TOKEN, optional, whole};
use crate::windows::filters::{FILTERS, Filter, Filters};
use muster_domain::Timestamp;
use muster_patching::Patch;
use serde::{Deserialize, Serialize};

pub(crate) const INPUT: &[Member] = &[
    FILTERS,
    optional("MaxResults", whole(1, 100)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// An update as it is answered; what nobody knows is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Shown {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    product_family: String,
    product: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    classification: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    severity: String,
    #[serde(rename = "CVEIds", skip_serializing_if = "Vec::is_empty")]
    cve_ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advisory_ids: Vec<String>,
    name: String,
    epoch: i64,
    version: String,
    release: String,
    arch: String,
    repository: String,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    release_date: Option<f64>,
}

pub(crate) fn shown(patch: Patch) -> Shown {
    let (epoch, rest) = patch.version.split_once(':').unwrap_or(("0", &patch.version));
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    Shown {
        id: format!("{}.{}:{}", patch.name, patch.arch, patch.version),
        release_date: patch.released_ms.map(|at| seconds(Timestamp(at))),
        title: patch.title,
        product_family: patch
            .product
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
            .to_owned(),
        epoch: epoch.parse().unwrap_or_default(),
        version: version.to_owned(),
        release: release.to_owned(),
        product: patch.product,
        classification: patch.classification,
        severity: patch.severity,
        cve_ids: patch.cve_ids,
        advisory_ids: patch.advisory_ids,
        name: patch.name,
        arch: patch.arch,
        repository: patch.repository,
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    patches: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

const KEYS: [&str; 17] = [
    "PRODUCT",
    "PRODUCT_FAMILY",
    "CLASSIFICATION",
    "SEVERITY",
    "NAME",
    "PATCH_ID",
    "ARCH",
    "VERSION",
    "EPOCH",
    "RELEASE",
    "REPOSITORY",
    "SECTION",
    "PRIORITY",
    "SECURITY",
    "PATCH_SET",
    "ADVISORY_ID",
    "CVE_ID",
];

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let filters = Filters::read(input.filters, &KEYS)?;
    let group = muster_patching::FilterGroup {
        patch_filters: filters
            .all()
            .iter()
            .map(|(key, values)| muster_patching::Filter {
                key: key.clone(),
                values: values.clone(),
            })
            .collect(),
    };
    let scope = format!("DescribeAvailablePatches|{}|{:?}", call.region, filters.all());
    let after = plane.tokens.after(&scope, input.next_token.as_deref())?;
    let limit = input.max_results.unwrap_or(100);
    let rows = available(plane.db.reader(), &call.region, None, &after, limit + 1).await?;
    let (rows, next_token) = page(&plane.tokens, &scope, rows, limit, |(key, _, _)| {
        vec![key.clone()]
    });
    Ok(Output {
        patches: rows
            .into_iter()
            .filter(|(_, _, patch)| muster_patching::fits(&group, patch))
            .map(|(_, _, patch)| shown(patch))
            .collect(),
        next_token,
    })
}

//! `DescribePatchProperties`: the values that filters of a baseline may have, as forms offer them.

use super::available_queries::available;
use super::shapes::OPERATING_SYSTEM;
use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::operations::Call;
use crate::paging::page_of_whole;
use crate::validation::{Member, NEXT_TOKEN, one_of, optional, required, whole};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const INPUT: &[Member] = &[
    required("OperatingSystem", OPERATING_SYSTEM),
    required(
        "Property",
        one_of(&[
            "PRODUCT",
            "PRODUCT_FAMILY",
            "CLASSIFICATION",
            "MSRC_SEVERITY",
            "PRIORITY",
            "SEVERITY",
        ]),
    ),
    optional("PatchSet", one_of(&["OS", "APPLICATION"])),
    optional("MaxResults", whole(1, 50)),
    optional("NextToken", NEXT_TOKEN),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    operating_system: String,
    property: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    properties: Vec<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Under which name a value is answered.
fn member(property: &str) -> &'static str {
    match property {
        "PRODUCT" => "Name",
        "PRODUCT_FAMILY" => "ProductFamily",
        "CLASSIFICATION" => "Classification",
        "PRIORITY" => "Priority",
        "MSRC_SEVERITY" => "MsrcSeverity",
        _ => "Severity",
    }
}

/// What is known of an operating system without having seen a node of it.
fn known(operating_system: &str, property: &str) -> &'static [&'static str] {
    let is_apt = matches!(operating_system, "DEBIAN" | "UBUNTU" | "RASPBIAN");
    match (property, operating_system) {
        ("PRODUCT", "DEBIAN") => &["Debian10", "Debian11", "Debian12", "Debian13"],
        ("PRODUCT", "UBUNTU") => &["Ubuntu20.04", "Ubuntu22.04", "Ubuntu24.04"],
        ("PRIORITY", _) if is_apt => &["Required", "Important", "Standard", "Optional", "Extra"],
        ("CLASSIFICATION", "WINDOWS") => &["CriticalUpdates", "SecurityUpdates", "UpdateRollups", "Updates"],
        ("CLASSIFICATION", _) => &["Security", "Bugfix", "Enhancement", "Recommended", "Newpackage"],
        ("SEVERITY", _) if !is_apt => &["Critical", "Important", "Medium", "Low"],
        ("MSRC_SEVERITY", "WINDOWS") => &["Critical", "Important", "Moderate", "Low", "Unspecified"],
        _ => &[],
    }
}

/// Available updates that are looked at for their products.
const LOOKED_AT: usize = 1_000;

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (system, property) = (input.operating_system.as_str(), input.property.as_str());
    let mut values: BTreeSet<String> = known(system, property)
        .iter()
        .map(|&value| value.to_owned())
        .collect();
    if matches!(property, "PRODUCT" | "SEVERITY") {
        let rows = available(plane.db.reader(), &call.region, Some(system), "", LOOKED_AT).await?;
        let found = rows.into_iter().map(|(_, _, patch)| {
            if property == "PRODUCT" {
                patch.product
            } else {
                patch.severity
            }
        });
        values.extend(found.filter(|value| !value.is_empty()));
    }
    let rows = values.into_iter().map(|value| (value.clone(), value)).collect();
    let scope = format!("DescribePatchProperties|{}|{system}|{property}", call.region);
    let limit = input.max_results.unwrap_or(50);
    let (page, next_token) = page_of_whole(&plane.tokens, &scope, input.next_token.as_deref(), rows, limit)?;
    let shown = |(_, value)| BTreeMap::from([(member(property), value)]);
    Ok(Output {
        properties: page.into_iter().map(shown).collect(),
        next_token,
    })
}

//! What an execution is to be run over: values of a parameter, nodes by tags or groups, or maps of parameters. Who runs them
//! at which pace is `fan_out.rs`.

use super::MOST_TARGETS;
use crate::commands::targets::{Target, by_targets};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::{Declared, Given};
use crate::errors::{ApiError, ApiResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const VALUES: &str = "ParameterValues";
const GROUP: &str = "ResourceGroup";
/// How many run at once, unless told otherwise, and how many may fail.
const MAX_CONCURRENCY: &str = "10";
const MAX_ERRORS: &str = "0";

/// What a caller asks for, in the service's words.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Asked {
    pub(crate) target_parameter_name: Option<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) target_maps: Vec<Given>,
    pub(crate) max_concurrency: Option<String>,
    pub(crate) max_errors: Option<String>,
}

/// What is kept of it: with how many targets it came to.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Plan {
    pub(crate) target_parameter_name: String,
    pub(crate) targets: Vec<Target>,
    pub(crate) target_maps: Vec<Given>,
    pub(crate) max_concurrency: String,
    pub(crate) max_errors: String,
    pub(crate) count: i64,
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidAutomationExecutionParametersException", message)
}

impl Asked {
    /// Whether there are targets; what belongs to them may not stand alone.
    pub(crate) fn has_targets(&self) -> ApiResult<bool> {
        if !self.targets.is_empty() || !self.target_maps.is_empty() {
            return Ok(true);
        }
        for (name, is_given) in [
            ("TargetParameterName", self.target_parameter_name.is_some()),
            ("MaxConcurrency", self.max_concurrency.is_some()),
            ("MaxErrors", self.max_errors.is_some()),
        ] {
            if is_given {
                return Err(invalid(format!(
                    "{name}: it belongs to Targets or TargetMaps; give those too."
                )));
            }
        }
        Ok(false)
    }

    /// The parameters that targets give, which the caller need not.
    pub(crate) fn parameters(&self) -> BTreeSet<String> {
        let of_maps = self.target_maps.iter().flat_map(|map| map.keys().cloned());
        self.target_parameter_name
            .iter()
            .cloned()
            .chain(of_maps)
            .collect()
    }

    /// The group that is named, for the filter.
    pub(crate) fn group(&self) -> String {
        let group = self.targets.iter().find(|target| target.key == GROUP);
        group
            .and_then(|target| target.values.first())
            .cloned()
            .unwrap_or_default()
    }

    /// What each target gives, and what is kept of all.
    pub(crate) async fn resolved(
        &self,
        plane: &ControlPlane,
        region: &str,
        declared: &Declared,
    ) -> ApiResult<(Plan, Vec<Given>)> {
        let given = match (self.targets.is_empty(), self.target_maps.is_empty()) {
            (false, false) => return Err(invalid("Targets: give them or TargetMaps, not both.")),
            (true, _) => self.target_maps.clone(),
            (false, true) => {
                let name = self.target_parameter_name.as_deref().ok_or_else(|| {
                    invalid("TargetParameterName: it has to name the parameter that Targets give values for.")
                })?;
                let values = self.values(plane, region).await?;
                values
                    .into_iter()
                    .map(|value| Given::from([(name.to_owned(), vec![value])]))
                    .collect()
            }
        };
        if let Some(name) = self
            .parameters()
            .iter()
            .find(|name| !declared.contains_key(*name))
        {
            return Err(invalid(format!(
                "TargetParameterName: the document declares no parameter {name}."
            )));
        }
        if given.len() > MOST_TARGETS {
            return Err(ApiError::new(
                "InvalidTarget",
                format!(
                    "Targets: they are {}, and {MOST_TARGETS} are the most.",
                    given.len()
                ),
            ));
        }
        let plan = Plan {
            target_parameter_name: self.target_parameter_name.clone().unwrap_or_default(),
            targets: self.targets.clone(),
            target_maps: self.target_maps.clone(),
            max_concurrency: self
                .max_concurrency
                .clone()
                .unwrap_or_else(|| MAX_CONCURRENCY.into()),
            max_errors: self.max_errors.clone().unwrap_or_else(|| MAX_ERRORS.into()),
            count: i64::try_from(given.len()).unwrap_or(i64::MAX),
        };
        Ok((plan, given))
    }

    /// One value for each target.
    async fn values(&self, plane: &ControlPlane, region: &str) -> ApiResult<Vec<String>> {
        if self.targets.iter().any(|target| target.key == VALUES) {
            let [only] = self.targets.as_slice() else {
                return Err(invalid("Targets: ParameterValues stands alone."));
            };
            let mut seen = BTreeSet::new();
            let new = only.values.iter().filter(|value| seen.insert(*value));
            return Ok(new.cloned().collect());
        }
        let as_commands_name = |target: &Target| Target {
            key: match target.key.as_str() {
                GROUP => "resource-groups:Name".to_owned(),
                key => key.to_owned(),
            },
            values: target.values.clone(),
        };
        let is_known = |key: &str| {
            let lower = key.to_ascii_lowercase();
            key.starts_with("tag:")
                || [
                    "tag-key",
                    "instanceids",
                    "resource-groups:name",
                    "resource-groups:resourcetypefilters",
                ]
                .contains(&lower.as_str())
        };
        let targets: Vec<Target> = self.targets.iter().map(as_commands_name).collect();
        if let Some(bad) = targets.iter().find(|target| !is_known(&target.key)) {
            return Err(invalid(format!(
                "Target key can have only following values : ParameterValues, ResourceGroup, InstanceIds, tag-key, tag:<name>; \
                 {} is none of them.",
                bad.key
            )));
        }
        let nodes = by_targets(plane, region, &targets).await?;
        Ok(nodes.into_iter().map(|node| node.node_id).collect())
    }
}

/// A target as it is told.
pub(crate) fn told(given: &Given) -> String {
    let mut values = given.values();
    match (values.next().map(Vec::as_slice), values.next()) {
        (Some([only]), None) => only.clone(),
        _ => serde_json::to_string(given).unwrap_or_default(),
    }
}

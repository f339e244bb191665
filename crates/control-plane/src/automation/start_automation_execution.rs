//! `StartAutomationExecution`. The document is kept as it is now: what is changed later changes nothing of this execution.

use super::queries::{self, ExecutionRow};
use super::targets::Asked;
use super::{MOST_OPEN, PARAMETERS, TAGS, target_queries};
use crate::associations::definition::{ALARM_CONFIGURATION, LOCATIONS, MAPS, MAX_CONCURRENCY, MAX_ERRORS};
use crate::client_tokens::Once;
use crate::commands::shapes::REMOTE_TARGETS;
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::documents::built_in::default_text;
use crate::documents::parameters::{self, Declared, Given};
use crate::documents::shown::{self, Shown};
use crate::documents::{NAME, VERSION, text as document_text};
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::parameters::references;
use crate::signature::Caller;
use crate::tags::{self, TagInput};
use crate::validation::{self, Member, Pattern, matching, one_of, optional, required, sensitive, text};
use muster_automation::Stop;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Any, Transaction};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const TOKEN: validation::Shape = matching(
    36,
    36,
    Pattern {
        text: "[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}",
        holds: |text| validation::is_uuid(&text.to_ascii_lowercase()),
    },
);
pub(crate) const LOCATIONS_URL: validation::Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^https:\\/\\/[-a-zA-Z0-9@:%._\\+~#=]{1,253}\\.s3(\\.[a-z\\d-]{9,16})?\\.amazonaws\\.com\\/.{1,2000}",
        holds: |text| text.starts_with("https://") && text.contains(".amazonaws.com/"),
    },
);

pub(crate) const INPUT: &[Member] = &[
    required("DocumentName", NAME),
    optional("DocumentVersion", VERSION),
    sensitive(optional("Parameters", PARAMETERS)),
    optional("ClientToken", TOKEN),
    optional("Mode", one_of(&["Auto", "Interactive"])),
    optional("TargetParameterName", text(1, 50)),
    optional("Targets", REMOTE_TARGETS),
    MAPS,
    MAX_CONCURRENCY,
    MAX_ERRORS,
    LOCATIONS,
    optional("Tags", validation::TAGS),
    ALARM_CONFIGURATION,
    optional("TargetLocationsURL", LOCATIONS_URL),
];

/// Runbooks that start runbooks, at most.
pub(crate) const MOST_DEEP: usize = 5;

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    document_name: String,
    document_version: Option<String>,
    parameters: Option<Given>,
    #[serde(skip_serializing)]
    client_token: Option<String>,
    mode: Option<String>,
    tags: Option<Value>,
    target_parameter_name: Option<String>,
    targets: Option<Vec<Target>>,
    target_maps: Option<Vec<Given>>,
    max_concurrency: Option<String>,
    max_errors: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    automation_execution_id: String,
}

/// What is to be started. Its id is the call's fresh one.
pub(crate) struct Wanted {
    pub(crate) document: String,
    pub(crate) version: Option<String>,
    pub(crate) parameters: Given,
    pub(crate) parent_id: String,
    pub(crate) executed_by: String,
    /// What it is run over, where it is not one execution.
    pub(crate) asked: Option<Asked>,
    pub(crate) is_interactive: bool,
}

/// An execution that may be written down, and what each of its targets gives.
pub(crate) struct Prepared {
    pub(crate) row: ExecutionRow,
    given: Vec<Given>,
}

impl Prepared {
    /// Writes it down.
    pub(crate) async fn insert(&self, transaction: &mut Transaction<'static, Any>) -> ApiResult<()> {
        queries::insert(&mut **transaction, &self.row).await?;
        target_queries::insert(transaction, &self.row.execution_id, &self.given).await
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidAutomationExecutionParametersException", message)
}

/// What is given against what the document declares, in the service's words; with the defaults of what is not.
/// What targets give need not be given.
async fn meant(
    plane: &ControlPlane,
    call: &Call,
    declared: &Declared,
    given: Given,
    by_targets: &BTreeSet<String>,
) -> ApiResult<Given> {
    let unknown: Vec<&str> = given
        .keys()
        .filter(|name| !declared.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(invalid(format!(
            "Undefined execution inputs: [{}].",
            unknown.join(", ")
        )));
    }
    let named: Vec<String> = given.keys().cloned().collect();
    let mut all = given;
    for (name, one) in declared {
        if all.contains_key(name) || by_targets.contains(name) {
            continue;
        }
        let default = match &one.default {
            Some(Value::Array(items)) => items.iter().map(muster_automation::text_of).collect(),
            Some(_) => default_text(one).into_iter().collect(),
            None => {
                return Err(invalid(format!(
                    "Missing required parameter: {name} in user inputs."
                )));
            }
        };
        all.insert(name.clone(), default);
    }
    let all = match references::resolved(plane, call, declared, &all).await? {
        Some(resolved) => resolved,
        None => all,
    };
    for (name, one) in declared {
        let values = all.get(name).map(Vec::as_slice).unwrap_or_default();
        if !all.contains_key(name) {
            continue;
        }
        // A default of nothing stands for that nothing was given.
        if !named.contains(name) && values.iter().all(String::is_empty) {
            continue;
        }
        if let Some(value) = values
            .iter()
            .find(|value| !one.allowed_values.is_empty() && !one.allowed_values.contains(value))
        {
            return Err(invalid(format!(
                "Parameter \"{name}\" has value \"{value}\" not found in [{}].",
                one.allowed_values.join(", ")
            )));
        }
        parameters::check_one(name, one, values)
            .map_err(|error| invalid(error.message.unwrap_or_default()))?;
    }
    Ok(all)
}

/// The runbook that is meant.
pub(crate) async fn document(
    plane: &ControlPlane,
    region: &str,
    name: &str,
    version: Option<&str>,
) -> ApiResult<Shown> {
    let not_found = |message: String| ApiError::new("AutomationDefinitionNotFoundException", message);
    let found = shown::find(plane, region, name, version, None)
        .await
        .map_err(|error| match error.code {
            "InvalidDocument" => not_found(format!("Automation document {name} can't be found.")),
            "InvalidDocumentVersion" => ApiError::new(
                "AutomationDefinitionVersionNotFoundException",
                format!("Automation document {name} has no such version."),
            ),
            _ => error,
        })?;
    if found.content.automation().is_none() {
        return Err(not_found(format!(
            "{} is a document of the type {}, not Automation.",
            found.name, found.document_type
        )));
    }
    Ok(found)
}

/// An execution that may be written down.
pub(crate) async fn prepared(plane: &ControlPlane, call: &Call, wanted: Wanted) -> ApiResult<Prepared> {
    let found = document(plane, &call.region, &wanted.document, wanted.version.as_deref()).await?;
    let content = found
        .content
        .automation()
        .ok_or_else(|| ApiError::internal("a runbook is none"))?;
    let (plan, given) = match &wanted.asked {
        None => (None, Vec::new()),
        Some(asked) => {
            let (plan, given) = asked.resolved(plane, &call.region, &content.parameters).await?;
            (Some(plan), given)
        }
    };
    let by_targets = wanted.asked.as_ref().map(Asked::parameters).unwrap_or_default();
    let parameters = meant(plane, call, &content.parameters, wanted.parameters, &by_targets).await?;
    let variables = content.document.variables.iter();
    let row = ExecutionRow {
        region: call.region.clone(),
        execution_id: call.fresh_id.clone(),
        document_version: found.version.to_string(),
        content: document_text::parse(&found.text, &found.format)?,
        parameters,
        variables: variables
            .map(|(name, variable)| (name.clone(), variable.default.clone().unwrap_or(Value::Null)))
            .collect(),
        document: found.name,
        status: "Pending".into(),
        failure_message: String::new(),
        stop: Stop::No,
        executed_by: wanted.executed_by,
        parent_id: wanted.parent_id,
        outputs: Given::new(),
        current_step: String::new(),
        current_action: String::new(),
        mode: if wanted.is_interactive {
            "Interactive"
        } else {
            "Auto"
        }
        .into(),
        permitted: String::new(),
        plan,
        target: String::new(),
        target_group: wanted.asked.as_ref().map(Asked::group).unwrap_or_default(),
        started_at: call.now,
        ended_at: None,
    };
    Ok(Prepared { row, given })
}

/// How many runbooks stand above this one.
pub(crate) async fn depth(plane: &ControlPlane, execution: &ExecutionRow) -> ApiResult<usize> {
    let mut parent = execution.parent_id.clone();
    let mut depth = 1;
    while !parent.is_empty() && depth <= MOST_DEEP {
        let above = queries::execution(plane.db.reader(), &execution.region, &parent).await?;
        parent = above.map(|row| row.parent_id).unwrap_or_default();
        depth += 1;
    }
    Ok(depth)
}

/// Who calls, as an ARN.
pub(crate) fn caller_arn(plane: &ControlPlane, call: &Call) -> String {
    let name = match &call.caller {
        Caller::Operator { is_portal: true, .. } => "portal",
        Caller::Operator { .. } => "operator",
        _ => "node",
    };
    format!("arn:aws:iam::{}:user/{name}", plane.config.account)
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let is_given = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    if let Some((name, _)) = input.others.iter().find(|(_, value)| is_given(value)) {
        return Err(invalid(format!(
            "{name}: this control plane runs executions in its own account and region, without alarms."
        )));
    }
    let is_interactive = input.mode.as_deref() == Some("Interactive");
    let once = Once::new("StartAutomationExecution", input.client_token.clone(), &input)?;
    let asked = Asked {
        target_parameter_name: input.target_parameter_name,
        targets: input.targets.unwrap_or_default(),
        target_maps: input.target_maps.unwrap_or_default(),
        max_concurrency: input.max_concurrency,
        max_errors: input.max_errors,
    };
    let has_targets = asked.has_targets()?;
    if has_targets && is_interactive {
        return Err(invalid("Mode: an execution over targets runs by itself (Auto)."));
    }
    let tags: Vec<TagInput> = match input.tags {
        Some(tags) => serde_json::from_value(tags).map_err(ApiError::internal)?,
        None => Vec::new(),
    };
    let tags = tags::check_new(tags)?;
    let wanted = Wanted {
        document: input.document_name,
        version: input.document_version,
        parameters: input.parameters.unwrap_or_default(),
        parent_id: String::new(),
        executed_by: caller_arn(plane, call),
        asked: has_targets.then_some(asked),
        is_interactive,
    };
    let prepared = prepared(plane, call, wanted).await?;
    let mut transaction = plane.db.begin().await?;
    if let Some(known) = once.answered(&mut transaction, call).await? {
        return Ok(Output {
            automation_execution_id: known,
        });
    }
    if queries::count_open(&mut *transaction).await? >= MOST_OPEN {
        return Err(ApiError::new(
            "AutomationExecutionLimitExceededException",
            format!(
                "There are {MOST_OPEN} executions that run or wait, which is the most: wait for some to end."
            ),
        ));
    }
    prepared.insert(&mut transaction).await?;
    let row = &prepared.row;
    for tag in &tags {
        tags::queries::put(&mut *transaction, &call.region, TAGS, &row.execution_id, tag).await?;
    }
    once.keep(&mut transaction, call, &row.execution_id).await?;
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(Output {
        automation_execution_id: prepared.row.execution_id,
    })
}

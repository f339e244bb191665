//! `StartAutomationExecution`. The document is kept as it is now: what is changed later changes nothing of this execution.

use super::queries::{self, ExecutionRow};
use super::{MOST_OPEN, PARAMETERS};
use crate::associations::definition::{ALARM_CONFIGURATION, LOCATIONS, MAPS, MAX_CONCURRENCY, MAX_ERRORS};
use crate::client_tokens::Once;
use crate::commands::shapes::REMOTE_TARGETS;
use crate::control_plane::ControlPlane;
use crate::documents::built_in::default_text;
use crate::documents::parameters::{self, Declared, Given};
use crate::documents::{NAME, VERSION, shown, text as document_text};
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::parameters::references;
use crate::signature::Caller;
use crate::validation::{self, Member, Pattern, matching, one_of, optional, required, sensitive, text};
use muster_automation::Stop;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

const TOKEN: validation::Shape = matching(
    36,
    36,
    Pattern {
        text: "[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}",
        holds: |text| validation::is_uuid(&text.to_ascii_lowercase()),
    },
);
const LOCATIONS_URL: validation::Shape = matching(
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
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidAutomationExecutionParametersException", message)
}

/// What is given against what the document declares, in the service's words; with the defaults of what is not.
async fn meant(plane: &ControlPlane, call: &Call, declared: &Declared, given: Given) -> ApiResult<Given> {
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
        if all.contains_key(name) {
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

/// An execution that may be written down.
pub(crate) async fn prepared(plane: &ControlPlane, call: &Call, wanted: Wanted) -> ApiResult<ExecutionRow> {
    let not_found = |message: String| ApiError::new("AutomationDefinitionNotFoundException", message);
    let found = shown::find(
        plane,
        &call.region,
        &wanted.document,
        wanted.version.as_deref(),
        None,
    )
    .await
    .map_err(|error| match error.code {
        "InvalidDocument" => not_found(format!("Automation document {} can't be found.", wanted.document)),
        "InvalidDocumentVersion" => ApiError::new(
            "AutomationDefinitionVersionNotFoundException",
            format!("Automation document {} has no such version.", wanted.document),
        ),
        _ => error,
    })?;
    let content = found.content.automation().ok_or_else(|| {
        not_found(format!(
            "{} is a document of the type {}, not Automation.",
            found.name, found.document_type
        ))
    })?;
    let parameters = meant(plane, call, &content.parameters, wanted.parameters).await?;
    let variables = content.document.variables.iter();
    Ok(ExecutionRow {
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
        started_at: call.now,
        ended_at: None,
    })
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
            "{name}: this control plane runs one execution for one call, with the parameters that it is given."
        )));
    }
    if input.mode.as_deref() == Some("Interactive") {
        return Err(invalid(
            "Mode: executions are run by themselves here (Auto), not step by step.",
        ));
    }
    let once = Once::new("StartAutomationExecution", input.client_token.clone(), &input)?;
    let wanted = Wanted {
        document: input.document_name,
        version: input.document_version,
        parameters: input.parameters.unwrap_or_default(),
        parent_id: String::new(),
        executed_by: caller_arn(plane, call),
    };
    let row = prepared(plane, call, wanted).await?;
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
    queries::insert(&mut *transaction, &row).await?;
    once.keep(&mut transaction, call, &row.execution_id).await?;
    transaction.commit().await?;
    plane.wake.notify_one();
    Ok(Output {
        automation_execution_id: row.execution_id,
    })
}

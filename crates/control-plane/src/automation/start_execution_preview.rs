//! `StartExecutionPreview`: what running a runbook would touch, said without running it. It is said at once; what is wrong
//! with parameters and targets is the preview's failure, as the service tells it.

use super::preview_queries::{self, PreviewRow};
use super::start_automation_execution::{self as start, LOCATIONS_URL, Wanted};
use super::targets::{Asked, Plan};
use super::{PARAMETERS, api_call::ApiCall};
use crate::associations::definition::{LOCATIONS, MAPS};
use crate::commands::shapes::REMOTE_TARGETS;
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::documents::VERSION;
use crate::documents::create_document::PLAIN_NAME;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{Member, Shape, optional, required, sensitive, text};
use muster_automation::{Action, Document, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const AUTOMATION: Shape = Shape::Record(&[
    sensitive(optional("Parameters", PARAMETERS)),
    optional("TargetParameterName", text(1, 50)),
    optional("Targets", REMOTE_TARGETS),
    MAPS,
    LOCATIONS,
    optional("TargetLocationsURL", LOCATIONS_URL),
]);
pub(crate) const INPUT: &[Member] = &[
    required("DocumentName", PLAIN_NAME),
    optional("DocumentVersion", VERSION),
    optional(
        "ExecutionInputs",
        Shape::Record(&[optional("Automation", AUTOMATION)]),
    ),
];
/// How long a preview is kept.
const KEPT_MS: i64 = 86_400_000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inputs {
    parameters: Option<Given>,
    target_parameter_name: Option<String>,
    targets: Option<Vec<Target>>,
    target_maps: Option<Vec<Given>>,
    target_locations: Option<Value>,
    #[serde(rename = "TargetLocationsURL")]
    target_locations_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ExecutionInputs {
    automation: Option<Inputs>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    document_name: String,
    document_version: Option<String>,
    execution_inputs: Option<ExecutionInputs>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    execution_preview_id: String,
}

/// What a step does to what it is about; nothing of a loop, whose steps count for themselves.
fn impact(step: &Step) -> Option<&'static str> {
    Some(match step.action {
        Action::Loop => return None,
        Action::Sleep
        | Action::Pause
        | Action::Approve
        | Action::Branch
        | Action::UpdateVariable
        | Action::WaitForProperty
        | Action::AssertProperty => "NonMutating",
        Action::ExecuteAwsApi => match ApiCall::read(&step.followed(), &[]) {
            Ok(call) if call.only_reads() => "NonMutating",
            Ok(_) => "Mutating",
            // Which call it is, is known when it runs.
            Err(_) => "Undetermined",
        },
        Action::RunCommand | Action::ExecuteAutomation | Action::ExecuteScript | Action::InvokeWebhook => {
            "Undetermined"
        }
        Action::Other(_) => "Mutating",
    })
}

fn impacts(document: &Document) -> BTreeMap<&'static str, usize> {
    let mut all = BTreeMap::new();
    for impact in document.steps.iter().filter_map(impact) {
        *all.entry(impact).or_default() += 1;
    }
    all
}

/// What kind of thing the targets are.
fn target_type(plan: &Plan, content: &Value) -> String {
    let are_values = plan.targets.iter().any(|target| target.key == "ParameterValues");
    if !plan.targets.is_empty() && !are_values {
        return "AWS::SSM::ManagedInstance".to_owned();
    }
    // As the document declares it.
    let pointer = format!("/parameters/{}/type", plan.target_parameter_name);
    content
        .pointer(&pointer)
        .and_then(Value::as_str)
        .unwrap_or("String")
        .to_owned()
}

async fn previewed(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Value> {
    let inputs = input
        .execution_inputs
        .and_then(|inputs| inputs.automation)
        .unwrap_or_default();
    if inputs.target_locations.is_some() || inputs.target_locations_url.is_some() {
        return Err(ApiError::validation(
            "TargetLocations: this control plane runs executions in its own account and region.",
        ));
    }
    let asked = Asked {
        target_parameter_name: inputs.target_parameter_name,
        targets: inputs.targets.unwrap_or_default(),
        target_maps: inputs.target_maps.unwrap_or_default(),
        max_concurrency: None,
        max_errors: None,
    };
    let wanted = Wanted {
        document: input.document_name,
        version: input.document_version,
        parameters: inputs.parameters.unwrap_or_default(),
        parent_id: String::new(),
        executed_by: String::new(),
        asked: asked.has_targets()?.then_some(asked),
        is_interactive: false,
    };
    let row = start::prepared(plane, call, wanted).await?.row;
    let document = super::shown::document(&row)?;
    let targets: Vec<Value> = row
        .plan
        .iter()
        .map(|plan| json!({"Count": plan.count, "TargetType": target_type(plan, &row.content)}))
        .collect();
    Ok(
        json!({"StepPreviews": impacts(&document), "Regions": [row.region], "TargetPreviews": targets,
        "TotalAccounts": 1}),
    )
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let (preview, failure_message) = match previewed(plane, call, input).await {
        Ok(preview) => (preview, String::new()),
        Err(error) if error.code.starts_with("AutomationDefinition") => {
            return Err(ApiError::validation(error.message.unwrap_or_default()));
        }
        Err(error) if error.status < 500 => (
            Value::Null,
            format!("{}: {}", error.code, error.message.unwrap_or_default()),
        ),
        Err(error) => return Err(error),
    };
    let row = PreviewRow {
        region: call.region.clone(),
        preview_id: call.fresh_id.clone(),
        preview,
        failure_message,
        ended_at: call.now,
    };
    let mut transaction = plane.db.begin().await?;
    preview_queries::forget(&mut *transaction, call.now.plus_ms(-KEPT_MS)).await?;
    preview_queries::insert(&mut *transaction, &row).await?;
    transaction.commit().await?;
    Ok(Output {
        execution_preview_id: row.preview_id,
    })
}

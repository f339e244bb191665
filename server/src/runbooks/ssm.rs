//! Automation's calls to Systems Manager, and its shapes turned into ours.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use aws_sdk_ssm::types::{
    AutomationExecution, AutomationExecutionFilter, AutomationExecutionFilterKey,
    AutomationExecutionMetadata, DocumentDescription, DocumentIdentifier, DocumentKeyValuesFilter,
    DocumentVersionInfo, SignalType, StepExecution as SdkStep, StopType, Target,
};
use aws_smithy_types::DateTime;
use muster_domain::Timestamp;
use muster_domain::runbooks::{ExecutionStatus, Signal, StartPlan, StepExecution, StopKind};
use std::collections::{BTreeMap, HashMap};

/// Pages of steps of one execution at most: a thousand.
const MOST_PAGES: usize = 20;

pub(crate) fn stamp(at: Option<&DateTime>) -> Option<Timestamp> {
    at.and_then(|at| at.to_millis().ok()).map(Timestamp)
}

fn given(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

fn sorted<V: Clone>(map: Option<&HashMap<String, V>>) -> BTreeMap<String, V> {
    map.into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A page of the runbooks that there are, with the token of the next one; those whose names begin so.
///
/// # Errors
/// [`CallError`].
pub async fn list(
    ssm: &Ssm,
    name: Option<&str>,
    token: Option<String>,
) -> Result<(Vec<DocumentIdentifier>, Option<String>), CallError> {
    let filter = |key: &str, value: &str| DocumentKeyValuesFilter::builder().key(key).values(value).build();
    let filters = std::iter::once(filter("DocumentType", "Automation"))
        .chain(name.map(|name| filter("Name", name)))
        .collect();
    let request = ssm
        .client
        .list_documents()
        .set_filters(Some(filters))
        .max_results(50)
        .set_next_token(token);
    let answer = ssm.call("ListDocuments", request.send()).await?;
    Ok((answer.document_identifiers().to_vec(), given(answer.next_token())))
}

/// What Systems Manager says of a runbook.
///
/// # Errors
/// [`CallError`].
pub async fn describe(ssm: &Ssm, name: &str) -> Result<Option<DocumentDescription>, CallError> {
    let request = ssm.client.describe_document().name(name);
    let answer = ssm.call("DescribeDocument", request.send()).await?;
    Ok(answer.document)
}

/// The versions of a runbook, newest first.
///
/// # Errors
/// [`CallError`].
pub async fn versions(ssm: &Ssm, name: &str) -> Result<Vec<DocumentVersionInfo>, CallError> {
    let mut found = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let request = ssm
            .client
            .list_document_versions()
            .name(name)
            .max_results(50)
            .set_next_token(token);
        let answer = ssm.call("ListDocumentVersions", request.send()).await?;
        found.extend(answer.document_versions().iter().cloned());
        token = given(answer.next_token());
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

/// A runbook's text in one version.
#[derive(Clone, Debug)]
pub struct Text {
    /// The version's number.
    pub version: String,
    /// The text, as JSON.
    pub content: String,
    /// `Automation`, or what else a document of that name is.
    pub document_type: String,
}

/// The text of a version, of the default one where none is named.
///
/// # Errors
/// [`CallError`].
pub async fn text(ssm: &Ssm, name: &str, version: Option<&str>) -> Result<Text, CallError> {
    let request = ssm
        .client
        .get_document()
        .name(name)
        .set_document_version(version.map(str::to_owned));
    let answer = ssm.call("GetDocument", request.send()).await?;
    Ok(Text {
        version: answer.document_version().unwrap_or_default().to_owned(),
        content: answer.content().unwrap_or_default().to_owned(),
        document_type: answer.document_type().map_or("", |kind| kind.as_str()).to_owned(),
    })
}

/// Starts what a plan says. The same token starts it once, however often it is sent.
///
/// # Errors
/// [`CallError`]; when it says `refused`, nothing was started.
pub async fn start(ssm: &Ssm, plan: &StartPlan, token: &str) -> Result<String, CallError> {
    let mut request = ssm
        .client
        .start_automation_execution()
        .document_name(&plan.document)
        .document_version(&plan.document_version)
        .client_token(token);
    for (name, values) in &plan.parameters {
        request = request.parameters(name, values.clone());
    }
    if let Some(targets) = plan.targets.as_ref().filter(|targets| targets.one_each) {
        let ids = targets
            .nodes
            .iter()
            .map(|node| node.node_id.to_string())
            .collect();
        request = request
            .target_parameter_name(&targets.parameter)
            .targets(
                Target::builder()
                    .key("ParameterValues")
                    .set_values(Some(ids))
                    .build(),
            )
            .max_concurrency(&plan.max_concurrency)
            .max_errors(&plan.max_errors);
    }
    let answer = ssm.call("StartAutomationExecution", request.send()).await?;
    Ok(answer.automation_execution_id().unwrap_or_default().to_owned())
}

/// Asks for an execution to be stopped.
///
/// # Errors
/// [`CallError`].
pub async fn stop(ssm: &Ssm, id: &str, kind: StopKind) -> Result<(), CallError> {
    let kind = match kind {
        StopKind::Cancel => StopType::Cancel,
        StopKind::Complete => StopType::Complete,
    };
    let request = ssm
        .client
        .stop_automation_execution()
        .automation_execution_id(id)
        .r#type(kind);
    ssm.call("StopAutomationExecution", request.send())
        .await
        .map(|_| ())
}

/// Tells the step of that name that waits.
///
/// # Errors
/// [`CallError`].
pub async fn signal(ssm: &Ssm, id: &str, signal: Signal, step: &str, comment: &str) -> Result<(), CallError> {
    let kind = match signal {
        Signal::Approve => SignalType::Approve,
        Signal::Reject => SignalType::Reject,
        Signal::Resume => SignalType::Resume,
    };
    let mut request = ssm
        .client
        .send_automation_signal()
        .automation_execution_id(id)
        .signal_type(kind);
    if signal.is_decision() {
        request = request.payload("Comment", vec![comment.to_owned()]);
    } else {
        request = request.payload("StepName", vec![step.to_owned()]);
    }
    // Said twice it would be two answers: what became of the first shows in the steps.
    let request = request.customize().config_override(Ssm::once());
    ssm.call("SendAutomationSignal", request.send()).await.map(|_| ())
}

/// What is known of an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenExecution {
    /// Systems Manager's id.
    pub id: String,
    /// The runbook.
    pub document: String,
    /// Its version.
    pub document_version: String,
    /// How it stands.
    pub status: ExecutionStatus,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who runs it.
    pub executed_by: String,
    /// The execution that started it; empty without.
    pub parent: String,
    /// The step that it is at.
    pub current_step: String,
    /// Why it failed.
    pub failure_message: String,
    /// What it was given.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// What it told.
    pub outputs: BTreeMap<String, Vec<String>>,
    /// Its steps.
    pub steps: Vec<StepExecution>,
}

fn status(text: Option<&str>) -> ExecutionStatus {
    text.and_then(ExecutionStatus::parse)
        .unwrap_or(ExecutionStatus::Pending)
}

fn step(position: usize, step: &SdkStep) -> StepExecution {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    StepExecution {
        position: u32::try_from(position).unwrap_or(u32::MAX),
        step_execution_id: text(step.step_execution_id()),
        name: text(step.step_name()),
        action: text(step.action()),
        status: status(step.step_status().map(|status| status.as_str())),
        started_at: stamp(step.execution_start_time()),
        ended_at: stamp(step.execution_end_time()),
        response_code: text(step.response_code()),
        failure_message: text(step.failure_message()),
        inputs: sorted(step.inputs()),
        outputs: sorted(step.outputs()),
    }
}

fn seen(execution: &AutomationExecution, steps: &[SdkStep]) -> SeenExecution {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    SeenExecution {
        id: text(execution.automation_execution_id()),
        document: text(execution.document_name()),
        document_version: text(execution.document_version()),
        status: status(
            execution
                .automation_execution_status()
                .map(|status| status.as_str()),
        ),
        started_at: stamp(execution.execution_start_time()),
        ended_at: stamp(execution.execution_end_time()),
        executed_by: text(execution.executed_by()),
        parent: text(execution.parent_automation_execution_id()),
        current_step: text(execution.current_step_name()),
        failure_message: text(execution.failure_message()),
        parameters: sorted(execution.parameters()),
        outputs: sorted(execution.outputs()),
        steps: steps.iter().enumerate().map(|(at, one)| step(at, one)).collect(),
    }
}

/// An execution with all its steps; `None` where Systems Manager does not know it (any more).
///
/// # Errors
/// [`CallError`].
pub async fn execution(ssm: &Ssm, id: &str) -> Result<Option<SeenExecution>, CallError> {
    let request = ssm.client.get_automation_execution().automation_execution_id(id);
    let answer = match ssm.call("GetAutomationExecution", request.send()).await {
        Ok(answer) => answer,
        Err(error) if error.code == "AutomationExecutionNotFoundException" => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(execution) = answer.automation_execution() else {
        return Ok(None);
    };
    if !execution.step_executions_truncated() {
        return Ok(Some(seen(execution, execution.step_executions())));
    }
    let mut steps = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let request = ssm
            .client
            .describe_automation_step_executions()
            .automation_execution_id(id)
            .max_results(50)
            .set_next_token(token);
        let answer = ssm
            .call("DescribeAutomationStepExecutions", request.send())
            .await?;
        steps.extend(answer.step_executions().iter().cloned());
        token = given(answer.next_token());
        if token.is_none() {
            break;
        }
    }
    Ok(Some(seen(execution, &steps)))
}

/// An execution as a list tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Systems Manager's id.
    pub id: String,
    /// The runbook.
    pub document: String,
    /// Whether it has ended.
    pub has_ended: bool,
}

/// Executions that began since `since`, newest first, at most `pages` pages of 50.
///
/// # Errors
/// [`CallError`].
pub async fn executions_since(ssm: &Ssm, since: Timestamp, pages: usize) -> Result<Vec<Listed>, CallError> {
    let value = since.rfc3339();
    let value = format!("{}Z", value.split('.').next().unwrap_or_default());
    let filter = AutomationExecutionFilter::builder()
        .key(AutomationExecutionFilterKey::StartTimeAfter)
        .values(value)
        .build()
        .ok();
    let mut found = Vec::new();
    let mut token = None;
    for _ in 0..pages {
        let request = ssm
            .client
            .describe_automation_executions()
            .set_filters(filter.clone().map(|filter| vec![filter]))
            .max_results(50)
            .set_next_token(token);
        let answer = ssm.call("DescribeAutomationExecutions", request.send()).await?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        found.extend(answer.automation_execution_metadata_list().iter().map(
            |one: &AutomationExecutionMetadata| Listed {
                id: text(one.automation_execution_id()),
                document: text(one.document_name()),
                has_ended: status(one.automation_execution_status().map(|status| status.as_str())).is_final(),
            },
        ));
        token = given(answer.next_token());
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

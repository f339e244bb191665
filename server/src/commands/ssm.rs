//! Run Command's calls to Systems Manager, and its shapes turned into ours.

use crate::aws::Ssm;
use crate::aws::errors::CallError;
use crate::commands::parts::Part;
use crate::commands::queries::CommandRow;
use crate::commands::step_output::StepOutput;
use aws_sdk_ssm::types::{
    Command, CommandFilter, CommandFilterKey, CommandInvocation, CommandPlugin, CommandPluginStatus, Target,
};
use aws_smithy_types::DateTime;
use muster_domain::Timestamp;
use muster_domain::commands::CommandStatus;

/// Characters of a stream that Systems Manager itself keeps (GetCommandInvocation's StandardOutputContent).
pub const KEPT_CHARACTERS: u32 = 24_000;

/// The marker by which a call of ours is found again after a crash: it is put into the output's key prefix.
#[must_use]
pub fn key_prefix(part: &Part) -> String {
    format!("muster/{}/{}", part.command_id, part.part)
}

/// The rate control of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At most so many at once.
    pub max_concurrency: String,
    /// Stop after so many errors.
    pub max_errors: String,
}

/// Sends one part. Answers Systems Manager's id of it.
///
/// # Errors
/// [`CallError`]; when it says `refused`, nothing was started.
pub async fn send(ssm: &Ssm, row: &CommandRow, part: &Part, rate: &Rate) -> Result<String, CallError> {
    let targets: Option<Vec<Target>> = part.targets.as_ref().map(|targets| {
        targets
            .iter()
            .map(|(key, values)| {
                Target::builder()
                    .key(key)
                    .set_values(Some(values.clone()))
                    .build()
            })
            .collect()
    });
    let mut request = ssm
        .client
        .send_command()
        .document_name(&row.summary.document)
        .set_instance_ids(part.node_ids.clone())
        .set_targets(targets)
        .max_concurrency(&rate.max_concurrency)
        .max_errors(&rate.max_errors)
        .timeout_seconds(i32::try_from(row.timeout_seconds).unwrap_or(3600));
    if row.document_version != "$DEFAULT" {
        request = request.document_version(&row.document_version);
    }
    for (name, values) in &row.parameters {
        request = request.parameters(name, values.clone());
    }
    if !row.summary.comment.is_empty() {
        request = request.comment(&row.summary.comment);
    }
    if let Some(bucket) = &ssm.connection.output_bucket {
        request = request
            .output_s3_bucket_name(bucket)
            .output_s3_key_prefix(key_prefix(part));
    }
    // Sending is not idempotent: an answer that was lost must not make the SDK send once more. What became of it
    // is found out by its marker instead.
    let request = request.customize().config_override(Ssm::once());
    let answer = ssm.call("SendCommand", request.send()).await?;
    Ok(answer
        .command()
        .and_then(Command::command_id)
        .unwrap_or_default()
        .to_owned())
}

/// What is known of one call as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenCommand {
    /// Systems Manager's id.
    pub id: String,
    /// How it stands.
    pub status: CommandStatus,
    /// More precisely.
    pub status_details: String,
    /// Nodes.
    pub targets: u32,
    /// Nodes that are done.
    pub completed: u32,
    /// Nodes that failed.
    pub errors: u32,
    /// When it was asked.
    pub requested_at: Option<Timestamp>,
    /// Our marker, or somebody else's prefix.
    pub key_prefix: String,
    /// The rest, for commands that were started elsewhere.
    pub command: Box<Command>,
}

fn unsigned(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn stamp(at: &DateTime) -> Option<Timestamp> {
    at.to_millis().ok().map(Timestamp)
}

fn seen_command(command: &Command) -> SeenCommand {
    SeenCommand {
        id: command.command_id().unwrap_or_default().to_owned(),
        status: command
            .status()
            .and_then(|status| CommandStatus::parse(status.as_str()))
            .unwrap_or(CommandStatus::Pending),
        status_details: command.status_details().unwrap_or_default().replace(' ', ""),
        targets: unsigned(command.target_count()),
        completed: unsigned(command.completed_count()),
        errors: unsigned(command.error_count()),
        requested_at: command.requested_date_time().and_then(stamp),
        key_prefix: command.output_s3_key_prefix().unwrap_or_default().to_owned(),
        command: Box::new(command.clone()),
    }
}

/// How a call stands as a whole.
///
/// # Errors
/// [`CallError`].
pub async fn command(ssm: &Ssm, id: &str) -> Result<Option<SeenCommand>, CallError> {
    let request = ssm.client.list_commands().command_id(id);
    let answer = ssm.call("ListCommands", request.send()).await?;
    Ok(answer.commands().first().map(seen_command))
}

/// Calls asked for since `since`, newest first, at most `pages` pages of 50.
///
/// # Errors
/// [`CallError`].
pub async fn commands_since(
    ssm: &Ssm,
    since: Timestamp,
    pages: usize,
) -> Result<Vec<SeenCommand>, CallError> {
    let mut found = Vec::new();
    let mut token = None;
    for _ in 0..pages {
        let value = since.rfc3339();
        let value = format!("{}Z", value.split('.').next().unwrap_or_default());
        let mut request = ssm.client.list_commands().max_results(50).set_next_token(token);
        if let Ok(filter) = CommandFilter::builder()
            .key(CommandFilterKey::InvokedAfter)
            .value(value)
            .build()
        {
            request = request.filters(filter);
        }
        let answer = ssm.call("ListCommands", request.send()).await?;
        found.extend(answer.commands().iter().map(seen_command));
        token = answer
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

/// What is known of one node's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenInvocation {
    /// Which node.
    pub node_id: String,
    /// The node's name as Systems Manager knows it.
    pub node_name: String,
    /// How it stands.
    pub status: CommandStatus,
    /// More precisely.
    pub status_details: String,
    /// The exit code, or -1.
    pub response_code: i32,
    /// When the node began.
    pub started_at: Option<Timestamp>,
    /// When the node ended.
    pub ended_at: Option<Timestamp>,
    /// Where its output is, step by step.
    pub steps: Vec<StepOutput>,
}

/// Whether a step failed, in whichever way.
fn has_failed(plugin: &CommandPlugin) -> bool {
    plugin.status().is_some_and(|status| {
        matches!(
            status,
            CommandPluginStatus::Failed | CommandPluginStatus::TimedOut | CommandPluginStatus::Cancelled
        )
    })
}

fn steps(invocation: &CommandInvocation) -> Vec<StepOutput> {
    let plugins = invocation.command_plugins();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut steps: Vec<StepOutput> = plugins
        .iter()
        .map(|plugin| StepOutput {
            name: text(plugin.name()),
            stdout_url: text(plugin.standard_output_url()),
            stderr_url: text(plugin.standard_error_url()),
            ended: plugin.response_finish_date_time().is_some(),
        })
        .collect();
    // Of a single step the whole may say where it is.
    if steps.len() < 2 {
        let mut only = steps.pop().unwrap_or(StepOutput {
            name: String::new(),
            stdout_url: String::new(),
            stderr_url: String::new(),
            ended: false,
        });
        let or =
            |own: Option<&str>, step: String| own.filter(|url| !url.is_empty()).map_or(step, str::to_owned);
        only.stdout_url = or(invocation.standard_output_url(), only.stdout_url);
        only.stderr_url = or(invocation.standard_error_url(), only.stderr_url);
        steps.push(only);
    }
    steps
}

fn seen_invocation(invocation: &CommandInvocation) -> SeenInvocation {
    let plugins = invocation.command_plugins();
    let first = plugins.first();
    let last = plugins.last();
    // The step that failed says why; else the last one.
    let telling = plugins.iter().find(|plugin| has_failed(plugin)).or(last);
    SeenInvocation {
        node_id: invocation.instance_id().unwrap_or_default().to_owned(),
        node_name: invocation.instance_name().unwrap_or_default().to_owned(),
        status: invocation
            .status()
            .and_then(|status| CommandStatus::parse(status.as_str()))
            .unwrap_or(CommandStatus::Pending),
        status_details: invocation.status_details().unwrap_or_default().replace(' ', ""),
        response_code: telling.map_or(-1, |plugin| plugin.response_code()),
        started_at: first
            .and_then(|plugin| plugin.response_start_date_time())
            .and_then(stamp),
        ended_at: last
            .and_then(|plugin| plugin.response_finish_date_time())
            .and_then(stamp),
        steps: steps(invocation),
    }
}

/// A page of a call's invocations, with the token of the next page; of one node only when named.
///
/// # Errors
/// [`CallError`].
pub async fn invocations(
    ssm: &Ssm,
    id: &str,
    node: Option<&str>,
    token: Option<String>,
) -> Result<(Vec<SeenInvocation>, Option<String>), CallError> {
    let request = ssm
        .client
        .list_command_invocations()
        .command_id(id)
        .set_instance_id(node.map(str::to_owned))
        .details(true)
        .max_results(50)
        .set_next_token(token);
    let answer = ssm.call("ListCommandInvocations", request.send()).await?;
    let found = answer.command_invocations().iter().map(seen_invocation).collect();
    Ok((
        found,
        answer
            .next_token()
            .filter(|token| !token.is_empty())
            .map(str::to_owned),
    ))
}

/// The API's own text of a finished invocation: at most 24,000 and 8,000 characters of each step.
///
/// # Errors
/// [`CallError`].
pub async fn content(ssm: &Ssm, id: &str, seen: &SeenInvocation) -> Result<(String, String), CallError> {
    // Where there are several, each is asked for by its name.
    let names: Vec<Option<&str>> = match seen.steps.as_slice() {
        [] | [_] => vec![None],
        several => several.iter().map(|step| Some(step.name.as_str())).collect(),
    };
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for name in names {
        let request = ssm
            .client
            .get_command_invocation()
            .command_id(id)
            .instance_id(&seen.node_id)
            .set_plugin_name(name.map(str::to_owned));
        let answer = ssm.call("GetCommandInvocation", request.send()).await?;
        stdout.push_str(answer.standard_output_content().unwrap_or_default());
        stderr.push_str(answer.standard_error_content().unwrap_or_default());
    }
    Ok((stdout, stderr))
}

/// Asks for a call to be stopped.
///
/// # Errors
/// [`CallError`].
pub async fn cancel(ssm: &Ssm, id: &str) -> Result<(), CallError> {
    let request = ssm.client.cancel_command().command_id(id);
    ssm.call("CancelCommand", request.send()).await.map(|_| ())
}

//! The plan: exactly what will run where, frozen when it is asked for, and compared with what would run when it is done.

use super::baseline_plan::PlannedBaseline;
use super::exception_plan::PlannedException;
use super::parameter_plan::PlannedParameter;
use super::policy::Act;
use super::window_plan::PlannedWindow;
use crate::deployments::PlannedDeployment;
use crate::ids::NodeId;
use crate::sessions::is_default;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A node of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanNode {
    /// Which.
    pub node_id: NodeId,
    /// Its name; not part of the digest.
    pub name: String,
    /// Its Environment tag; empty when it has none.
    pub environment: String,
}

/// What a plan does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum PlanSubject {
    /// Runs a command.
    Command {
        /// The document.
        document: String,
        /// Its version.
        document_version: String,
        /// SHA-256 of its content, hexadecimal.
        document_sha256: String,
        /// Its parameters; secrets stand there as references.
        parameters: BTreeMap<String, Vec<String>>,
        /// The parameters of Parameter Store that these refer to, with their versions.
        references: BTreeMap<String, i64>,
        /// The patch baselines that would hold, by id, with the SHA-256 of their content.
        baselines: BTreeMap<String, String>,
        /// At most so many nodes at once.
        max_concurrency: String,
        /// Stop after so many errors.
        max_errors: String,
        /// Give up delivering to a node after so many seconds.
        timeout_seconds: u32,
    },
    /// Opens a terminal.
    Terminal {
        /// As which user of the operating system; empty is the agent's own choice.
        os_user: String,
        /// For how many minutes.
        minutes: u32,
        /// The Session document; empty in a plan that was made before documents were part of it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        document: String,
        /// Its version; empty where the account had saved no session preferences.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        document_version: String,
        /// SHA-256 of its content, hexadecimal; empty where there is none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        document_sha256: String,
    },
    /// Opens a tunnel.
    Tunnel {
        /// To which port.
        port: u16,
        /// On which host beyond the node; empty is the node itself.
        host: String,
        /// For how many minutes.
        minutes: u32,
    },
    /// Starts a runbook.
    Runbook {
        /// The document.
        document: String,
        /// Its version.
        document_version: String,
        /// SHA-256 of its content, hexadecimal.
        document_sha256: String,
        /// Its parameters; secrets stand there as references.
        parameters: BTreeMap<String, Vec<String>>,
        /// The parameters of Parameter Store that these refer to, with their versions.
        references: BTreeMap<String, i64>,
        /// At most so many executions at once, where there is one for each node.
        max_concurrency: String,
        /// No further ones after so many errors, where there is one for each node.
        max_errors: String,
    },
    /// Gives the requester a role for a time.
    Role {
        /// Which role.
        role: String,
        /// Where, by tags; `*` is everywhere.
        scope: String,
        /// For how many minutes.
        minutes: u32,
    },
    /// Replaces the policies.
    Policies {
        /// SHA-256 of the text that holds now, hexadecimal.
        old_sha256: String,
        /// SHA-256 of the text that would hold, hexadecimal.
        new_sha256: String,
    },
    /// Reveals, writes or deletes a stored parameter.
    Parameter {
        /// What would be done with which.
        parameter: PlannedParameter,
    },
    /// Makes, changes or deletes a patch baseline, or changes for what it holds.
    Baseline {
        /// What would be done with which.
        baseline: Box<PlannedBaseline>,
    },
    /// Excepts a patch on a baseline.
    Exception {
        /// What would be excepted.
        exception: PlannedException,
    },
    /// Makes, changes or deletes a maintenance window.
    Window {
        /// What would be done with which.
        window: Box<PlannedWindow>,
    },
    /// Deploys a release of an application, or rolls back to one.
    Deployment {
        /// Which, and what runs for that.
        deployment: Box<PlannedDeployment>,
    },
    /// Goes on with a step of a runbook.
    Step {
        /// The execution at Systems Manager.
        execution: String,
        /// The step.
        step: String,
        /// What the runbook says to whom it asks.
        message: String,
    },
}

/// What will run where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which act.
    pub act: Act,
    /// What it does.
    pub subject: PlanSubject,
    /// How the nodes were named, in words.
    pub targets: String,
    /// Which nodes these are, by id. Those that do not report belong to it: whether they do when it runs is chance.
    pub nodes: Vec<PlanNode>,
    /// Not before this time, in ms since the epoch.
    pub not_before: Option<i64>,
}

/// Writes JSON with sorted keys and without blanks: the same value is always the same bytes.
fn write(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            out.push('{');
            for (at, key) in keys.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::Value::String(key.clone()).to_string());
                out.push(':');
                write(&members[key], out);
            }
            out.push('}');
        }
        serde_json::Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// A value as JSON with sorted keys and without blanks: the bytes that digests and signatures are made over.
#[must_use]
pub fn canonical_json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

impl Plan {
    /// The bytes that the plan's digest is made over. Names of nodes and the words for targets are not part of them:
    /// they may change without anything else running.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut nodes: Vec<[&str; 2]> = self
            .nodes
            .iter()
            .map(|node| [node.node_id.as_str(), node.environment.as_str()])
            .collect();
        nodes.sort_unstable();
        let value = serde_json::json!({
            "plan": 1,
            "act": self.act,
            "subject": self.subject,
            "nodes": nodes,
            "not_before": self.not_before,
        });
        canonical_json(&value)
    }

    /// The bytes of what it does, whatever nodes it does that to: plans with the same ask for the same. None of what is never the
    /// same twice.
    #[must_use]
    pub fn alike(&self) -> Option<String> {
        match self.subject {
            PlanSubject::Command { .. }
            | PlanSubject::Terminal { .. }
            | PlanSubject::Tunnel { .. }
            | PlanSubject::Runbook { .. }
            | PlanSubject::Role { .. } => Some(canonical_json(&serde_json::json!({
                "act": self.act,
                "subject": self.subject,
                "not_before": self.not_before,
            }))),
            PlanSubject::Policies { .. }
            | PlanSubject::Parameter { .. }
            | PlanSubject::Baseline { .. }
            | PlanSubject::Exception { .. }
            | PlanSubject::Window { .. }
            | PlanSubject::Deployment { .. }
            | PlanSubject::Step { .. } => None,
        }
    }

    /// One line that says what it is.
    #[must_use]
    pub fn title(&self) -> String {
        let on = match self.nodes.as_slice() {
            [] => String::new(),
            [one] => format!(" on {}", one.name),
            many => format!(" on {} nodes", many.len()),
        };
        match &self.subject {
            PlanSubject::Command {
                document, parameters, ..
            } => match document.as_str() {
                "AWS-RunPatchBaseline"
                    if parameters
                        .get("Operation")
                        .is_some_and(|v| v.iter().any(|v| v == "Install")) =>
                {
                    format!("Install patches{on}")
                }
                "AWS-RunPatchBaseline" => format!("Scan for patches{on}"),
                "AWS-RunShellScript" => format!("Run a script{on}"),
                _ => format!("Run {document}{on}"),
            },
            PlanSubject::Terminal {
                os_user, document, ..
            } => {
                let mut title = "Terminal".to_owned();
                if !os_user.is_empty() {
                    title.push_str(&format!(" as {os_user}"));
                }
                if !is_default(document) {
                    title.push_str(&format!(" with {document}"));
                }
                title + &on
            }
            PlanSubject::Tunnel { port, .. } => format!("Tunnel to port {port}{on}"),
            PlanSubject::Runbook { document, .. } => format!("Start {document}{on}"),
            PlanSubject::Role { role, scope, minutes } => {
                let place = if scope == "*" { "everywhere" } else { scope };
                format!("Role {role} ({place}) for {minutes} minutes")
            }
            PlanSubject::Policies { .. } => "Change the policies".into(),
            PlanSubject::Parameter { parameter } => {
                let name = &parameter.name;
                match (self.act, &parameter.becomes, &parameter.now) {
                    (Act::RevealParameter, ..) => format!("Reveal {name}"),
                    (Act::DeleteParameter, ..) => format!("Delete the parameter {name}"),
                    _ if parameter.labels.is_some() => parameter.labels_title().unwrap_or_default(),
                    (_, Some(content), _) if content.restores.is_some() => format!(
                        "Restore version {} of {name}",
                        content.restores.unwrap_or_default()
                    ),
                    (_, _, None) => format!("Make the parameter {name}"),
                    _ => format!("Change the parameter {name}"),
                }
            }
            PlanSubject::Baseline { baseline } => baseline.title(),
            PlanSubject::Exception { exception } => exception.title(),
            PlanSubject::Window { window } => window.title.clone(),
            PlanSubject::Deployment { deployment } => deployment.title(),
            PlanSubject::Step { step, .. } => format!("Go on at {step}"),
        }
    }
}

fn of_maps<V: PartialEq>(
    what: &str,
    old: &BTreeMap<String, V>,
    new: &BTreeMap<String, V>,
    said: &mut Vec<String>,
) {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (Some(_), None) => said.push(format!("{what} {key} is gone.")),
            (None, Some(_)) => said.push(format!("{what} {key} is new.")),
            (Some(old), Some(new)) if old != new => said.push(format!("{what} {key} has changed.")),
            _ => {}
        }
    }
}

/// Names at most a few.
fn few(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// What is different between two plans, as sentences; empty exactly when their digests are the same.
#[must_use]
pub fn differences(old: &Plan, new: &Plan) -> Vec<String> {
    let mut said = Vec::new();
    let environments = |plan: &Plan| -> BTreeMap<String, String> {
        let pair = |node: &PlanNode| (node.node_id.to_string(), node.environment.clone());
        plan.nodes.iter().map(pair).collect()
    };
    let (before, after) = (environments(old), environments(new));
    let named = |plan: &Plan, keep: &dyn Fn(&str) -> bool| -> Vec<String> {
        let nodes = plan.nodes.iter().filter(|node| keep(node.node_id.as_str()));
        nodes.map(|node| node.name.clone()).collect()
    };
    for (verb, names) in [
        ("added", named(new, &|id| !before.contains_key(id))),
        ("gone", named(old, &|id| !after.contains_key(id))),
        (
            "in another environment now",
            named(new, &|id| {
                before.get(id).is_some_and(|was| Some(was) != after.get(id))
            }),
        ),
    ] {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let noun = if names.len() == 1 { "Node" } else { "Nodes" };
            said.push(format!("{noun} {verb}: {}.", few(&names)));
        }
    }
    match (&old.subject, &new.subject) {
        (
            PlanSubject::Command {
                document_version: old_version,
                document_sha256: old_sha256,
                parameters: old_parameters,
                references: old_references,
                baselines: old_baselines,
                ..
            },
            PlanSubject::Command {
                document,
                document_version,
                document_sha256,
                parameters,
                references,
                baselines,
                ..
            },
        ) => {
            if old_sha256 != document_sha256 || old_version != document_version {
                said.push(format!(
                    "The document {document} has changed (version {old_version} was approved, {document_version} would run)."
                ));
            }
            of_maps("The parameter", old_parameters, parameters, &mut said);
            of_maps("The stored parameter", old_references, references, &mut said);
            of_maps("The patch baseline", old_baselines, baselines, &mut said);
        }
        (
            PlanSubject::Runbook {
                document_version: old_version,
                document_sha256: old_sha256,
                parameters: old_parameters,
                references: old_references,
                ..
            },
            PlanSubject::Runbook {
                document,
                document_version,
                document_sha256,
                parameters,
                references,
                ..
            },
        ) => {
            if old_sha256 != document_sha256 || old_version != document_version {
                said.push(format!(
                    "The runbook {document} has changed (version {old_version} was approved, {document_version} would run)."
                ));
            }
            of_maps("The parameter", old_parameters, parameters, &mut said);
            of_maps("The stored parameter", old_references, references, &mut said);
        }
        (
            PlanSubject::Terminal {
                os_user: old_user,
                document: old_document,
                document_version: old_version,
                document_sha256: old_sha256,
                ..
            },
            PlanSubject::Terminal {
                os_user,
                document,
                document_version,
                document_sha256,
                ..
            },
        ) => {
            if old_document != document {
                let old = if old_document.is_empty() {
                    "none that is known"
                } else {
                    old_document
                };
                said.push(format!(
                    "The Session document {document} is another than was approved ({old})."
                ));
            } else if old_sha256 != document_sha256 || old_version != document_version {
                let version = |version: &str| match version {
                    "" => "no saved preferences".to_owned(),
                    version => format!("version {version}"),
                };
                said.push(format!(
                    "The Session document {document} has changed ({} was approved, {} would be opened).",
                    version(old_version),
                    version(document_version)
                ));
            }
            if old_user != os_user {
                let user = |user: &str| match user {
                    "" => "the document's own user".to_owned(),
                    user => user.to_owned(),
                };
                said.push(format!(
                    "It was approved as {}, not as {}.",
                    user(old_user),
                    user(os_user)
                ));
            }
        }
        (PlanSubject::Parameter { parameter: old }, PlanSubject::Parameter { parameter: new }) => {
            said.extend(old.differences(new));
        }
        (PlanSubject::Baseline { baseline: old }, PlanSubject::Baseline { baseline: new }) => {
            said.extend(old.differences(new));
        }
        (PlanSubject::Exception { exception: old }, PlanSubject::Exception { exception: new }) => {
            said.extend(old.differences(new));
        }
        (PlanSubject::Window { window: old }, PlanSubject::Window { window: new }) => {
            said.extend(old.differences(new));
        }
        (PlanSubject::Deployment { deployment: old }, PlanSubject::Deployment { deployment: new }) => {
            said.extend(old.differences(new));
        }
        (PlanSubject::Policies { old_sha256: old, .. }, PlanSubject::Policies { old_sha256: new, .. })
            if old != new =>
        {
            said.push("The policies were changed by somebody else meanwhile.".into());
        }
        _ => {}
    }
    if said.is_empty() && old.canonical() != new.canonical() {
        said.push("What would run is not what was asked for.".into());
    }
    said
}

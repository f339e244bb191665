//! Resolves what an act would do: the document and its content, the stored parameters and patch baselines that it would
//! read, the nodes. The same is done again before it is done, and compared.

use crate::approvals::gate::tags;
use crate::approvals::policies::{PolicyBook, sha256};
use crate::aws::Ssm;
use crate::commands::CommandService;
use crate::commands::start::Prepared;
use crate::error::store;
use crate::fleet::resolve::environment;
use crate::runbooks::{Meant, RunbookService};
use crate::sessions::Chosen;
use aws_sdk_ssm::types::OperatingSystem;
use muster_domain::approvals::{Act, Plan, PlanNode, PlanSubject, Proposal};
use muster_domain::commands::RunCommand;
use muster_domain::fleet::{NodeSelection, NodeSummary};
use muster_domain::permission::Scope;
use muster_domain::runbooks::{StartPlan, StartRunbook};
use muster_domain::sessions::StartSession;
use muster_domain::{PortalError, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// References to stored parameters in one command at most.
const MAX_REFERENCES: usize = 50;
/// Characters of the words for targets at most.
const MAX_TARGETS_TEXT: usize = 200;

/// A plan, with what policies see of it.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The act as policies see it.
    pub proposal: Proposal,
    /// The command, ready to be started, where it is one.
    pub command: Option<Prepared>,
    /// The runbook's plan for everybody who is meant, where it is one.
    pub runbook: Option<Meant>,
}

/// SHA-256 of a plan's canonical bytes, hexadecimal.
#[must_use]
pub fn digest(plan: &Plan) -> String {
    sha256(&plan.canonical())
}

fn plan_node(node: &NodeSummary) -> PlanNode {
    PlanNode {
        node_id: node.node_id.clone(),
        name: node.name.clone(),
        environment: environment(node).unwrap_or_default().to_owned(),
    }
}

fn targets(selection: &NodeSelection, count: usize) -> String {
    let text = match selection {
        NodeSelection::Nothing => String::new(),
        NodeSelection::Nodes { .. } if count == 1 => "1 node, by id".to_owned(),
        NodeSelection::Nodes { .. } => format!("{count} nodes, by id"),
        NodeSelection::Matching { filter } => filter.to_string(),
    };
    text.chars().take(MAX_TARGETS_TEXT).collect()
}

/// The stored parameters that values refer to: `{{ssm:name}}`, `{{ ssm-secure:/a/b }}`, with a version or label behind a
/// further colon.
fn references(parameters: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for value in parameters.values().flatten() {
        let mut rest = value.as_str();
        // The innermost braces are what is followed, as where they are resolved.
        while let Some((before, behind)) = rest.split_once("}}") {
            let inside = before.rfind("{{").map_or("", |at| &before[at + 2..]).trim();
            if let Some(name) = inside
                .strip_prefix("ssm:")
                .or_else(|| inside.strip_prefix("ssm-secure:"))
            {
                found.insert(name.trim().to_owned());
            }
            rest = behind;
        }
    }
    found
}

/// The parameters of a command with the defaults of those that are not given: these may refer to stored ones too.
fn with_defaults(prepared: &Prepared) -> BTreeMap<String, Vec<String>> {
    let mut all = prepared.parameters.clone();
    for declared in &prepared.document.parameters {
        if let Some(default) = &declared.default {
            all.entry(declared.name.clone())
                .or_insert_with(|| default.clone());
        }
    }
    all
}

/// The versions of stored parameters. Their values are not read.
pub(crate) async fn versions(
    ssm: &Ssm,
    parameters: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, i64>, PortalError> {
    let names = references(parameters);
    if names.len() > MAX_REFERENCES {
        return Err(PortalError::invalid(
            "parameters",
            format!("It refers to more than {MAX_REFERENCES} stored parameters."),
        ));
    }
    let mut versions = BTreeMap::new();
    for name in names {
        let request = ssm.client.get_parameter().name(&name).with_decryption(false);
        let answer = ssm.call("GetParameter", request.send()).await.map_err(|error| {
            if error.refused && !error.is_throttled() {
                PortalError::invalid(
                    "parameters",
                    format!(
                        "The stored parameter {name} cannot be read: {}",
                        error.to_portal()
                    ),
                )
            } else {
                error.to_portal()
            }
        })?;
        let version = answer
            .parameter()
            .map_or(0, aws_sdk_ssm::types::Parameter::version);
        versions.insert(name, version);
    }
    Ok(versions)
}

/// The operating system of a node, in Patch Manager's words.
fn operating_system(node: &NodeSummary) -> Option<OperatingSystem> {
    let name = node.platform_name.to_lowercase();
    let major = node.platform_version.split('.').next().unwrap_or_default();
    let is = |word: &str| name.contains(word);
    Some(if is("debian") {
        OperatingSystem::Debian
    } else if is("raspbian") || is("raspberry") {
        OperatingSystem::Raspbian
    } else if is("ubuntu") {
        OperatingSystem::Ubuntu
    } else if is("amazon") {
        match major {
            "2023" => OperatingSystem::AmazonLinux2023,
            "2022" => OperatingSystem::AmazonLinux2022,
            "2" => OperatingSystem::AmazonLinux2,
            _ => OperatingSystem::AmazonLinux,
        }
    } else if is("centos") {
        OperatingSystem::CentOs
    } else if is("rocky") {
        OperatingSystem::RockyLinux
    } else if is("alma") {
        OperatingSystem::AlmaLinux
    } else if is("oracle") {
        OperatingSystem::OracleLinux
    } else if is("red hat") {
        OperatingSystem::RedhatEnterpriseLinux
    } else if is("suse") {
        OperatingSystem::Suse
    } else if is("windows") {
        OperatingSystem::Windows
    } else if is("macos") {
        OperatingSystem::MacOs
    } else {
        return None;
    })
}

/// The patch baselines that would hold on these nodes, by id, with the SHA-256 of what they say.
async fn baselines<'a>(
    ssm: &Ssm,
    nodes: impl Iterator<Item = &'a NodeSummary>,
) -> Result<BTreeMap<String, String>, PortalError> {
    let mut asked: BTreeSet<(String, String)> = BTreeSet::new();
    for node in nodes {
        let group = node
            .tags
            .iter()
            .find(|tag| tag.key == "Patch Group" || tag.key == "PatchGroup");
        if let Some(system) = operating_system(node) {
            asked.insert((
                group.map(|tag| tag.value.clone()).unwrap_or_default(),
                system.as_str().to_owned(),
            ));
        }
    }
    let mut ids = BTreeSet::new();
    for (group, system) in asked {
        let system = OperatingSystem::from(system.as_str());
        let mut id = None;
        if !group.is_empty() {
            let request = ssm
                .client
                .get_patch_baseline_for_patch_group()
                .patch_group(&group)
                .operating_system(system.clone());
            let answer = ssm
                .call("GetPatchBaselineForPatchGroup", request.send())
                .await
                .map_err(|error| error.to_portal())?;
            id = answer.baseline_id().map(str::to_owned);
        }
        if id.is_none() {
            let request = ssm.client.get_default_patch_baseline().operating_system(system);
            let answer = ssm
                .call("GetDefaultPatchBaseline", request.send())
                .await
                .map_err(|error| error.to_portal())?;
            id = answer.baseline_id().map(str::to_owned);
        }
        ids.extend(id);
    }
    let mut found = BTreeMap::new();
    for id in ids {
        let request = ssm.client.get_patch_baseline().baseline_id(&id);
        let answer = ssm
            .call("GetPatchBaseline", request.send())
            .await
            .map_err(|error| error.to_portal())?;
        let content = format!(
            "{:?}",
            (
                answer.name(),
                answer.operating_system(),
                answer.global_filters(),
                answer.approval_rules(),
                answer.approved_patches(),
                answer.approved_patches_compliance_level(),
                answer.approved_patches_enable_non_security(),
                answer.rejected_patches(),
                answer.rejected_patches_action(),
                answer.sources(),
            )
        );
        found.insert(id, sha256(&content));
    }
    Ok(found)
}

/// Plans a command.
///
/// # Errors
/// What is wrong with it, or when Systems Manager does not answer.
pub async fn of_command(
    commands: &CommandService,
    input: &RunCommand,
    scopes: &[Scope],
    not_before: Option<Timestamp>,
) -> Result<Planned, PortalError> {
    let prepared = commands.prepare(input, scopes, true).await?;
    let mut nodes: Vec<PlanNode> = prepared.resolved.all().map(plan_node).collect();
    if nodes.is_empty() {
        return Err(PortalError::invalid("targets", "No node matches."));
    }
    nodes.sort();
    let summary = &prepared.document.summary;
    let baselines = if summary.name == "AWS-RunPatchBaseline" {
        baselines(&commands.ssm, prepared.resolved.all()).await?
    } else {
        BTreeMap::new()
    };
    let plan = Plan {
        act: Act::RunCommand,
        subject: PlanSubject::Command {
            document: summary.name.clone(),
            document_version: summary.default_version.clone(),
            document_sha256: prepared.document.hash.clone(),
            parameters: prepared.parameters.clone(),
            references: versions(&commands.ssm, &with_defaults(&prepared)).await?,
            baselines,
            max_concurrency: input.max_concurrency.trim().to_owned(),
            max_errors: input.max_errors.trim().to_owned(),
            timeout_seconds: input.timeout_seconds,
        },
        targets: targets(&input.selection, nodes.len()),
        nodes,
        not_before: not_before.map(|at| at.0),
    };
    Ok(Planned {
        plan,
        proposal: prepared.proposal(),
        command: Some(prepared),
        runbook: None,
    })
}

/// A runbook as policies see it.
///
/// # Errors
/// When the database does not answer.
pub async fn runbook_proposal(
    runbooks: &RunbookService,
    plan: &StartPlan,
    scopes: &[Scope],
) -> Result<Proposal, PortalError> {
    let ids: Vec<_> = plan.nodes().iter().map(|node| node.node_id.clone()).collect();
    let known = crate::fleet::queries::by_ids(&runbooks.db, &ids, scopes)
        .await
        .map_err(store)?;
    Ok(Proposal {
        act: Some(Act::StartRunbook),
        document: plan.document.clone(),
        nodes: known.iter().map(tags).collect(),
        // One that is given no nodes, or not only known ones, or whose steps reach others, may act on any.
        anywhere: known.is_empty() || known.len() < ids.len() || plan.reaches_further,
        ..Proposal::default()
    })
}

/// Plans a runbook.
///
/// # Errors
/// What is wrong with it, or when Systems Manager does not answer.
pub async fn of_runbook(
    runbooks: &RunbookService,
    input: &StartRunbook,
    scopes: &[Scope],
    not_before: Option<Timestamp>,
) -> Result<Planned, PortalError> {
    let meant = runbooks.plan(input, scopes).await?;
    let start = &meant.plan;
    let mut nodes: Vec<PlanNode> = start
        .nodes()
        .iter()
        .map(|node| PlanNode {
            node_id: node.node_id.clone(),
            name: if node.name.is_empty() {
                node.node_id.to_string()
            } else {
                node.name.clone()
            },
            environment: node.environment.clone(),
        })
        .collect();
    nodes.sort();
    nodes.dedup_by(|a, b| a.node_id == b.node_id);
    let plan = Plan {
        act: Act::StartRunbook,
        subject: PlanSubject::Runbook {
            document: start.document.clone(),
            document_version: start.document_version.clone(),
            document_sha256: start.content_hash.clone(),
            parameters: start.parameters.clone(),
            references: versions(&runbooks.ssm, &start.parameters).await?,
            max_concurrency: start.max_concurrency.clone(),
            max_errors: start.max_errors.clone(),
        },
        targets: targets(&input.selection, nodes.len()),
        nodes,
        not_before: not_before.map(|at| at.0),
    };
    Ok(Planned {
        plan,
        proposal: runbook_proposal(runbooks, start, scopes).await?,
        command: None,
        runbook: Some(meant),
    })
}

/// Plans a terminal on `node`.
#[must_use]
pub fn of_terminal(node: &NodeSummary, input: &StartSession, chosen: &Chosen, minutes: u32) -> Planned {
    Planned {
        plan: Plan {
            act: Act::OpenTerminal,
            subject: PlanSubject::Terminal {
                os_user: input.os_user.clone(),
                minutes,
                document: chosen.shown.name.clone(),
                document_version: chosen.shown.version.clone(),
                document_sha256: chosen.sha256.clone(),
            },
            targets: node.name.clone(),
            nodes: vec![plan_node(node)],
            not_before: None,
        },
        proposal: terminal_proposal(node, &input.os_user, chosen),
        command: None,
        runbook: None,
    }
}

/// A terminal as policies see it.
#[must_use]
pub fn terminal_proposal(node: &NodeSummary, os_user: &str, chosen: &Chosen) -> Proposal {
    Proposal {
        act: Some(Act::OpenTerminal),
        document: chosen.shown.name.clone(),
        os_user: os_user.to_owned(),
        nodes: vec![tags(node)],
        ..Proposal::default()
    }
}

/// A plan that is about no node.
fn without_nodes(act: Act, subject: PlanSubject, targets: String, not_before: Option<Timestamp>) -> Planned {
    Planned {
        plan: Plan {
            act,
            subject,
            targets,
            nodes: Vec::new(),
            not_before: not_before.map(|at| at.0),
        },
        proposal: Proposal {
            act: Some(act),
            ..Proposal::default()
        },
        command: None,
        runbook: None,
    }
}

/// Plans a role for a time.
#[must_use]
pub fn of_role(role: &str, scope: &Scope, minutes: u32, not_before: Option<Timestamp>) -> Planned {
    let mut planned = without_nodes(
        Act::HoldRole,
        PlanSubject::Role {
            role: role.to_owned(),
            scope: scope.to_string(),
            minutes,
        },
        scope.to_string(),
        not_before,
    );
    // Policies can tell roles apart as if they were documents, and scopes as if they were tags.
    role.clone_into(&mut planned.proposal.document);
    // What else the nodes of a scope carry is not known, so every policy about nodes is about it.
    planned.proposal.anywhere = true;
    if let Scope::Tags(tags) = scope {
        planned.proposal.nodes = vec![tags.clone()];
    }
    planned
}

/// Plans a change of the policies.
///
/// # Errors
/// When the text cannot be used, or was written against other policies than those that hold.
pub async fn of_policies(
    book: &PolicyBook,
    text: &str,
    was: &str,
    not_before: Option<Timestamp>,
) -> Result<Planned, PortalError> {
    crate::approvals::policies::read(text).map_err(|what| PortalError::invalid("text", what))?;
    let now = book.current().await.map_err(store)?;
    if let Some(file) = book.file() {
        return Err(PortalError::Conflict {
            message: format!("The policies are in {}: change them there.", file.display()),
        });
    }
    if !was.is_empty() && now.sha256 != was {
        return Err(PortalError::Conflict {
            message: "The policies were changed by somebody else meanwhile: look at them again.".into(),
        });
    }
    Ok(without_nodes(
        Act::ChangePolicies,
        PlanSubject::Policies {
            old_sha256: now.sha256.clone(),
            new_sha256: sha256(text),
        },
        String::new(),
        not_before,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let parameters = BTreeMap::from([(
            "commands".to_owned(),
            vec![
                "echo {{ssm:/app/name}} {{ ssm-secure:/app/secret:3 }}".to_owned(),
                "{{ platformType }} {{ssm:/app/name}} {{ssm:open".to_owned(),
                "echo '{{'; {{ssm:/app/nested}} }}".to_owned(),
            ],
        )]);
        let found: Vec<String> = references(&parameters).into_iter().collect();
        assert_eq!(found, ["/app/name", "/app/nested", "/app/secret:3"]);
    }
}

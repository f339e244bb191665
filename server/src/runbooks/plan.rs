//! From what somebody asks for to exactly what would run: the version's number and text, the parameters, the nodes. Nothing
//! is written here; the plan may be carried out at once, or kept and carried out later as it stands.

use crate::commands::documents;
use crate::error::store;
use crate::fleet::queries::by_ids;
use crate::fleet::resolve::{Resolved, resolve};
use crate::runbooks::content::{self, Content, NodeParameter};
use crate::runbooks::meant::Meant;
use crate::runbooks::reach::reaches_further;
use crate::runbooks::service::RunbookService;
use crate::runbooks::{catalogue, copy, ssm};
use muster_domain::PortalError;
use muster_domain::commands::{DocumentDetail, DocumentSummary};
use muster_domain::error::FieldError;
use muster_domain::fleet::{ExcludedNode, NodeSelection, NodeSummary};
use muster_domain::ids::NodeId;
use muster_domain::permission::Scope;
use muster_domain::runbooks::{PlannedNode, PlannedTargets, StartPlan, StartRunbook};
use std::collections::{BTreeMap, BTreeSet};

type Given = BTreeMap<String, Vec<String>>;

/// Nodes that one call may name as values of a parameter.
const MOST_VALUES: usize = 50;

fn planned(node: &NodeSummary) -> PlannedNode {
    let tag = node.tags.iter().find(|tag| tag.key == "Environment");
    PlannedNode {
        node_id: node.node_id.clone(),
        name: node.name.clone(),
        environment: tag.map(|tag| tag.value.clone()).unwrap_or_default(),
    }
}

fn filled(given: &Given, name: &str) -> Vec<String> {
    let values = given.get(name).into_iter().flatten();
    values
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect()
}

/// Each of them once, where it stands first.
fn once<T: Ord + Clone>(mut all: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert(one.clone()));
    all
}

fn ids(values: &[String]) -> NodeSelection {
    NodeSelection::Nodes {
        nodes: values.iter().map(|id| NodeId::new(id.as_str())).collect(),
    }
}

/// Why none of the chosen nodes is left.
fn none_left(resolved: &Resolved) -> PortalError {
    let why = resolved.excluded.first().map_or_else(
        || "No node matches.".to_owned(),
        |first| {
            format!(
                "None of the {} nodes can be reached; the first: {}",
                resolved.excluded.len(),
                first.reason
            )
        },
    );
    PortalError::invalid("targets", why)
}

/// What is given against what the runbook declares.
fn check(document: &str, content: &Content, given: &Given, but: Option<&str>) -> Result<(), PortalError> {
    let parameters = content.parameters.iter();
    let detail = DocumentDetail {
        summary: DocumentSummary {
            name: document.to_owned(),
            owner: String::new(),
            description: String::new(),
            platform_types: Vec::new(),
            document_type: "Automation".into(),
            default_version: String::new(),
        },
        // What the chosen nodes are put into is checked as nodes.
        parameters: parameters
            .filter(|one| Some(one.name.as_str()) != but)
            .cloned()
            .collect(),
        content: String::new(),
        hash: String::new(),
    };
    PortalError::from_fields(documents::check(&detail, given))
}

/// Those of the meant that would be refused now, and why.
fn silent_of(resolved: &Resolved) -> Vec<ExcludedNode> {
    let is_silent = |out: &&ExcludedNode| {
        resolved
            .not_reporting
            .iter()
            .any(|node| node.node_id == out.node_id)
    };
    resolved.excluded.iter().filter(is_silent).cloned().collect()
}

impl RunbookService {
    /// Resolves everything into a plan for everybody who is meant, within the scopes in which the person may start runbooks.
    ///
    /// # Errors
    /// What cannot be accepted, with its field; what they may not do.
    pub async fn plan(&self, input: &StartRunbook, scopes: &[Scope]) -> Result<Meant, PortalError> {
        let now = self.clock.now();
        let name = input.document.trim();
        copy::known(&self.db, &self.ssm, name, now)
            .await
            .map_err(|error| match error {
                PortalError::NotFound { what } => {
                    PortalError::invalid("document", format!("{what} was not found."))
                }
                other => other,
            })?;
        // Asked anew: a copy may be older than what would run.
        let version = input.version.trim();
        let fresh = ssm::text(&self.ssm, name, Some(version).filter(|text| !text.is_empty()))
            .await
            .map_err(|error| match error.code.as_str() {
                "InvalidDocumentVersion" => {
                    PortalError::invalid("version", format!("{name} has no version {version}."))
                }
                _ => error.to_portal(),
            })?;
        if fresh.document_type != "Automation" {
            return Err(PortalError::invalid(
                "document",
                format!("{name} is no runbook: its type is {}.", fresh.document_type),
            ));
        }
        let connection = self.ssm.connection.id.as_str();
        let content_hash = catalogue::put_text(&self.db, connection, name, &fresh.version, &fresh.content)
            .await
            .map_err(store)?;
        let content = content::read(&fresh.content);
        let mut parameters = input.parameters.clone();
        // What was left empty is not sent, so that the runbook's own default applies.
        parameters.retain(|_, values| values.iter().any(|value| !value.trim().is_empty()));
        let node_parameter = content.node_parameters.first();
        let chosen = input.selection != NodeSelection::Nothing;
        if chosen && node_parameter.is_none() {
            return Err(PortalError::invalid(
                "targets",
                format!("{name} takes no nodes: none of its parameters is for them."),
            ));
        }
        let but = node_parameter.map(|one| one.name.as_str()).filter(|_| chosen);
        if let Some(but) = but {
            parameters.remove(but);
        }
        check(name, &content, &parameters, but)?;
        let (targets, silent) = match node_parameter {
            Some(parameter) if chosen => {
                let (nodes, silent) = self.chosen(parameter, &input.selection, scopes).await?;
                (Some(self.fitted(parameter, nodes, &mut parameters)?), silent)
            }
            Some(parameter) => self.named(parameter, &mut parameters, scopes).await?,
            None => (None, Vec::new()),
        };
        self.within(&content, &parameters, scopes).await?;
        let plan = StartPlan {
            reaches_further: !reaches_further(&content).is_empty(),
            document: name.to_owned(),
            document_version: fresh.version,
            content_hash,
            parameters,
            targets,
            max_concurrency: input.max_concurrency.trim().to_owned(),
            max_errors: input.max_errors.trim().to_owned(),
        };
        Ok(Meant {
            plan,
            silent,
            is_named: !chosen,
        })
    }

    /// What a choice of nodes comes to for that parameter.
    pub(super) async fn resolved(
        &self,
        parameter: &NodeParameter,
        selection: &NodeSelection,
        scopes: &[Scope],
    ) -> Result<Resolved, PortalError> {
        let mut resolved = resolve(&self.db, selection, scopes, self.clock.now()).await?;
        if parameter.runs_commands {
            return Ok(resolved);
        }
        // Runbooks also start what is stopped: a node that does not report may be meant.
        let silent = std::mem::take(&mut resolved.not_reporting);
        resolved
            .excluded
            .retain(|out| silent.iter().all(|node| node.node_id != out.node_id));
        resolved.targets.extend(silent);
        Ok(resolved)
    }

    /// The nodes that were chosen, whether they report or not, and those of them that would be refused now.
    async fn chosen(
        &self,
        parameter: &NodeParameter,
        selection: &NodeSelection,
        scopes: &[Scope],
    ) -> Result<(Vec<PlannedNode>, Vec<ExcludedNode>), PortalError> {
        let resolved = self.resolved(parameter, selection, scopes).await?;
        let mut nodes: Vec<PlannedNode> = resolved.all().map(planned).collect();
        if nodes.is_empty() {
            return Err(none_left(&resolved));
        }
        // By name, so that a plan is the same whoever of them reports.
        nodes.sort_by_cached_key(|node| (node.name.to_lowercase(), node.node_id.to_string()));
        Ok((nodes, silent_of(&resolved)))
    }

    /// Puts nodes into the parameter, or makes it one execution for each where that takes only one.
    fn fitted(
        &self,
        parameter: &NodeParameter,
        nodes: Vec<PlannedNode>,
        parameters: &mut Given,
    ) -> Result<PlannedTargets, PortalError> {
        let one_each = !parameter.takes_several && nodes.len() > 1;
        if one_each && self.ssm.connection.embedded {
            return Err(PortalError::invalid(
                "targets",
                format!(
                    "{} takes one node, and the embedded endpoint makes no execution for each of several: choose one.",
                    parameter.name
                ),
            ));
        }
        if nodes.len() > MOST_VALUES {
            return Err(PortalError::invalid(
                "targets",
                format!(
                    "{} nodes are more than the {MOST_VALUES} that one execution takes: narrow the selection.",
                    nodes.len()
                ),
            ));
        }
        if !one_each {
            let values = nodes.iter().map(|node| node.node_id.to_string()).collect();
            parameters.insert(parameter.name.clone(), values);
        }
        Ok(PlannedTargets {
            parameter: parameter.name.clone(),
            nodes,
            one_each,
        })
    }

    /// The nodes that the parameter itself names, each once. Some may be no managed nodes: instances that are stopped, say.
    async fn named(
        &self,
        parameter: &NodeParameter,
        parameters: &mut Given,
        scopes: &[Scope],
    ) -> Result<(Option<PlannedTargets>, Vec<ExcludedNode>), PortalError> {
        let values = once(filled(parameters, &parameter.name));
        if values.is_empty() {
            return Ok((None, Vec::new()));
        }
        let (nodes, silent) = if parameter.runs_commands {
            let resolved = resolve(&self.db, &ids(&values), scopes, self.clock.now()).await?;
            let silent = silent_of(&resolved);
            let field = format!("parameters.{}", parameter.name);
            let complaints: Vec<FieldError> = resolved
                .excluded
                .iter()
                .filter(|node| !silent.contains(node))
                .map(|node| FieldError::new(field.as_str(), format!("{}: {}", node.node_id, node.reason)))
                .collect();
            PortalError::from_fields(complaints)?;
            (resolved.all().map(planned).collect(), silent)
        } else {
            let wanted: Vec<NodeId> = values.iter().map(|id| NodeId::new(id.as_str())).collect();
            let known = by_ids(&self.db, &wanted, scopes).await.map_err(store)?;
            let unknown = |id: &NodeId| PlannedNode {
                node_id: id.clone(),
                name: String::new(),
                environment: String::new(),
            };
            let nodes = wanted
                .iter()
                .map(|id| {
                    let found = known.iter().find(|node| &node.node_id == id);
                    found.map_or_else(|| unknown(id), planned)
                })
                .collect();
            (nodes, Vec::new())
        };
        parameters.insert(parameter.name.clone(), values);
        let targets = PlannedTargets {
            parameter: parameter.name.clone(),
            nodes,
            one_each: false,
        };
        Ok((Some(targets), silent))
    }

    /// Whoever has the role on a part of the fleet starts only what acts on nodes of that part, and on nothing else.
    async fn within(
        &self,
        content: &Content,
        parameters: &Given,
        scopes: &[Scope],
    ) -> Result<(), PortalError> {
        if scopes.contains(&Scope::All) {
            return Ok(());
        }
        let further = reaches_further(content);
        if !further.is_empty() {
            return Err(PortalError::Forbidden {
                message: format!(
                    "Your role is for a part of the fleet, and this runbook may act on more than the nodes that it is given \
                     ({further}). Ask somebody whose role is for all of it."
                ),
            });
        }
        for parameter in &content.node_parameters {
            let mut values = filled(parameters, &parameter.name);
            if values.is_empty() {
                // Then the default names the nodes.
                let declared = content.parameters.iter().find(|one| one.name == parameter.name);
                values = declared.and_then(|one| one.default.clone()).unwrap_or_default();
                values.retain(|value| !value.trim().is_empty());
            }
            let wanted: Vec<NodeId> = values.iter().map(|id| NodeId::new(id.as_str())).collect();
            let known = by_ids(&self.db, &wanted, scopes).await.map_err(store)?;
            if let Some(out) = wanted
                .iter()
                .find(|id| known.iter().all(|node| &node.node_id != *id))
            {
                return Err(PortalError::invalid(
                    format!("parameters.{}", parameter.name),
                    format!("{out}: There is no such node, or you may not start runbooks on it."),
                ));
            }
        }
        Ok(())
    }
}

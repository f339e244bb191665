//! What the form of the run page says, read into the input that runs it or asks for it to be approved.

use super::confirm_run::read_count;
use super::parameters::read_field;
use super::run_page::LIST;
use muster_domain::commands::{ParameterType, RunCommand};
use muster_domain::fleet::NodeSelection;
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::{Actor, Backend, PortalError};
use std::collections::BTreeMap;

/// What a form's texts select: single nodes, or a kept list of them, before a filter; `all` with neither means every node.
pub(crate) async fn selection(
    backend: &Backend,
    actor: &Actor,
    nodes: Option<&str>,
    filter: Option<&str>,
    all: bool,
) -> Result<NodeSelection, PortalError> {
    if let Some(list) = nodes.and_then(|nodes| nodes.strip_prefix(LIST)) {
        let nodes = backend.fleet.kept_nodes(actor, list.into()).await?;
        return Ok(NodeSelection::Nodes { nodes });
    }
    let nodes: Vec<_> = nodes
        .unwrap_or_default()
        .split([',', '\n', '\r', ' '])
        .filter(|id| !id.is_empty())
        .map(Into::into)
        .collect();
    if !nodes.is_empty() {
        return Ok(NodeSelection::Nodes { nodes });
    }
    let filter = FleetFilter::parse(filter.unwrap_or_default())?;
    Ok(if filter.is_empty() && !all {
        NodeSelection::Nothing
    } else {
        NodeSelection::Matching { filter }
    })
}

/// The fields of the form, as they were sent.
pub(crate) struct RunFields {
    pub(crate) document: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) nodes: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) all: Option<bool>,
    pub(crate) max_concurrency: Option<String>,
    pub(crate) max_errors: Option<String>,
    pub(crate) timeout_seconds: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) confirmed_nodes: Option<String>,
}

impl RunFields {
    /// Reads them; the document says what its parameters are.
    ///
    /// # Errors
    /// What cannot be read, by field; and what [`muster_domain::commands::Commands::document`] refuses.
    pub(crate) async fn read(self, backend: &Backend, actor: &Actor) -> Result<RunCommand, PortalError> {
        let selection = selection(
            backend,
            actor,
            self.nodes.as_deref(),
            self.filter.as_deref(),
            self.all.unwrap_or(false),
        )
        .await?;
        let given = |text: Option<String>, otherwise: &str| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| otherwise.to_owned())
        };
        let timeout = given(self.timeout_seconds, "600").parse().map_err(|_| {
            PortalError::invalid(
                "timeout_seconds",
                "Write 30 to 2,592,000 seconds, as a whole number.",
            )
        })?;
        let mut input = RunCommand {
            document: self.document.trim().to_owned(),
            parameters: BTreeMap::new(),
            selection,
            max_concurrency: given(self.max_concurrency, "50"),
            max_errors: given(self.max_errors, "0"),
            timeout_seconds: timeout,
            comment: self.comment.unwrap_or_default().trim().to_owned(),
            confirmed_nodes: read_count(self.confirmed_nodes.as_deref().unwrap_or_default())?,
        };
        input.check()?;
        let declared = backend
            .commands
            .document(actor, input.document.clone())
            .await?
            .parameters;
        for (name, text) in self.parameters {
            // A name that the document does not declare goes on as text, to be refused by name.
            let kind = declared
                .iter()
                .find(|one| one.name == name)
                .map_or(ParameterType::String, |one| one.parameter_type);
            if let Some(values) = read_field(kind, &text) {
                input.parameters.insert(name, values);
            }
        }
        Ok(input)
    }
}

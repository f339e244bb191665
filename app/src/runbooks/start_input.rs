//! What the form that starts a runbook sends, read: for starting it, and for asking that it may be started.

use crate::commands::{read_count, read_field, selection};
use muster_domain::commands::ParameterType;
use muster_domain::runbooks::StartRunbook;
use muster_domain::{Actor, Backend, PortalError};
use std::collections::BTreeMap;

/// The fields of the form, as they were sent.
pub(crate) struct StartFields {
    pub(crate) document: String,
    pub(crate) version: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) nodes: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) all: Option<bool>,
    pub(crate) max_concurrency: Option<String>,
    pub(crate) max_errors: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) confirmed_nodes: Option<String>,
}

/// A text that says something.
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

impl StartFields {
    /// Reads them, with the types that the runbook declares.
    pub(crate) async fn read(self, backend: &Backend, actor: &Actor) -> Result<StartRunbook, PortalError> {
        self.read_as_far(backend, actor, StartRunbook::check).await
    }

    /// Reads them as far as they are filled in: what is missing may be missing.
    pub(crate) async fn read_unfinished(
        self,
        backend: &Backend,
        actor: &Actor,
    ) -> Result<StartRunbook, PortalError> {
        self.read_as_far(backend, actor, |_| Ok(())).await
    }

    async fn read_as_far(
        self,
        backend: &Backend,
        actor: &Actor,
        check: fn(&StartRunbook) -> Result<(), PortalError>,
    ) -> Result<StartRunbook, PortalError> {
        let selection = selection(
            backend,
            actor,
            self.nodes.as_deref(),
            self.filter.as_deref(),
            self.all.unwrap_or(false),
        )
        .await?;
        let mut input = StartRunbook {
            document: self.document.trim().to_owned(),
            version: given(self.version).unwrap_or_default(),
            parameters: BTreeMap::new(),
            selection,
            max_concurrency: given(self.max_concurrency).unwrap_or_else(|| "10".into()),
            max_errors: given(self.max_errors).unwrap_or_else(|| "0".into()),
            reason: self.reason.unwrap_or_default().trim().to_owned(),
            confirmed_nodes: read_count(self.confirmed_nodes.as_deref().unwrap_or_default())?,
        };
        check(&input)?;
        let version = Some(input.version.clone()).filter(|version| !version.is_empty());
        // Without the runbook all goes on as text: starting says what is wrong, to those who may start.
        let declared = backend
            .runbooks
            .get(actor, input.document.clone(), version)
            .await
            .map(|runbook| runbook.parameters)
            .unwrap_or_default();
        for (name, text) in self.parameters {
            // A name that the runbook does not declare goes on as text, to be refused by name.
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

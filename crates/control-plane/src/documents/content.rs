//! What a document says, by its type. Types that cannot be kept here are refused by name.

use super::automation_content::{self, AutomationContent};
use super::text::parse;
use super::{command_content, session_content};
use crate::errors::{ApiError, ApiResult};
use muster_agent_protocol::control::{DocumentContent, DocumentParameter};
use muster_agent_protocol::session::SessionDocument;
use std::collections::BTreeMap;

/// A document's content, read.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Command(DocumentContent),
    Session(Box<SessionDocument>),
    Automation(Box<AutomationContent>),
}

/// Reads content of that type in that format.
pub(crate) fn read(document_type: &str, text: &str, format: &str) -> ApiResult<Content> {
    match document_type {
        "Command" => Ok(Content::Command(command_content::read(&parse(text, format)?)?)),
        "Session" => Ok(Content::Session(Box::new(session_content::read(&parse(
            text, format,
        )?)?))),
        "Automation" => {
            let value = parse(text, format)?;
            Ok(Content::Automation(Box::new(automation_content::read(&value)?)))
        }
        other => Err(ApiError::validation(format!(
            "This endpoint keeps documents of the DocumentType Command, Session and Automation only, not {other}."
        ))),
    }
}

impl Content {
    /// The schema version as it is written in the content.
    pub(crate) fn schema_version(&self) -> &str {
        match self {
            Self::Command(document) => &document.schema_version,
            Self::Session(document) => &document.schema_version,
            Self::Automation(_) => "0.3",
        }
    }

    pub(crate) fn description(&self) -> &str {
        match self {
            Self::Command(document) => &document.description,
            Self::Session(document) => &document.description,
            Self::Automation(content) => &content.document.description,
        }
    }

    pub(crate) fn parameters(&self) -> &BTreeMap<String, DocumentParameter> {
        match self {
            Self::Command(document) => &document.parameters,
            Self::Session(document) => &document.parameters,
            Self::Automation(content) => &content.parameters,
        }
    }

    /// Where it can be used.
    pub(crate) fn platforms(&self) -> Vec<&'static str> {
        match self {
            Self::Command(document) => command_content::platforms(document),
            Self::Session(document) => session_platforms(document),
            Self::Automation(_) => ALL_PLATFORMS.to_vec(),
        }
    }

    /// What a session does, when it is a Session document.
    pub(crate) fn session(&self) -> Option<&SessionDocument> {
        match self {
            Self::Session(document) => Some(document),
            Self::Command(_) | Self::Automation(_) => None,
        }
    }

    /// The steps that the control plane runs, when it is an Automation document.
    pub(crate) fn automation(&self) -> Option<&AutomationContent> {
        match self {
            Self::Automation(content) => Some(content),
            Self::Command(_) | Self::Session(_) => None,
        }
    }

    /// What runs on a node, when it is a Command document.
    pub(crate) fn command(&self) -> Option<&DocumentContent> {
        match self {
            Self::Command(document) => Some(document),
            Self::Session(_) | Self::Automation(_) => None,
        }
    }
}

const ALL_PLATFORMS: [&str; 3] = ["Windows", "Linux", "MacOS"];

/// Where a Session document can be used: commands name their platforms.
fn session_platforms(document: &SessionDocument) -> Vec<&'static str> {
    let is_commands = document.session_type.ends_with("Commands");
    let names = |name: &str| document.properties.get(name.to_lowercase()).is_some();
    ALL_PLATFORMS
        .into_iter()
        .filter(|platform| !is_commands || names(platform))
        .collect()
}

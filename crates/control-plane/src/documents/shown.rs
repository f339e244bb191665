//! A document as it is shown, whoever made it: looked up by name and version, and described.

use super::built_in::{self, CREATED, OWNER, default_text};
use super::content::{self, Content};
use super::queries::{self, DocumentRow};
use super::{TAGS, automation_built_in, session_built_in};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::seconds;
use crate::tags::{TagOutput, queries as tags};
use muster_domain::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A version of a document, with which versions there are.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) document_type: String,
    pub(crate) target_type: String,
    pub(crate) display_name: String,
    pub(crate) version: i64,
    pub(crate) version_name: String,
    pub(crate) latest: i64,
    pub(crate) default: i64,
    pub(crate) format: String,
    pub(crate) text: String,
    pub(crate) sha256: String,
    pub(crate) schema_version: String,
    /// Parameters in the order in which a form shows them; those that are not named come behind.
    pub(crate) order: &'static [&'static str],
    pub(crate) platforms: Vec<&'static str>,
    pub(crate) created_at: Timestamp,
    /// What it says.
    pub(crate) content: Content,
    pub(crate) tags: Vec<(String, String)>,
}

impl Shown {
    fn of_command(document: &built_in::Document) -> Self {
        Self {
            name: document.name.to_owned(),
            document_type: "Command".into(),
            text: document.text.clone(),
            sha256: document.sha256.clone(),
            order: document.order,
            platforms: document.platforms.to_vec(),
            ..Self::built_in(Content::Command(document.content.clone()))
        }
    }

    fn of_session(document: &session_built_in::SessionBuiltIn) -> Self {
        Self {
            name: document.name.to_owned(),
            document_type: "Session".into(),
            text: document.text.clone(),
            sha256: document.sha256.clone(),
            order: document.order,
            ..Self::built_in(Content::Session(Box::new(document.content.clone())))
        }
    }

    fn of_automation(document: &automation_built_in::AutomationBuiltIn) -> Self {
        Self {
            name: document.name.to_owned(),
            document_type: "Automation".into(),
            text: document.text.clone(),
            sha256: document.sha256.clone(),
            order: document.order,
            ..Self::built_in(Content::Automation(Box::new(document.content.clone())))
        }
    }

    fn built_in(content: Content) -> Self {
        Self {
            name: String::new(),
            owner: OWNER.to_owned(),
            document_type: String::new(),
            target_type: String::new(),
            display_name: String::new(),
            version: 1,
            version_name: String::new(),
            latest: 1,
            default: 1,
            format: "JSON".into(),
            text: String::new(),
            sha256: String::new(),
            schema_version: content.schema_version().to_owned(),
            order: &[],
            platforms: content.platforms(),
            created_at: CREATED,
            content,
            tags: Vec::new(),
        }
    }

    pub(crate) fn of_row(row: DocumentRow, latest: i64, default: i64) -> ApiResult<Self> {
        // It was checked when it was taken; only a damaged database holds another one.
        let content = content::read(&row.document_type, &row.content, &row.format).map_err(|error| {
            ApiError::internal(format!("document {} cannot be read: {error:?}", row.name))
        })?;
        Ok(Self {
            owner: row.owner,
            document_type: row.document_type,
            target_type: row.target_type,
            display_name: row.display_name,
            version: row.version,
            version_name: row.version_name,
            latest,
            default,
            format: row.format,
            text: row.content,
            sha256: row.sha256,
            schema_version: row.schema_version,
            platforms: content.platforms(),
            created_at: row.created_at,
            content,
            name: row.name,
            order: &[],
            tags: Vec::new(),
        })
    }

    /// The same with its tags.
    pub(crate) async fn tagged(mut self, plane: &ControlPlane, region: &str) -> ApiResult<Self> {
        self.tags = tags::of(plane.db.reader(), region, TAGS, &self.name).await?;
        Ok(self)
    }

    /// As `DescribeDocument` and those that change a document answer it.
    pub(crate) fn described(&self) -> Described {
        let named = self.order.iter().map(|name| (*name).to_owned());
        let parameters = self.content.parameters();
        let others = parameters
            .keys()
            .filter(|name| !self.order.contains(&name.as_str()))
            .cloned();
        let parameter = |name: String| {
            let declared = parameters.get(&name)?;
            Some(DescribedParameter {
                parameter_type: match declared.parameter_type.as_str() {
                    "StringList" => "StringList",
                    // The answer's model knows no others.
                    _ => "String",
                },
                description: declared.description.clone(),
                default_value: default_text(declared),
                name,
            })
        };
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        Described {
            hash: self.sha256.clone(),
            hash_type: "Sha256",
            name: self.name.clone(),
            display_name: given(&self.display_name),
            version_name: given(&self.version_name),
            owner: self.owner.clone(),
            created_date: seconds(self.created_at),
            status: "Active",
            document_version: self.version.to_string(),
            description: self.content.description().to_owned(),
            parameters: named.chain(others).filter_map(parameter).collect(),
            platform_types: self.platforms.clone(),
            document_type: self.document_type.clone(),
            schema_version: self.schema_version.clone(),
            latest_version: self.latest.to_string(),
            default_version: self.default.to_string(),
            document_format: self.format.clone(),
            target_type: given(&self.target_type),
            tags: self.tags.iter().cloned().map(TagOutput::of).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedParameter {
    name: String,
    #[serde(rename = "Type")]
    parameter_type: &'static str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
}

/// `DocumentDescription`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Described {
    hash: String,
    hash_type: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_name: Option<String>,
    owner: String,
    created_date: f64,
    status: &'static str,
    document_version: String,
    description: String,
    parameters: Vec<DescribedParameter>,
    platform_types: Vec<&'static str>,
    document_type: String,
    schema_version: String,
    latest_version: String,
    default_version: String,
    document_format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_type: Option<String>,
    tags: Vec<TagOutput>,
}

/// The last part of an ARN, or the name itself.
pub(crate) fn short(name: &str) -> &str {
    name.rsplit_once("document/").map_or(name, |(_, short)| short)
}

fn is_built_in_version(version: Option<&str>, version_name: Option<&str>) -> bool {
    matches!(version, None | Some("" | "$DEFAULT" | "$LATEST" | "1")) && version_name.is_none()
}

/// That there is no such document.
pub(crate) fn missing(name: &str) -> ApiError {
    ApiError::new(
        "InvalidDocument",
        format!("Document with name {name} does not exist."),
    )
}

/// That there is no such version.
pub(crate) fn no_version() -> ApiError {
    ApiError::new(
        "InvalidDocumentVersion",
        "The document version is not valid or does not exist.",
    )
}

/// The version that is meant, of all that there are.
pub(crate) fn pick(
    rows: Vec<DocumentRow>,
    version: Option<&str>,
    version_name: Option<&str>,
) -> ApiResult<Shown> {
    let latest = rows.last().map_or(0, |row| row.version);
    let default = rows
        .iter()
        .find(|row| row.is_default)
        .map_or(latest, |row| row.version);
    let number = match version {
        None | Some("") if version_name.is_some() => None,
        None | Some("" | "$DEFAULT") => Some(default),
        Some("$LATEST") => Some(latest),
        Some(text) => Some(text.parse::<i64>().map_err(|_| no_version())?),
    };
    let row = rows
        .into_iter()
        .find(|row| {
            number.is_none_or(|number| row.version == number)
                && version_name.is_none_or(|name| row.version_name == name)
        })
        .ok_or_else(no_version)?;
    Shown::of_row(row, latest, default)
}

/// The document of that name (or ARN) and version: the account's own before the built-in one.
pub(crate) async fn find(
    plane: &ControlPlane,
    region: &str,
    name: &str,
    version: Option<&str>,
    version_name: Option<&str>,
) -> ApiResult<Shown> {
    let name_only = short(name);
    let rows = queries::versions(plane.db.reader(), region, name_only).await?;
    if !rows.is_empty() {
        return pick(rows, version, version_name);
    }
    let found = built_in::all()
        .iter()
        .find(|document| document.name == name_only)
        .map(Shown::of_command)
        .or_else(|| {
            session_built_in::all()
                .iter()
                .find(|document| document.name == name_only)
                .map(Shown::of_session)
        })
        .or_else(|| {
            automation_built_in::all()
                .iter()
                .find(|document| document.name == name_only)
                .map(Shown::of_automation)
        })
        .ok_or_else(|| missing(name))?;
    if !is_built_in_version(version, version_name) {
        return Err(ApiError::new(
            "InvalidDocumentVersion",
            format!("Document {name_only} has version 1 only."),
        ));
    }
    Ok(found)
}

/// The default versions of all documents of a region, by name.
pub(crate) async fn all(plane: &ControlPlane, region: &str) -> ApiResult<Vec<Shown>> {
    let commands = built_in::all().iter().map(Shown::of_command);
    let sessions = session_built_in::all().iter().map(Shown::of_session);
    let runbooks = automation_built_in::all().iter().map(Shown::of_automation);
    let mut found: BTreeMap<String, Shown> = commands
        .chain(sessions)
        .chain(runbooks)
        .map(|document| (document.name.clone(), document))
        .collect();
    for row in queries::defaults(plane.db.reader(), region).await? {
        let version = row.version;
        let name = row.name.clone();
        // One that a damaged database no longer holds whole is in the log by now; the others are still listed.
        if let Ok(document) = Shown::of_row(row, version, version) {
            found.insert(name, document);
        }
    }
    let names: Vec<String> = found
        .values()
        .filter(|document| document.owner != OWNER)
        .map(|document| document.name.clone())
        .collect();
    for (name, tag) in tags::of_many(plane.db.reader(), region, TAGS, &names).await? {
        if let Some(document) = found.get_mut(&name) {
            document.tags.push(tag);
        }
    }
    Ok(found.into_values().collect())
}

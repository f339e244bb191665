//! `CreateDocument`, for Command, Session and Automation documents. Other types are refused by name.

use super::queries::{self, DocumentRow};
use super::shown::{Described, Shown};
use super::text::parse;
use super::{TAGS, VERSION, VERSION_NAME, VERSION_NAME_PATTERN, content, is_plain};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::tags::{TagInput, check_new, queries as tags};
use crate::validation::{self, Member, Pattern, Shape, list, matching, one_of, optional, required, text};
use muster_agent_protocol::signing::sha256_hex;
use serde::{Deserialize, Serialize};

/// Documents of one region at most.
const MAX_DOCUMENTS: i64 = 500;

fn is_plain_name(text: &str) -> bool {
    (3..=128).contains(&text.len()) && is_plain(text)
}

/// The name of a document that is changed: never an ARN.
pub(crate) const PLAIN_NAME: Shape = matching(
    0,
    usize::MAX,
    Pattern {
        text: "^[a-zA-Z0-9_\\-.]{3,128}$",
        holds: is_plain_name,
    },
);
pub(crate) const DISPLAY_NAME: Shape = matching(
    0,
    1024,
    Pattern {
        text: "^[\\w\\.\\-\\:\\/ ]*$",
        holds: |text| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.-:/ ".contains(&b))
        },
    },
);
pub(crate) const TARGET_TYPE: Shape = matching(
    0,
    200,
    Pattern {
        text: "^\\/[\\w\\.\\-\\:\\/]*$",
        holds: |text| {
            text.starts_with('/')
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_.-:/".contains(&b))
        },
    },
);
pub(crate) const FORMAT: Shape = one_of(&["YAML", "JSON", "TEXT"]);
const TYPES: &[&str] = &[
    "Command",
    "Policy",
    "Automation",
    "Session",
    "Package",
    "ApplicationConfiguration",
    "ApplicationConfigurationSchema",
    "DeploymentStrategy",
    "ChangeCalendar",
    "Automation.ChangeTemplate",
    "ProblemAnalysis",
    "ProblemAnalysisTemplate",
    "CloudFormation",
    "ConformancePackTemplate",
    "QuickSetup",
    "ManualApprovalPolicy",
    "AutoApprovalPolicy",
];
const REQUIRE_TYPE: Shape = matching(0, 128, VERSION_NAME_PATTERN);
const SOURCE_VALUE: Shape = text(1, 1024);
pub(crate) const ATTACHMENTS: Shape = list(
    0,
    20,
    &Shape::Record(&[
        optional("Key", one_of(&["SourceUrl", "S3FileUrl", "AttachmentReference"])),
        optional("Values", list(1, 1, &SOURCE_VALUE)),
        optional("Name", PLAIN_NAME),
    ]),
);

pub(crate) const INPUT: &[Member] = &[
    required("Content", text(1, usize::MAX)),
    optional(
        "Requires",
        list(
            1,
            usize::MAX,
            &Shape::Record(&[
                required("Name", super::NAME),
                optional("Version", VERSION),
                optional("RequireType", REQUIRE_TYPE),
                optional("VersionName", VERSION_NAME),
            ]),
        ),
    ),
    optional("Attachments", ATTACHMENTS),
    required("Name", PLAIN_NAME),
    optional("DisplayName", DISPLAY_NAME),
    optional("VersionName", VERSION_NAME),
    optional("DocumentType", one_of(TYPES)),
    optional("DocumentFormat", FORMAT),
    optional("TargetType", TARGET_TYPE),
    optional("Tags", validation::TAGS),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    content: String,
    name: String,
    display_name: Option<String>,
    version_name: Option<String>,
    document_type: Option<String>,
    document_format: Option<String>,
    target_type: Option<String>,
    requires: Option<serde_json::Value>,
    attachments: Option<serde_json::Value>,
    tags: Option<Vec<TagInput>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    document_description: Described,
}

impl Output {
    pub(crate) fn of(document: &Shown) -> Self {
        Self {
            document_description: document.described(),
        }
    }
}

/// The schema version as it stands in the text: agents may be told another one.
pub(crate) fn written_schema_version(text: &str, format: &str) -> ApiResult<String> {
    let value = parse(text, format)?;
    let version = value.get("schemaVersion").and_then(serde_json::Value::as_str);
    Ok(version.unwrap_or_default().to_owned())
}

fn check_name(name: &str) -> ApiResult<()> {
    const RESERVED: [&str; 3] = ["aws", "amazon", "amzn"];
    let lower = name.to_ascii_lowercase();
    match RESERVED.iter().find(|prefix| lower.starts_with(**prefix)) {
        Some(prefix) => Err(ApiError::validation(format!(
            "The name {name} begins with \"{prefix}\", which is reserved: choose another one."
        ))),
        None => Ok(()),
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let document_type = input.document_type.unwrap_or_else(|| "Command".into());
    for (member, value) in [("Requires", &input.requires), ("Attachments", &input.attachments)] {
        if value
            .as_ref()
            .and_then(serde_json::Value::as_array)
            .is_some_and(|list| !list.is_empty())
        {
            return Err(ApiError::validation(format!(
                "Documents have no {member} at this endpoint: leave it out."
            )));
        }
    }
    check_name(&input.name)?;
    let new_tags = check_new(input.tags.unwrap_or_default())?;
    let format = input.document_format.unwrap_or_else(|| "JSON".into());
    content::read(&document_type, &input.content, &format)?;
    let schema_version = written_schema_version(&input.content, &format)?;
    let exists = || ApiError::new("DocumentAlreadyExists", "The specified document already exists.");
    if !queries::versions(plane.db.reader(), &call.region, &input.name)
        .await?
        .is_empty()
    {
        return Err(exists());
    }
    if queries::count(plane.db.reader(), &call.region).await? >= MAX_DOCUMENTS {
        return Err(ApiError::new(
            "DocumentLimitExceeded",
            format!("There are {MAX_DOCUMENTS} documents, which is the most: delete one first."),
        ));
    }
    let row = DocumentRow {
        region: call.region.clone(),
        name: input.name,
        version: 1,
        version_name: input.version_name.unwrap_or_default(),
        display_name: input.display_name.unwrap_or_default(),
        target_type: input.target_type.unwrap_or_default(),
        document_type,
        schema_version,
        format,
        sha256: sha256_hex(input.content.as_bytes()),
        content: input.content,
        owner: plane.config.account.clone(),
        created_at: call.now,
        is_default: true,
    };
    let mut shown = Shown::of_row(row.clone(), 1, 1)?;
    let mut transaction = plane.db.begin().await?;
    match queries::insert(&mut *transaction, &row).await {
        // Somebody else made it between the look and the writing.
        Err(error) if error.is_unique_violation() => return Err(exists()),
        other => other?,
    }
    for tag in &new_tags {
        tags::put(&mut *transaction, &call.region, TAGS, &row.name, tag).await?;
    }
    transaction.commit().await?;
    shown.tags = new_tags;
    Ok(Output::of(&shown))
}

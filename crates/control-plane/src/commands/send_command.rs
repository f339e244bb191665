//! `SendCommand`: checks everything, then writes the command and one invocation for each node in one
//! transaction. Sending itself is delivery's business.

use super::delivery;
use super::queries::{CommandRow, insert_command, insert_invocations};
use super::shown::{ShownCommand, shown_command};
use super::status::Detail;
use super::targets::{Target, by_ids, by_targets};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::{self, Given};
use crate::documents::shown::{self, Shown};
use crate::documents::{NAME, VERSION};
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::NodeRow;
use crate::operations::Call;
use crate::parameters::references;
use crate::validation::{
    ANY_TEXT, INSTANCE_ID, Member, Pattern, Shape, is_tag_text, list, matching, one_of, optional, required,
    sensitive, text, whole,
};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const fn pattern(text: &'static str, holds: fn(&str) -> bool) -> Pattern {
    Pattern { text, holds }
}

/// `1` … or `1%` to `100%`; 0 too where `zero`.
fn is_rate(text: &str, zero: bool) -> bool {
    let (digits, percent) = text
        .strip_suffix('%')
        .map_or((text, false), |digits| (digits, true));
    let number: Option<u32> = (digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty())
        .then(|| digits.parse().ok())
        .flatten();
    let canonical = digits == "0" || !digits.starts_with('0');
    number.is_some_and(|n| canonical && (zero || n > 0) && (!percent || n <= 100))
}

fn is_target_key(text: &str) -> bool {
    is_tag_text(text)
}

const CONCURRENCY: Pattern = pattern("^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$", |text| {
    is_rate(text, false)
});
const ERRORS: Pattern = pattern("^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$", |text| {
    is_rate(text, true)
});
const TARGET_KEY: Pattern = pattern(
    "^[\\p{L}\\p{Z}\\p{N}_.:/=\\-@]*$|resource-groups:ResourceTypeFilters|resource-groups:Name",
    is_target_key,
);
const NOT_BLANK: Pattern = pattern("^(?!\\s*$).+", |text| !text.trim().is_empty());
const EVENT: Shape = one_of(&["All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"]);

pub(crate) const INPUT: &[Member] = &[
    optional("InstanceIds", list(0, 50, &INSTANCE_ID)),
    optional(
        "Targets",
        list(
            0,
            5,
            &Shape::Record(&[
                optional("Key", matching(1, 163, TARGET_KEY)),
                optional("Values", list(0, 50, &ANY_TEXT)),
            ]),
        ),
    ),
    required("DocumentName", NAME),
    optional("DocumentVersion", VERSION),
    optional("DocumentHash", text(0, 256)),
    optional("DocumentHashType", one_of(&["Sha256", "Sha1"])),
    optional("TimeoutSeconds", whole(30, 2_592_000)),
    optional("Comment", text(0, 100)),
    sensitive(optional(
        "Parameters",
        Shape::Map(&list(0, usize::MAX, &ANY_TEXT)),
    )),
    optional("OutputS3Region", text(3, 20)),
    optional("OutputS3BucketName", text(3, 63)),
    optional("OutputS3KeyPrefix", text(0, 500)),
    optional("MaxConcurrency", matching(1, 7, CONCURRENCY)),
    optional("MaxErrors", matching(1, 7, ERRORS)),
    optional("ServiceRoleArn", ANY_TEXT),
    optional(
        "NotificationConfig",
        Shape::Record(&[
            optional("NotificationArn", ANY_TEXT),
            optional("NotificationEvents", list(0, usize::MAX, &EVENT)),
            optional("NotificationType", one_of(&["Command", "Invocation"])),
        ]),
    ),
    optional(
        "CloudWatchOutputConfig",
        Shape::Record(&[
            optional("CloudWatchLogGroupName", text(1, 512)),
            optional("CloudWatchOutputEnabled", Shape::Flag),
        ]),
    ),
    optional(
        "AlarmConfiguration",
        Shape::Record(&[
            optional("IgnorePollAlarmFailure", Shape::Flag),
            required(
                "Alarms",
                list(
                    1,
                    1,
                    &Shape::Record(&[required("Name", matching(1, 255, NOT_BLANK))]),
                ),
            ),
        ]),
    ),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    instance_ids: Option<Vec<String>>,
    targets: Option<Vec<Target>>,
    document_name: String,
    document_version: Option<String>,
    document_hash: Option<String>,
    document_hash_type: Option<String>,
    timeout_seconds: Option<i64>,
    comment: Option<String>,
    parameters: Option<Given>,
    #[serde(rename = "OutputS3Region")]
    output_region: Option<String>,
    #[serde(rename = "OutputS3BucketName")]
    output_bucket: Option<String>,
    #[serde(rename = "OutputS3KeyPrefix")]
    output_prefix: Option<String>,
    max_concurrency: Option<String>,
    max_errors: Option<String>,
    service_role_arn: Option<String>,
    notification_config: Option<Value>,
    cloud_watch_output_config: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    command: ShownCommand,
}

/// Seconds in which a command must be delivered, unless told otherwise.
const TIMEOUT_SECONDS: i64 = 3600;
/// Bytes of a job as the agent gets it: a frame takes a little more, and is refused above 1 MiB.
const MAX_JOB_BYTES: usize = 900_000;

fn check_hash(document: &Shown, hash: Option<&str>, kind: Option<&str>) -> ApiResult<()> {
    let Some(hash) = hash else { return Ok(()) };
    let actual = if kind == Some("Sha1") {
        hex::encode(digest::digest(
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            document.text.as_bytes(),
        ))
    } else {
        document.sha256.clone()
    };
    if actual.eq_ignore_ascii_case(hash) {
        return Ok(());
    }
    Err(ApiError::new(
        "InvalidDocument",
        format!("The DocumentHash is not the hash of {}.", document.name),
    ))
}

async fn nodes(plane: &ControlPlane, call: &Call, input: &Input) -> ApiResult<Vec<NodeRow>> {
    let ids = input.instance_ids.as_deref().unwrap_or_default();
    let targets = input.targets.as_deref().unwrap_or_default();
    match (ids.is_empty(), targets.is_empty()) {
        (true, true) => Err(ApiError::validation(
            "Name the nodes: give either InstanceIds or Targets.",
        )),
        (false, false) => Err(ApiError::validation(
            "Give either InstanceIds or Targets, not both.",
        )),
        (false, true) => {
            let online_since = call.now.plus_ms(-plane.config.connection_lost_after_ms);
            by_ids(&plane.db, &call.region, &plane.config.account, ids, online_since).await
        }
        (true, false) => by_targets(&plane.db, &call.region, targets).await,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let document = shown::find(
        plane,
        &call.region,
        &input.document_name,
        input.document_version.as_deref(),
        None,
    )
    .await?;
    let Some(content) = document.content.command() else {
        return Err(ApiError::new(
            "InvalidDocument",
            format!(
                "{} is a document of the type {}: commands run documents of the type Command.",
                document.name, document.document_type
            ),
        ));
    };
    check_hash(
        &document,
        input.document_hash.as_deref(),
        input.document_hash_type.as_deref(),
    )?;
    let nodes = nodes(plane, call, &input).await?;
    let fits = |node: &NodeRow| {
        node.platform_type.is_empty() || document.platforms.contains(&node.platform_type.as_str())
    };
    if input.instance_ids.is_some() && !nodes.iter().all(fits) {
        return Err(ApiError::new(
            "UnsupportedPlatformType",
            format!(
                "{} does not run on the platform of every node that was named.",
                document.name
            ),
        ));
    }
    let given = input.parameters.unwrap_or_default();
    parameters::check_names(&document.name, &content.parameters, &given)?;
    let resolved = references::resolved(plane, call, &content.parameters, &given).await?;
    let meant = resolved.as_ref().unwrap_or(&given);
    parameters::check(&document.name, &content.parameters, meant)?;
    let invocations: Vec<(String, String, Detail)> = nodes
        .iter()
        .map(|node| {
            let detail = if fits(node) {
                Detail::Pending
            } else {
                Detail::InvalidPlatform
            };
            (node.node_id.clone(), node.label(), detail)
        })
        .collect();
    let ended = invocations
        .iter()
        .filter(|(_, _, detail)| detail.is_final())
        .count();
    let row = CommandRow {
        command_id: call.fresh_id.clone(),
        region: call.region.clone(),
        document: document.name.clone(),
        document_version: input.document_version.unwrap_or_else(|| "$DEFAULT".into()),
        content: content.clone(),
        execution_timeout_seconds: parameters::execution_seconds(content, meant),
        parameters: given,
        resolved,
        instance_ids: input.instance_ids.unwrap_or_default(),
        targets: input.targets.unwrap_or_default(),
        comment: input.comment.unwrap_or_default(),
        max_concurrency: input.max_concurrency.unwrap_or_else(|| "50".into()),
        max_errors: input.max_errors.unwrap_or_else(|| "0".into()),
        timeout_seconds: input.timeout_seconds.unwrap_or(TIMEOUT_SECONDS),
        output_bucket: input.output_bucket.unwrap_or_default(),
        output_prefix: input
            .output_prefix
            .unwrap_or_default()
            .trim_matches('/')
            .to_owned(),
        output_region: input.output_region.unwrap_or_default(),
        service_role: input.service_role_arn.unwrap_or_default(),
        notification: input.notification_config.unwrap_or_else(|| json!({})),
        cloud_watch: input.cloud_watch_output_config.unwrap_or_else(|| json!({})),
        requested_at: call.now,
        status: "Pending".into(),
        status_details: "Pending".into(),
        target_count: i64::try_from(invocations.len()).unwrap_or(i64::MAX),
        completed_count: i64::try_from(ended).unwrap_or(i64::MAX),
        error_count: 0,
        delivery_timed_out_count: 0,
        acknowledged_count: 0,
        finished: false,
    };
    if delivery::job_bytes(&row)? > MAX_JOB_BYTES {
        return Err(ApiError::new(
            "MaxDocumentSizeExceeded",
            "The document and its parameters are together too large to be sent to a node. Shorten the parameters.",
        ));
    }
    let mut transaction = plane.db.begin().await?;
    insert_command(&mut *transaction, &row).await?;
    insert_invocations(&mut transaction, &row, &invocations).await?;
    transaction.commit().await?;
    plane.changed(&row.command_id, None);
    plane.wake.notify_one();
    Ok(Output {
        command: shown_command(&row),
    })
}

#[cfg(test)]
mod tests {
    use super::is_rate;

    #[test]
    fn rates_are_as_the_model_says() {
        for (text, concurrency, errors) in [
            ("1", true, true),
            ("0", false, true),
            ("50", true, true),
            ("100%", true, true),
            ("0%", false, true),
            ("101%", false, false),
            ("01", false, false),
            ("-1", false, false),
            ("%", false, false),
            ("", false, false),
            ("1.5", false, false),
        ] {
            assert_eq!(
                (is_rate(text, false), is_rate(text, true)),
                (concurrency, errors),
                "{text}"
            );
        }
    }
}

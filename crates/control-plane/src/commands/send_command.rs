//! `SendCommand`: which nodes are meant, and the order that becomes of it. Sending itself is delivery's business.

use super::order::{self, Order};
use super::shapes::{ALARMS, CLOUD_WATCH, CONCURRENCY, ERRORS, NOTIFICATION, TARGETS};
use super::shown::{ShownCommand, shown_command};
use super::targets::{Target, by_ids, by_targets};
use crate::control_plane::ControlPlane;
use crate::documents::parameters::Given;
use crate::documents::{NAME, VERSION};
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::NodeRow;
use crate::operations::Call;
use crate::validation::{
    ANY_TEXT, INSTANCE_ID, Member, Shape, list, one_of, optional, required, sensitive, text, whole,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) const INPUT: &[Member] = &[
    optional("InstanceIds", list(0, 50, &INSTANCE_ID)),
    optional("Targets", TARGETS),
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
    optional("MaxConcurrency", CONCURRENCY),
    optional("MaxErrors", ERRORS),
    optional("ServiceRoleArn", ANY_TEXT),
    optional("NotificationConfig", NOTIFICATION),
    optional("CloudWatchOutputConfig", CLOUD_WATCH),
    optional("AlarmConfiguration", ALARMS),
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
        (true, false) => by_targets(plane, &call.region, targets).await,
    }
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Output> {
    let document = order::document(
        plane,
        &call.region,
        &input.document_name,
        input.document_version.as_deref(),
    )
    .await?;
    let nodes = nodes(plane, call, &input).await?;
    let order = Order {
        document: input.document_name,
        version: input.document_version,
        hash: input.document_hash,
        hash_type: input.document_hash_type,
        parameters: input.parameters.unwrap_or_default(),
        instance_ids: input.instance_ids.unwrap_or_default(),
        targets: input.targets.unwrap_or_default(),
        comment: input.comment.unwrap_or_default(),
        max_concurrency: input.max_concurrency,
        max_errors: input.max_errors,
        timeout_seconds: input.timeout_seconds,
        output_bucket: input.output_bucket.unwrap_or_default(),
        output_prefix: input.output_prefix.unwrap_or_default(),
        output_region: input.output_region.unwrap_or_default(),
        service_role: input.service_role_arn.unwrap_or_default(),
        notification: input.notification_config,
        cloud_watch: input.cloud_watch_output_config,
    };
    let prepared = order::prepare(plane, call, &document, order, &nodes).await?;
    let mut transaction = plane.db.begin().await?;
    prepared.insert(&mut transaction).await?;
    transaction.commit().await?;
    prepared.tell(plane);
    Ok(Output {
        command: shown_command(&prepared.row),
    })
}

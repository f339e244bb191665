//! A command on its way in: what somebody wants to be run, checked against the document and the nodes, and written down
//! with one invocation for each node. `SendCommand` makes one of what a caller sends, maintenance windows and
//! associations of what was registered.

use super::delivery;
use super::embedded;
use super::notices;
use super::queries::{CommandRow, insert_command, insert_invocations};
use super::status::Detail;
use super::targets::Target;
use crate::control_plane::ControlPlane;
use crate::documents::parameters::{self, Given};
use crate::documents::shown::{self, Shown};
use crate::errors::{ApiError, ApiResult};
use crate::fleet::queries::NodeRow;
use crate::operations::Call;
use crate::parameters::references;
use ring::digest;
use serde_json::Value;
use sqlx::{Any, Transaction};

/// Seconds in which a command must be delivered, unless told otherwise.
const TIMEOUT_SECONDS: i64 = 3600;
/// Bytes of a job as the agent gets it: a frame takes a little more, and is refused above 1 MiB.
pub(crate) const MAX_JOB_BYTES: usize = 900_000;

/// What is wanted. The command's id is the call's fresh one.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) document: String,
    pub(crate) version: Option<String>,
    pub(crate) hash: Option<String>,
    pub(crate) hash_type: Option<String>,
    pub(crate) parameters: Given,
    /// As they were named, for the answer.
    pub(crate) instance_ids: Vec<String>,
    /// As they were named, for the answer.
    pub(crate) targets: Vec<Target>,
    pub(crate) comment: String,
    pub(crate) max_concurrency: Option<String>,
    pub(crate) max_errors: Option<String>,
    pub(crate) timeout_seconds: Option<i64>,
    pub(crate) output_bucket: String,
    pub(crate) output_prefix: String,
    pub(crate) output_region: String,
    pub(crate) service_role: String,
    /// An object.
    pub(crate) notification: Option<Value>,
    /// An object.
    pub(crate) cloud_watch: Option<Value>,
}

/// A command that may be written down.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) row: CommandRow,
    /// Node, its name, and how its part begins.
    invocations: Vec<(String, String, Detail)>,
}

/// What those who start commands without `SendCommand` are told of their document.
pub(crate) async fn document(
    plane: &ControlPlane,
    region: &str,
    name: &str,
    version: Option<&str>,
) -> ApiResult<Shown> {
    let document = shown::find(plane, region, name, version, None).await?;
    if document.content.command().is_some() {
        return Ok(document);
    }
    Err(ApiError::new(
        "InvalidDocument",
        format!(
            "{} is a document of the type {}: commands run documents of the type Command.",
            document.name, document.document_type
        ),
    ))
}

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

/// Checks an order for these nodes. Nothing is written yet.
pub(crate) async fn prepare(
    plane: &ControlPlane,
    call: &Call,
    document: &Shown,
    order: Order,
    nodes: &[NodeRow],
) -> ApiResult<Prepared> {
    let content = document.content.command().ok_or_else(|| {
        ApiError::new(
            "InvalidDocument",
            format!("{} is no Command document.", document.name),
        )
    })?;
    check_hash(document, order.hash.as_deref(), order.hash_type.as_deref())?;
    notices::check(plane, &call.region, order.notification.as_ref()).await?;
    let fits = |node: &NodeRow| {
        node.platform_type.is_empty() || document.platforms.contains(&node.platform_type.as_str())
    };
    if !order.instance_ids.is_empty() && !nodes.iter().all(fits) {
        return Err(ApiError::new(
            "UnsupportedPlatformType",
            format!(
                "{} does not run on the platform of every node that was named.",
                document.name
            ),
        ));
    }
    let given = order.parameters;
    parameters::check_names(&document.name, &content.parameters, &given)?;
    let resolved = references::resolved(plane, call, &content.parameters, &given).await?;
    let meant = resolved.as_ref().unwrap_or(&given);
    parameters::check(&document.name, &content.parameters, meant)?;
    let mut content = content.clone();
    embedded::embed(plane, &call.region, &mut content, parameters::for_agent(meant)).await?;
    let part = |node: &NodeRow| {
        let detail = if fits(node) {
            Detail::Pending
        } else {
            Detail::InvalidPlatform
        };
        (node.node_id.clone(), node.label(), detail)
    };
    let invocations: Vec<(String, String, Detail)> = nodes.iter().map(part).collect();
    let ended = invocations
        .iter()
        .filter(|(_, _, detail)| detail.is_final())
        .count();
    let row = CommandRow {
        command_id: call.fresh_id.clone(),
        region: call.region.clone(),
        document: document.name.clone(),
        document_version: order.version.unwrap_or_else(|| "$DEFAULT".into()),
        execution_timeout_seconds: parameters::execution_seconds(&content, meant),
        content,
        parameters: given,
        resolved,
        instance_ids: order.instance_ids,
        targets: order.targets,
        comment: order.comment,
        max_concurrency: order.max_concurrency.unwrap_or_else(|| "50".into()),
        max_errors: order.max_errors.unwrap_or_else(|| "0".into()),
        timeout_seconds: order.timeout_seconds.unwrap_or(TIMEOUT_SECONDS),
        output_bucket: order.output_bucket,
        output_prefix: order.output_prefix.trim_matches('/').to_owned(),
        output_region: order.output_region,
        service_role: order.service_role,
        notification: order.notification.unwrap_or_else(|| serde_json::json!({})),
        cloud_watch: order.cloud_watch.unwrap_or_else(|| serde_json::json!({})),
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
    Ok(Prepared { row, invocations })
}

impl Prepared {
    /// Writes it down. After the commit delivery wants to be woken: [`Self::tell`].
    pub(crate) async fn insert(&self, transaction: &mut Transaction<'static, Any>) -> ApiResult<()> {
        insert_command(&mut **transaction, &self.row).await?;
        insert_invocations(transaction, &self.row, &self.invocations).await
    }

    /// Tells those who wait that there is something to do.
    pub(crate) fn tell(&self, plane: &ControlPlane) {
        plane.changed(&self.row.command_id, None);
        plane.wake.notify_one();
    }
}

//! `CreateResourceDataSync`: from now on, the inventory of this region's nodes is kept in a bucket.

use super::queries::{self, SyncRow};
use super::{NAME, SOURCE, SYNC_TYPE, TO_DESTINATION, not_possible};
use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::fleet::Empty;
use crate::operations::Call;
use crate::validation::{Member, Pattern, Shape, matching, one_of, optional, required, text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const DESTINATION: Shape = Shape::Record(&[
    required("BucketName", text(1, 2_048)),
    optional("Prefix", text(1, 256)),
    required("SyncFormat", one_of(&["JsonSerDe"])),
    required("Region", text(1, 64)),
    optional(
        "AWSKMSKeyARN",
        matching(
            1,
            512,
            Pattern {
                text: "arn:.*",
                holds: |text| text.starts_with("arn:"),
            },
        ),
    ),
    optional(
        "DestinationDataSharing",
        Shape::Record(&[optional("DestinationDataSharingType", text(1, 64))]),
    ),
]);
pub(crate) const INPUT: &[Member] = &[
    required("SyncName", NAME),
    optional("S3Destination", DESTINATION),
    SYNC_TYPE,
    optional("SyncSource", SOURCE),
];
/// Syncs of a region at most, as the service's quota.
const MOST: usize = 5;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    sync_name: String,
    #[serde(rename = "S3Destination")]
    destination: Option<Destination>,
    sync_type: Option<String>,
    sync_source: Option<Value>,
}

/// Where a sync writes to.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Destination {
    pub(crate) bucket_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    pub(crate) sync_format: String,
    pub(crate) region: String,
    #[serde(rename = "AWSKMSKeyARN", skip_serializing)]
    key_arn: Option<String>,
    #[serde(skip_serializing)]
    destination_data_sharing: Option<Value>,
}

impl Destination {
    /// What keys begin with.
    pub(crate) fn folder(&self) -> String {
        match self.prefix.as_deref().map(|prefix| prefix.trim_matches('/')) {
            None | Some("") => String::new(),
            Some(prefix) => format!("{prefix}/"),
        }
    }
}

/// That there may be one more of that name.
fn check_room(known: &[SyncRow], name: &str) -> ApiResult<()> {
    if known.iter().any(|row| row.name == name) {
        return Err(ApiError::new(
            "ResourceDataSyncAlreadyExistsException",
            format!("A resource data sync {name} is there already."),
        ));
    }
    if known.len() >= MOST {
        return Err(ApiError::new(
            "ResourceDataSyncCountExceededException",
            format!("A region has at most {MOST} resource data syncs: delete one."),
        ));
    }
    Ok(())
}

pub(crate) async fn call(plane: &ControlPlane, call: &Call, input: Input) -> ApiResult<Empty> {
    if input.sync_type.is_some_and(|kind| kind != TO_DESTINATION) || input.sync_source.is_some() {
        return Err(not_possible(
            "SyncType: this control plane has one account; a sync of the type SyncToDestination writes to a bucket.",
        ));
    }
    let destination = input
        .destination
        .ok_or_else(|| not_possible("S3Destination: name the bucket to write to."))?;
    if destination.key_arn.is_some() || destination.destination_data_sharing.is_some() {
        return Err(not_possible(
            "S3Destination: encryption with a key of your own and sharing with an organization are not possible here.",
        ));
    }
    check_room(
        &queries::syncs(plane.db.reader(), &call.region).await?,
        &input.sync_name,
    )?;
    // That it can be written to is found out now, not at three in the morning.
    plane
        .buckets
        .open(&destination.bucket_name, &destination.region)
        .map_err(|why| not_possible(&format!("S3Destination: {why}.")))?;
    let mut transaction = plane.db.begin().await?;
    check_room(
        &queries::syncs(&mut *transaction, &call.region).await?,
        &input.sync_name,
    )?;
    let row = SyncRow {
        region: call.region.clone(),
        name: input.sync_name,
        destination,
        created_at: call.now,
        tried_at: None,
        succeeded_at: None,
        status: "InProgress".into(),
        message: String::new(),
        position: queries::Position::default(),
    };
    queries::insert(&mut *transaction, &row).await?;
    transaction.commit().await?;
    Ok(Empty {})
}

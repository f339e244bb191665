//! Resource data sync: the inventory of all nodes, kept as JSON in a bucket for others to query. One file per operation.

pub(crate) mod create_resource_data_sync;
pub(crate) mod delete_resource_data_sync;
pub(crate) mod list_resource_data_sync;
pub(crate) mod queries;
pub(crate) mod rounds;
pub(crate) mod update_resource_data_sync;

use crate::errors::ApiError;
use crate::validation::{Member, Pattern, Shape, list, matching, optional, required, text};

pub(crate) const NAME: Shape = text(1, 64);
pub(crate) const TYPE: Shape = text(1, 64);
/// The only type here: from the nodes to a bucket.
pub(crate) const TO_DESTINATION: &str = "SyncToDestination";

const UNIT: Shape = Shape::Record(&[optional(
    "OrganizationalUnitId",
    matching(
        1,
        128,
        Pattern {
            text: "^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$",
            holds: is_unit,
        },
    ),
)]);
/// Where a sync takes from: other accounts and regions.
pub(crate) const SOURCE: Shape = Shape::Record(&[
    required("SourceType", text(1, 64)),
    optional(
        "AwsOrganizationsSource",
        Shape::Record(&[
            required("OrganizationSourceType", text(1, 64)),
            optional("OrganizationalUnits", list(1, 1_000, &UNIT)),
        ]),
    ),
    required("SourceRegions", list(0, usize::MAX, &text(1, 64))),
    optional("IncludeFutureRegions", Shape::Flag),
    optional("EnableAllOpsDataSources", Shape::Flag),
]);
pub(crate) const SYNC_TYPE: Member = optional("SyncType", TYPE);

fn is_unit(text: &str) -> bool {
    let word = |part: &str, least: usize| {
        (least..=32).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    };
    text.strip_prefix("ou-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(root, unit)| word(root, 4) && word(unit, 8))
}

/// Syncs of that kind are not to be had here.
pub(crate) fn not_possible(why: &str) -> ApiError {
    ApiError::new("ResourceDataSyncInvalidConfigurationException", why)
}

pub(crate) fn not_found(name: &str) -> ApiError {
    ApiError::new(
        "ResourceDataSyncNotFoundException",
        format!("There is no resource data sync {name}."),
    )
}

#[cfg(test)]
mod tests {
    use super::is_unit;

    #[test]
    fn units_are_as_the_model_says() {
        assert!(is_unit("ou-ab12-abcdef12"));
        for bad in [
            "",
            "ou-ab1-abcdef12",
            "ou-ab12-abcdef1",
            "ou-AB12-abcdef12",
            "ou-ab12",
        ] {
            assert!(!is_unit(bad), "{bad}");
        }
    }
}

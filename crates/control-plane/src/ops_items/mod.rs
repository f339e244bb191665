//! OpsItems: what somebody has to look after, with what it is about and what became of it. One file per operation.

pub(crate) mod associate_ops_item_related_item;
pub(crate) mod create_ops_item;
pub(crate) mod delete_ops_item;
pub(crate) mod describe_ops_items;
pub(crate) mod disassociate_ops_item_related_item;
pub(crate) mod get_ops_item;
pub(crate) mod get_ops_summary;
pub(crate) mod list_ops_item_events;
pub(crate) mod list_ops_item_related_items;
pub(crate) mod queries;
pub(crate) mod update_ops_item;

use crate::control_plane::ControlPlane;
use crate::errors::{ApiError, ApiResult};
use crate::index_text::digest_of;
use crate::operations::Call;
use crate::validation::{
    ANY_TEXT, Member, Pattern, Shape, list, matching, one_of, optional, required, whole,
};
use queries::OpsItemRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The word in `resource_type` for an item's tags.
pub(crate) const TAGS: &str = "OpsItem";

const NOT_BLANK: Pattern = Pattern {
    text: "^(?!\\s*$).+",
    holds: |text| !text.trim().is_empty(),
};
const HAS_SOMETHING: Pattern = Pattern {
    text: "[\\s\\S]*\\S[\\s\\S]*",
    holds: |text| !text.trim().is_empty(),
};

fn is_id(text: &str) -> bool {
    text.strip_prefix("oi-")
        .is_some_and(|rest| rest.len() == 12 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

pub(crate) const ID_PATTERN: Pattern = Pattern {
    text: "^(oi)-[0-9a-f]{12}$",
    holds: is_id,
};
pub(crate) const ID: Shape = matching(0, usize::MAX, ID_PATTERN);
pub(crate) const ARN: Shape = matching(
    20,
    2048,
    Pattern {
        text: "arn:(aws[a-zA-Z-]*)?:ssm:[a-z0-9-\\.]{0,63}:[0-9]{12}:opsitem.*",
        holds: |text| text.starts_with("arn:") && text.contains(":ssm:") && text.contains(":opsitem"),
    },
);
pub(crate) const TITLE: Shape = matching(1, 1024, NOT_BLANK);
pub(crate) const SOURCE: Shape = matching(1, 128, NOT_BLANK);
pub(crate) const DESCRIPTION: Shape = matching(1, 2048, HAS_SOMETHING);
const WORD: Shape = matching(1, 64, NOT_BLANK);

/// Members that making and changing an item share.
pub(crate) const DATA: Member = optional(
    "OperationalData",
    Shape::Map(&Shape::Record(&[
        optional("Value", matching(0, usize::MAX, HAS_SOMETHING)),
        optional("Type", one_of(&["SearchableString", "String"])),
    ])),
);
pub(crate) const NOTIFICATIONS: Member = optional(
    "Notifications",
    list(0, usize::MAX, &Shape::Record(&[optional("Arn", ANY_TEXT)])),
);
pub(crate) const PRIORITY: Member = optional("Priority", whole(1, 5));
pub(crate) const RELATED: Member = optional(
    "RelatedOpsItems",
    list(0, usize::MAX, &Shape::Record(&[required("OpsItemId", ANY_TEXT)])),
);
pub(crate) const CATEGORY: Member = optional("Category", WORD);
pub(crate) const SEVERITY: Member = optional("Severity", WORD);
pub(crate) const ACTUAL_START: Member = optional("ActualStartTime", Shape::Number);
pub(crate) const ACTUAL_END: Member = optional("ActualEndTime", Shape::Number);
pub(crate) const PLANNED_START: Member = optional("PlannedStartTime", Shape::Number);
pub(crate) const PLANNED_END: Member = optional("PlannedEndTime", Shape::Number);

/// One piece of operational data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DataValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
}

/// What an item says besides what lists are filtered by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Definition {
    pub(crate) description: String,
    pub(crate) operational_data: BTreeMap<String, DataValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notifications: Vec<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) related_ops_items: Vec<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actual_start_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actual_end_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) planned_start_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) planned_end_time: Option<f64>,
}

/// The end of the year 9999, in seconds: what later times cannot be written as.
const LAST_TIME: f64 = 253_402_300_799.0;

impl Definition {
    /// That it is as the service takes it.
    pub(crate) fn check(&self) -> ApiResult<()> {
        check_data(&self.operational_data)?;
        for (name, at) in [
            ("ActualStartTime", self.actual_start_time),
            ("ActualEndTime", self.actual_end_time),
            ("PlannedStartTime", self.planned_start_time),
            ("PlannedEndTime", self.planned_end_time),
        ] {
            if at.is_some_and(|at| !(0.0..=LAST_TIME).contains(&at)) {
                return Err(invalid(format!("{name}: it lies between 1970 and 9999.")));
            }
        }
        Ok(())
    }
}

/// All of an item's data at most, in bytes, so that no number of changes makes one that cannot be sent any more.
const MOST_DATA: usize = 400 * 1024;

/// Where an item says what it is known by.
pub(crate) const DEDUP: &str = "/aws/dedup";
/// Keys of the service's own that may be set (user guide, "Working with OpsItems").
const OWN_KEYS: [&str; 4] = [DEDUP, "/aws/resources", "/aws/automations", "/aws/automation"];

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("OpsItemInvalidParameterException", message)
}

fn check_data(data: &BTreeMap<String, DataValue>) -> ApiResult<()> {
    let size = |(key, value): (&String, &DataValue)| key.len() + value.value.as_ref().map_or(0, String::len);
    if data.iter().map(size).sum::<usize>() > MOST_DATA {
        return Err(invalid(
            "OperationalData: all of it together is larger than 400 KB.",
        ));
    }
    for (key, value) in data {
        if !(1..=128).contains(&key.chars().count()) || key.trim().is_empty() {
            return Err(invalid("OperationalData: keys have 1 to 128 characters."));
        }
        let lower = key.trim_start_matches('/').to_ascii_lowercase();
        let is_reserved = ["aws", "amazon", "amzn", "ssm"]
            .iter()
            .any(|word| lower.starts_with(word));
        if is_reserved && !OWN_KEYS.contains(&key.as_str()) {
            return Err(invalid(format!(
                "OperationalData: the key {key} begins with a word that is reserved: aws, amazon, amzn, ssm."
            )));
        }
        if value.value.as_deref().is_some_and(|text| text.len() > 20 * 1024) {
            return Err(invalid(format!(
                "OperationalData: the value of {key} is larger than 20 KB."
            )));
        }
    }
    Ok(())
}

/// What an item is known by: the digest of the text inside the JSON under its key, or of the value itself. Empty
/// when nothing is said.
pub(crate) fn dedup(data: &BTreeMap<String, DataValue>) -> String {
    let Some(text) = data.get(DEDUP).and_then(|value| value.value.as_deref()) else {
        return String::new();
    };
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let known = json
        .get("dedupString")
        .and_then(serde_json::Value::as_str)
        .unwrap_or(text);
    if known.is_empty() {
        return String::new();
    }
    digest_of(known)
}

/// Whether nobody is done with it.
pub(crate) fn is_open(status: &str) -> bool {
    matches!(status, "Open" | "InProgress")
}

/// The id of an item that this call makes.
pub(crate) fn fresh_id(call: &Call) -> String {
    let hex: String = call.fresh_id.chars().filter(|c| *c != '-').take(12).collect();
    format!("oi-{hex}")
}

pub(crate) fn arn(plane: &ControlPlane, region: &str, id: &str) -> String {
    format!("arn:aws:ssm:{region}:{}:opsitem/{id}", plane.config.account)
}

pub(crate) fn missing(id: &str) -> ApiError {
    ApiError::new(
        "OpsItemNotFoundException",
        format!("OpsItem Id {id} was not found."),
    )
}

/// An item of the call's region.
pub(crate) async fn find(plane: &ControlPlane, call: &Call, id: &str) -> ApiResult<OpsItemRow> {
    queries::item(plane.db.reader(), &call.region, id)
        .await?
        .ok_or_else(|| missing(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(key: &str, value: &str) -> BTreeMap<String, DataValue> {
        let value = DataValue {
            value: Some(value.to_owned()),
            kind: None,
        };
        BTreeMap::from([(key.to_owned(), value)])
    }

    #[test]
    fn keys_that_are_reserved_are_refused_and_the_services_own_are_not() {
        for (key, is) in [
            ("cause", true),
            (DEDUP, true),
            ("/aws/resources", true),
            ("aws-x", false),
            ("/AWS/other", false),
            ("ssm:x", false),
            (" ", false),
        ] {
            assert_eq!(check_data(&data(key, "v")).is_ok(), is, "{key}");
        }
        assert!(check_data(&data("k", &"x".repeat(21_000))).is_err());
    }

    #[test]
    fn an_item_is_known_by_its_text() {
        let known = dedup(&data(DEDUP, r#"{"dedupString":"disk"}"#));
        assert_eq!(known.len(), 64);
        assert_eq!(dedup(&data(DEDUP, "disk")), known);
        assert_ne!(dedup(&data(DEDUP, "disc")), known);
        assert_eq!(dedup(&data("x", "disk")), "");
        assert_eq!(dedup(&data(DEDUP, r#"{"dedupString":""}"#)), "");
    }
}

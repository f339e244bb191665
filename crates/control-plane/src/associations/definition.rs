//! An association as it is made: its members, what of them is refused, and when it runs.

use super::{ASSOCIATION_NAME, refused};
use crate::commands::shapes::{ALARMS, CONCURRENCY, ERRORS, REMOTE_TARGETS, TARGETS};
use crate::commands::targets::Target;
use crate::documents::VERSION;
use crate::documents::parameters::Given;
use crate::errors::ApiResult;
use crate::validation::{
    ANY_TEXT, INSTANCE_ID, Member, Pattern, Shape, list, matching, one_of, optional, sensitive, text, whole,
};
use jiff::tz::TimeZone;
use muster_domain::Timestamp;
use muster_schedule::{Context, Schedule};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const ROLE_NAME: Shape = matching(
    1,
    64,
    Pattern {
        text: "[\\w+=,.@/-]+",
        holds: |text| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&b))
        },
    },
);

fn is_account_or_unit(text: &str) -> bool {
    let is_account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let word = |part: &str, least: usize| {
        (least..=32).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_unit = text
        .strip_prefix("ou-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(root, unit)| word(root, 4) && word(unit, 8));
    is_account || is_unit
}

const EXCLUDED: Shape = matching(
    6,
    68,
    Pattern {
        text: "^((ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})|(\\d{12}))$",
        holds: is_account_or_unit,
    },
);
const LOCATION: Shape = Shape::Record(&[
    optional("Accounts", list(1, 50, &ANY_TEXT)),
    optional("Regions", list(1, 50, &ANY_TEXT)),
    optional("TargetLocationMaxConcurrency", CONCURRENCY),
    optional("TargetLocationMaxErrors", ERRORS),
    optional("ExecutionRoleName", ROLE_NAME),
    optional("TargetLocationAlarmConfiguration", ALARMS),
    optional("IncludeChildOrganizationUnits", Shape::Flag),
    optional("ExcludeAccounts", list(1, 5_000, &EXCLUDED)),
    optional("Targets", REMOTE_TARGETS),
    optional("TargetsMaxConcurrency", CONCURRENCY),
    optional("TargetsMaxErrors", ERRORS),
]);
const OUTPUT: Shape = Shape::Record(&[optional(
    "S3Location",
    Shape::Record(&[
        optional("OutputS3Region", text(3, 20)),
        optional("OutputS3BucketName", text(3, 63)),
        optional("OutputS3KeyPrefix", text(0, 500)),
    ]),
)]);

/// Members that making, making several and changing share.
pub(crate) const DOCUMENT_VERSION: Member = optional("DocumentVersion", VERSION);
pub(crate) const NODE: Member = optional("InstanceId", INSTANCE_ID);
pub(crate) const PARAMETERS: Member = sensitive(optional(
    "Parameters",
    Shape::Map(&list(0, usize::MAX, &ANY_TEXT)),
));
pub(crate) const ITS_TARGETS: Member = optional("Targets", TARGETS);
pub(crate) const SCHEDULE: Member = optional("ScheduleExpression", text(1, 256));
pub(crate) const OUTPUT_LOCATION: Member = optional("OutputLocation", OUTPUT);
pub(crate) const ITS_NAME: Member = optional("AssociationName", ASSOCIATION_NAME);
pub(crate) const TARGET_PARAMETER: Member = optional("AutomationTargetParameterName", text(1, 50));
pub(crate) const MAX_ERRORS: Member = optional("MaxErrors", ERRORS);
pub(crate) const MAX_CONCURRENCY: Member = optional("MaxConcurrency", CONCURRENCY);
pub(crate) const SEVERITY: Member = optional(
    "ComplianceSeverity",
    one_of(&["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNSPECIFIED"]),
);
pub(crate) const SYNC: Member = optional("SyncCompliance", one_of(&["AUTO", "MANUAL"]));
pub(crate) const ONLY_AT_INTERVAL: Member = optional("ApplyOnlyAtCronInterval", Shape::Flag);
pub(crate) const CALENDARS: Member = optional("CalendarNames", list(0, usize::MAX, &ANY_TEXT));
pub(crate) const LOCATIONS: Member = optional("TargetLocations", list(1, 100, &LOCATION));
pub(crate) const OFFSET: Member = optional("ScheduleOffset", whole(1, 6));
pub(crate) const DURATION: Member = optional("Duration", whole(1, 24));
pub(crate) const MAPS: Member = optional(
    "TargetMaps",
    list(0, 300, &Shape::Map(&list(0, 25, &text(1, 50)))),
);
pub(crate) const ALARM_CONFIGURATION: Member = optional("AlarmConfiguration", ALARMS);
pub(crate) const DISPATCH_ROLE: Member = optional(
    "AssociationDispatchAssumeRole",
    matching(
        1,
        512,
        Pattern {
            text: "arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+",
            holds: |text| {
                text.split_once(":iam::").is_some_and(|(start, rest)| {
                    let account = rest.get(..12).unwrap_or_default();
                    start.starts_with("arn:aws")
                        && account.bytes().all(|b| b.is_ascii_digit())
                        && rest
                            .get(12..)
                            .is_some_and(|rest| rest.len() > 6 && rest.starts_with(":role/"))
                })
            },
        },
    ),
);

/// What is given when an association is made or changed, and how it is kept and answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Definition {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameters: Option<Given>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) targets: Option<Vec<Target>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_location: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) association_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) automation_target_parameter_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_errors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_concurrency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compliance_severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sync_compliance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) apply_only_at_cron_interval: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) calendar_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_locations: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_offset: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_maps: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alarm_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) association_dispatch_assume_role: Option<String>,
}

/// The shortest rate that the service takes (user guide, "Cron and rate expressions for associations").
const SHORTEST_SECONDS: i64 = 30 * 60;
/// The longest one.
const LONGEST_SECONDS: i64 = 31 * 86_400;

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX)
}

impl Definition {
    /// The nodes that are meant.
    pub(crate) fn all_targets(&self) -> Vec<Target> {
        match (&self.instance_id, &self.targets) {
            (Some(id), _) => vec![Target {
                key: "InstanceIds".into(),
                values: vec![id.clone()],
            }],
            (None, Some(targets)) => targets.clone(),
            (None, None) => Vec::new(),
        }
    }

    /// Whether it runs by itself only when its schedule says so.
    pub(crate) fn waits_for_schedule(&self) -> bool {
        self.apply_only_at_cron_interval == Some(true)
    }

    /// Whether its results count as compliance.
    pub(crate) fn counts(&self) -> bool {
        self.sync_compliance.as_deref() != Some("MANUAL")
    }

    fn schedule(&self) -> ApiResult<Option<Schedule>> {
        let Some(text) = self.schedule_expression.as_deref() else {
            return Ok(None);
        };
        let schedule = Schedule::parse(text)
            .map_err(|error| refused("InvalidSchedule", format!("ScheduleExpression: {error}")))?;
        if let Schedule::Rate(rate) = &schedule {
            let seconds = rate.period().as_secs();
            if !(SHORTEST_SECONDS..LONGEST_SECONDS).contains(&seconds) {
                return Err(refused(
                    "InvalidSchedule",
                    "ScheduleExpression: a rate is at least 30 minutes and less than 31 days.",
                ));
            }
        }
        Ok(Some(schedule))
    }

    /// When it runs next after `after`, counted from when it was made.
    pub(crate) fn next(&self, after: Timestamp, created_at: Timestamp) -> ApiResult<Option<Timestamp>> {
        let Some(schedule) = self.schedule()? else {
            return Ok(None);
        };
        let days = self.schedule_offset.and_then(|days| i32::try_from(days).ok());
        let context = Context {
            zone: TimeZone::UTC,
            offset_days: days.unwrap_or_default(),
            anchor: instant(created_at),
            at_anchor: false,
        };
        let next = schedule.next(instant(after), &context);
        Ok(next.map(|at| Timestamp(at.as_millisecond())))
    }

    /// That it can be kept: everything that can be said without the document.
    pub(crate) fn check(&self) -> ApiResult<()> {
        let is_cron = matches!(self.schedule()?, Some(Schedule::Cron(_)));
        if self.schedule_offset.is_some() && !is_cron {
            return Err(refused(
                "InvalidSchedule",
                "ScheduleOffset: days of offset go with a cron schedule only.",
            ));
        }
        if self.waits_for_schedule() && !is_cron {
            return Err(refused(
                "InvalidSchedule",
                "ApplyOnlyAtCronInterval: it goes with a cron schedule only.",
            ));
        }
        if self.instance_id.is_some() && self.targets.is_some() {
            return Err(refused(
                "InvalidTarget",
                "Give either InstanceId or Targets, not both.",
            ));
        }
        if self.all_targets().is_empty() {
            return Err(refused(
                "InvalidTarget",
                "Targets: name the nodes, by InstanceIds, tag:<name> or tag-key.",
            ));
        }
        let has = |list: &Option<Vec<Value>>| list.as_ref().is_some_and(|list| !list.is_empty());
        if has(&self.target_locations) {
            return Err(refused(
                "InvalidTarget",
                "TargetLocations: this control plane has one account and runs in the region it is asked in.",
            ));
        }
        if has(&self.target_maps) {
            return Err(refused(
                "InvalidTargetMaps",
                "TargetMaps are for Automation runbooks.",
            ));
        }
        if self
            .calendar_names
            .as_ref()
            .is_some_and(|names| !names.is_empty())
        {
            // To run in spite of a calendar that forbids it would be worse than not to be kept.
            return Err(refused(
                "ValidationException",
                "CalendarNames: this control plane has no change calendars.",
            ));
        }
        Ok(())
    }
}

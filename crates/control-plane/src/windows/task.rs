//! A task of a window: what is registered, what of it is refused, and what a Run Command task asks for.

use super::queries;
use super::{DESCRIPTION, NAME, TargetDefinition, missing};
use crate::automation::start_automation_execution as start;
use crate::commands::order;
use crate::commands::shapes::{ALARMS, CLOUD_WATCH, CONCURRENCY, ERRORS, NOTIFICATION, TARGETS};
use crate::commands::targets::Target;
use crate::control_plane::ControlPlane;
use crate::documents::VERSION;
use crate::documents::parameters::Given;
use crate::errors::{ApiError, ApiResult};
use crate::operations::Call;
use crate::validation::{
    ANY_TEXT, Member, Shape, is_instance_id, list, one_of, optional, required, sensitive, text, whole,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const VALUES: Shape = Shape::Record(&[sensitive(optional("Values", list(0, usize::MAX, &text(1, 255))))]);
const RUN_COMMAND: Shape = Shape::Record(&[
    optional("Comment", text(0, 100)),
    optional("CloudWatchOutputConfig", CLOUD_WATCH),
    optional("DocumentHash", text(0, 256)),
    optional("DocumentHashType", one_of(&["Sha256", "Sha1"])),
    optional("DocumentVersion", VERSION),
    optional("NotificationConfig", NOTIFICATION),
    optional("OutputS3BucketName", text(3, 63)),
    optional("OutputS3KeyPrefix", text(0, 500)),
    sensitive(optional(
        "Parameters",
        Shape::Map(&list(0, usize::MAX, &ANY_TEXT)),
    )),
    optional("ServiceRoleArn", ANY_TEXT),
    optional("TimeoutSeconds", whole(30, 2_592_000)),
]);
const INVOCATION: Shape = Shape::Record(&[
    optional("RunCommand", RUN_COMMAND),
    optional(
        "Automation",
        Shape::Record(&[
            optional("DocumentVersion", VERSION),
            optional("Parameters", Shape::Map(&list(0, 50, &text(1, 512)))),
        ]),
    ),
    optional(
        "StepFunctions",
        Shape::Record(&[
            sensitive(optional("Input", text(0, 4096))),
            optional("Name", text(1, 80)),
        ]),
    ),
    optional(
        "Lambda",
        Shape::Record(&[
            optional("ClientContext", text(1, 8000)),
            optional("Qualifier", text(1, 128)),
            sensitive(optional("Payload", Shape::Blob { min: 0, max: 4096 })),
        ]),
    ),
]);
const LOGGING: Shape = Shape::Record(&[
    required("S3BucketName", text(3, 63)),
    optional("S3KeyPrefix", text(0, 500)),
    required("S3Region", text(3, 20)),
]);

/// Members that registering and changing a task share.
pub(crate) const TASK_TARGETS: Member = optional("Targets", TARGETS);
pub(crate) const SERVICE_ROLE: Member = optional("ServiceRoleArn", ANY_TEXT);
pub(crate) const TASK_PARAMETERS: Member = sensitive(optional("TaskParameters", Shape::Map(&VALUES)));
pub(crate) const TASK_INVOCATION: Member = optional("TaskInvocationParameters", INVOCATION);
pub(crate) const PRIORITY: Member = optional("Priority", whole(0, i32::MAX as i64));
pub(crate) const MAX_CONCURRENCY: Member = optional("MaxConcurrency", CONCURRENCY);
pub(crate) const MAX_ERRORS: Member = optional("MaxErrors", ERRORS);
pub(crate) const LOGGING_INFO: Member = optional("LoggingInfo", LOGGING);
pub(crate) const TASK_NAME: Member = optional("Name", NAME);
pub(crate) const TASK_DESCRIPTION: Member = DESCRIPTION;
pub(crate) const CUTOFF_BEHAVIOR: Member =
    optional("CutoffBehavior", one_of(&["CONTINUE_TASK", "CANCEL_TASK"]));
pub(crate) const ALARM_CONFIGURATION: Member = optional("AlarmConfiguration", ALARMS);

/// Values of a parameter in the older form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Values {
    #[serde(default)]
    pub(crate) values: Vec<String>,
}

/// A task as it was registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Task {
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
    pub(crate) task_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_role_arn: Option<String>,
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) task_parameters: BTreeMap<String, Values>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_invocation_parameters: Option<Value>,
    pub(crate) priority: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_concurrency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_errors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logging_info: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) cutoff_behavior: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alarm_configuration: Option<Value>,
}

/// What a Run Command task says of its command.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RunCommand {
    pub(crate) comment: Option<String>,
    pub(crate) cloud_watch_output_config: Option<Value>,
    pub(crate) document_hash: Option<String>,
    pub(crate) document_hash_type: Option<String>,
    pub(crate) document_version: Option<String>,
    pub(crate) notification_config: Option<Value>,
    #[serde(rename = "OutputS3BucketName")]
    pub(crate) output_bucket: Option<String>,
    #[serde(rename = "OutputS3KeyPrefix")]
    pub(crate) output_prefix: Option<String>,
    pub(crate) parameters: Option<Given>,
    pub(crate) service_role_arn: Option<String>,
    pub(crate) timeout_seconds: Option<i64>,
}

/// What an Automation task says of its runbook.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Automation {
    pub(crate) document_version: Option<String>,
    pub(crate) parameters: Option<Given>,
}

impl Task {
    /// The word of Run Command tasks.
    pub(crate) const RUN_COMMAND: &str = "RUN_COMMAND";
    /// The word of Automation tasks.
    pub(crate) const AUTOMATION: &str = "AUTOMATION";

    /// What it says of its runbook; nothing where it says nothing.
    pub(crate) fn automation(&self) -> Automation {
        let given = self
            .task_invocation_parameters
            .as_ref()
            .and_then(|all| all.get("Automation"));
        given
            .and_then(|given| serde_json::from_value(given.clone()).ok())
            .unwrap_or_default()
    }

    /// What it says of its command; nothing where it says nothing.
    pub(crate) fn run_command(&self) -> RunCommand {
        let given = self
            .task_invocation_parameters
            .as_ref()
            .and_then(|all| all.get("RunCommand"));
        given
            .and_then(|given| serde_json::from_value(given.clone()).ok())
            .unwrap_or_default()
    }

    /// The command's parameters: those of the invocation, else those of the older form.
    pub(crate) fn command_parameters(&self) -> Given {
        self.run_command().parameters.unwrap_or_else(|| {
            let older = self.task_parameters.iter();
            older
                .map(|(name, given)| (name.clone(), given.values.clone()))
                .collect()
        })
    }

    /// The registered targets that it names, or `None` where it names nodes itself.
    pub(crate) fn window_targets(&self) -> Option<Vec<&str>> {
        let mut ids = Vec::new();
        for target in &self.targets {
            if target.key != WINDOW_TARGETS {
                return None;
            }
            ids.extend(target.values.iter().map(String::as_str));
        }
        Some(ids)
    }
}

/// The key by which a task names registered targets.
pub(crate) const WINDOW_TARGETS: &str = "WindowTargetIds";

fn target_key_error(key: &str) -> ApiError {
    ApiError::validation(format!(
        "{key} is an invalid window task target type, use WindowTargetIds or InstanceIds. For Run Command tasks, you must \
         specify at least one resource as the target of the task. You can specify between 1 and 50 instance IDs, or \
         between 1 and 10 maintenance window target IDs"
    ))
}

/// That a task may be registered with a window, and its targets are there.
pub(crate) async fn check(
    plane: &ControlPlane,
    call: &Call,
    window_id: &str,
    allows_unassociated: bool,
    task: &Task,
) -> ApiResult<()> {
    let is_command = task.kind == Task::RUN_COMMAND;
    if task.targets.is_empty() {
        if is_command {
            return Err(target_key_error("Nothing"));
        }
        for (member, value) in [
            ("MaxErrors", &task.max_errors),
            ("MaxConcurrency", &task.max_concurrency),
        ] {
            if value.is_some() {
                return Err(ApiError::validation(format!(
                    "Maintenance window tasks without targets do not support {member} values."
                )));
            }
        }
    }
    let keys: BTreeSet<&str> = task.targets.iter().map(|target| target.key.as_str()).collect();
    if keys.len() > 1 {
        return Err(ApiError::validation(
            "Targets: name either WindowTargetIds or InstanceIds, not both.",
        ));
    }
    for target in &task.targets {
        let (count, most) = match target.key.as_str() {
            WINDOW_TARGETS => (target.values.len(), 10),
            "InstanceIds" => (target.values.len(), 50),
            other => return Err(target_key_error(other)),
        };
        if count == 0 {
            return Err(target_key_error("Nothing"));
        }
        if count > most {
            return Err(ApiError::validation(if target.key == WINDOW_TARGETS {
                format!("The maximum number of window targets is {most}")
            } else {
                format!("The maximum number of instance IDs is {most}")
            }));
        }
        if target.key == WINDOW_TARGETS {
            for id in &target.values {
                queries::one_registered::<TargetDefinition>(plane.db.reader(), &call.region, window_id, id)
                    .await?
                    .ok_or_else(|| missing("Maintenance window target", id))?;
            }
        } else {
            if !allows_unassociated {
                return Err(ApiError::validation(
                    "Targets: this window does not allow InstanceIds; register them as a target of the window, or update \
                     the window with AllowUnassociatedTargets.",
                ));
            }
            if let Some(bad) = target.values.iter().find(|id| !is_instance_id(id)) {
                return Err(ApiError::validation(format!("{bad} is not a valid instance ID")));
            }
        }
    }
    let (region, name) = (&call.region, &task.task_arn);
    let found = match task.kind.as_str() {
        Task::RUN_COMMAND => {
            let version = task.run_command().document_version;
            order::document(plane, region, name, version.as_deref())
                .await
                .map(drop)
        }
        Task::AUTOMATION => {
            let version = task.automation().document_version;
            start::document(plane, region, name, version.as_deref())
                .await
                .map(drop)
        }
        _ => Ok(()),
    };
    found.map_err(|error| match error.code {
        "InvalidDocument"
        | "InvalidDocumentVersion"
        | "AutomationDefinitionNotFoundException"
        | "AutomationDefinitionVersionNotFoundException" => ApiError::new(
            "DoesNotExistException",
            format!("TaskArn: {}", error.message.unwrap_or_default()),
        ),
        _ => error,
    })
}

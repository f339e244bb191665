//! For each operation on maintenance windows every member with a value that fits.

use crate::bad_input_tables::{NODE, UUID};
use serde_json::{Value, json};

const WINDOW: &str = "mw-0123456789abcdef0";

pub(crate) fn examples() -> Vec<(&'static str, Value)> {
    let filters = json!([{"Key": "Name", "Values": ["x"]}]);
    let targets = json!([{"Key": "InstanceIds", "Values": [NODE]}]);
    let alarms = json!({"IgnorePollAlarmFailure": true, "Alarms": [{"Name": "a"}]});
    let task = json!({"WindowId": WINDOW, "Targets": targets, "TaskArn": "AWS-None", "ServiceRoleArn": "r",
        "TaskParameters": {"commands": {"Values": ["v"]}},
        "TaskInvocationParameters": {
            "RunCommand": {"Comment": "c", "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "g",
                "CloudWatchOutputEnabled": false}, "DocumentHash": "h", "DocumentHashType": "Sha256",
                "DocumentVersion": "1", "NotificationConfig": {"NotificationArn": "a", "NotificationEvents": ["All"],
                "NotificationType": "Command"}, "OutputS3BucketName": "bucket", "OutputS3KeyPrefix": "p",
                "Parameters": {"commands": ["v"]}, "ServiceRoleArn": "r", "TimeoutSeconds": 60},
            "Automation": {"DocumentVersion": "1", "Parameters": {"p": ["v"]}},
            "StepFunctions": {"Input": "{}", "Name": "n"},
            "Lambda": {"ClientContext": "c", "Qualifier": "q", "Payload": "eA=="}},
        "Priority": 1, "MaxConcurrency": "1", "MaxErrors": "1",
        "LoggingInfo": {"S3BucketName": "bucket", "S3KeyPrefix": "p", "S3Region": "eu-west-1"}, "Name": "name",
        "Description": "d", "CutoffBehavior": "CANCEL_TASK", "AlarmConfiguration": alarms});
    let with = |base: &Value, more: Value| {
        let mut all = base.clone();
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let paged = json!({"Filters": filters, "MaxResults": 10, "NextToken": "x"});
    let window = json!({"Name": "name", "Description": "d", "StartDate": "2030-01-01T00:00Z",
        "EndDate": "2031-01-01T00:00Z", "Schedule": "cron(0 2 ? * SUN *)", "ScheduleTimezone": "Europe/Berlin",
        "ScheduleOffset": 1, "Duration": 4, "Cutoff": 1, "AllowUnassociatedTargets": true});
    let of_execution = json!({"WindowExecutionId": UUID, "TaskId": UUID});
    vec![
        (
            "CreateMaintenanceWindow",
            // Kept from being made again and again by its own bad example.
            with(
                &window,
                json!({"Cutoff": 5, "ClientToken": "t", "Tags": [{"Key": "k", "Value": "v"}]}),
            ),
        ),
        (
            "UpdateMaintenanceWindow",
            with(
                &window,
                json!({"WindowId": WINDOW, "Enabled": false, "Replace": false}),
            ),
        ),
        ("GetMaintenanceWindow", json!({"WindowId": WINDOW})),
        ("DeleteMaintenanceWindow", json!({"WindowId": WINDOW})),
        ("DescribeMaintenanceWindows", paged.clone()),
        (
            "RegisterTargetWithMaintenanceWindow",
            json!({"WindowId": WINDOW, "ResourceType": "INSTANCE", "Targets": targets, "OwnerInformation": "o",
                "Name": "name", "Description": "d", "ClientToken": "t"}),
        ),
        (
            "UpdateMaintenanceWindowTarget",
            json!({"WindowId": WINDOW, "WindowTargetId": UUID, "Targets": targets, "OwnerInformation": "o",
                "Name": "name", "Description": "d", "Replace": false}),
        ),
        (
            "DescribeMaintenanceWindowTargets",
            with(&paged, json!({"WindowId": WINDOW})),
        ),
        (
            "DeregisterTargetFromMaintenanceWindow",
            json!({"WindowId": WINDOW, "WindowTargetId": UUID, "Safe": true}),
        ),
        (
            "RegisterTaskWithMaintenanceWindow",
            with(&task, json!({"TaskType": "RUN_COMMAND", "ClientToken": "t"})),
        ),
        (
            "UpdateMaintenanceWindowTask",
            with(&task, json!({"WindowTaskId": UUID, "Replace": false})),
        ),
        (
            "GetMaintenanceWindowTask",
            json!({"WindowId": WINDOW, "WindowTaskId": UUID}),
        ),
        (
            "DeregisterTaskFromMaintenanceWindow",
            json!({"WindowId": WINDOW, "WindowTaskId": UUID}),
        ),
        (
            "DescribeMaintenanceWindowTasks",
            with(&paged, json!({"WindowId": WINDOW})),
        ),
        (
            "DescribeMaintenanceWindowExecutions",
            with(&paged, json!({"WindowId": WINDOW})),
        ),
        (
            "DescribeMaintenanceWindowExecutionTasks",
            with(&paged, json!({"WindowExecutionId": UUID})),
        ),
        (
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            with(&paged, of_execution.clone()),
        ),
        (
            "GetMaintenanceWindowExecution",
            json!({"WindowExecutionId": UUID}),
        ),
        ("GetMaintenanceWindowExecutionTask", of_execution.clone()),
        (
            "GetMaintenanceWindowExecutionTaskInvocation",
            with(&of_execution, json!({"InvocationId": UUID})),
        ),
        (
            "CancelMaintenanceWindowExecution",
            json!({"WindowExecutionId": UUID}),
        ),
        (
            "DescribeMaintenanceWindowSchedule",
            with(
                &paged,
                json!({"WindowId": WINDOW, "Targets": targets, "ResourceType": "INSTANCE"}),
            ),
        ),
        (
            "DescribeMaintenanceWindowsForTarget",
            json!({"Targets": targets, "ResourceType": "INSTANCE", "MaxResults": 1, "NextToken": "x"}),
        ),
    ]
}

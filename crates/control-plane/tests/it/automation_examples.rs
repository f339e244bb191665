//! For each operation on executions of runbooks every member with a value that fits.

use serde_json::{Value, json};

const ID: &str = "0b7e4f9e-66a5-4c1f-8c5e-8a5a3a0c9b11";

pub(crate) fn examples() -> Vec<(&'static str, Value)> {
    let target = json!({"Key": "ParameterValues", "Values": ["a"]});
    let alarms = json!({"IgnorePollAlarmFailure": true, "Alarms": [{"Name": "a"}]});
    let filter = |key: &str| json!([{"Key": key, "Values": ["v"]}]);
    vec![
        (
            "StartAutomationExecution",
            json!({"DocumentName": "Restart", "DocumentVersion": "1", "Parameters": {"p": ["v"]}, "ClientToken": ID,
                "Mode": "Auto", "TargetParameterName": "p", "Targets": [target], "TargetMaps": [{"k": ["v"]}],
                "MaxConcurrency": "1", "MaxErrors": "1", "TargetLocations": [{"Accounts": ["123456789012"],
                    "Regions": ["eu-west-1"], "TargetLocationMaxConcurrency": "1", "TargetLocationMaxErrors": "1",
                    "ExecutionRoleName": "r", "TargetLocationAlarmConfiguration": alarms,
                    "IncludeChildOrganizationUnits": true, "ExcludeAccounts": ["123456789012"], "Targets": [target],
                    "TargetsMaxConcurrency": "1", "TargetsMaxErrors": "1"}],
                "Tags": [{"Key": "k", "Value": "v"}], "AlarmConfiguration": alarms,
                "TargetLocationsURL": "https://b.s3.eu-west-1.amazonaws.com/k"}),
        ),
        (
            "StartExecutionPreview",
            json!({"DocumentName": "Restart", "DocumentVersion": "1", "ExecutionInputs": {"Automation": {
                "Parameters": {"p": ["v"]}, "TargetParameterName": "p", "Targets": [target],
                "TargetMaps": [{"k": ["v"]}], "TargetLocations": [{"Accounts": ["123456789012"],
                    "Regions": ["eu-west-1"], "TargetLocationMaxConcurrency": "1", "TargetLocationMaxErrors": "1",
                    "ExecutionRoleName": "r", "TargetLocationAlarmConfiguration": alarms,
                    "IncludeChildOrganizationUnits": true, "ExcludeAccounts": ["123456789012"], "Targets": [target],
                    "TargetsMaxConcurrency": "1", "TargetsMaxErrors": "1"}],
                "TargetLocationsURL": "https://b.s3.eu-west-1.amazonaws.com/k"}}}),
        ),
        ("GetExecutionPreview", json!({"ExecutionPreviewId": ID})),
        ("GetAutomationExecution", json!({"AutomationExecutionId": ID})),
        (
            "StopAutomationExecution",
            json!({"AutomationExecutionId": ID, "Type": "Cancel"}),
        ),
        (
            "SendAutomationSignal",
            json!({"AutomationExecutionId": ID, "SignalType": "Approve", "Payload": {"Comment": ["c"]}}),
        ),
        (
            "DescribeAutomationExecutions",
            json!({"Filters": filter("ExecutionStatus"), "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "DescribeAutomationStepExecutions",
            json!({"AutomationExecutionId": ID, "Filters": filter("StepName"), "MaxResults": 1, "NextToken": "x",
                "ReverseOrder": true}),
        ),
    ]
}

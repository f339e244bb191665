//! For each operation on associations and compliance every member with a value that fits.

use crate::bad_input_tables::{NODE, UUID};
use serde_json::{Value, json};

pub(crate) fn examples() -> Vec<(&'static str, Value)> {
    let targets = json!([{"Key": "InstanceIds", "Values": [NODE]}]);
    let alarms = json!({"IgnorePollAlarmFailure": true, "Alarms": [{"Name": "a"}]});
    let common = json!({"Name": "AWS-None", "DocumentVersion": "1", "Parameters": {"p": ["v"]},
        "Targets": targets, "ScheduleExpression": "rate(1 day)",
        "OutputLocation": {"S3Location": {"OutputS3Region": "eu-west-1", "OutputS3BucketName": "bucket",
            "OutputS3KeyPrefix": "p"}},
        "AssociationName": "name", "AutomationTargetParameterName": "p", "MaxErrors": "1", "MaxConcurrency": "1",
        "ComplianceSeverity": "HIGH", "SyncCompliance": "AUTO", "ApplyOnlyAtCronInterval": false,
        "CalendarNames": ["c"],
        "TargetLocations": [{"Accounts": ["123456789012"], "Regions": ["eu-west-1"],
            "TargetLocationMaxConcurrency": "1", "TargetLocationMaxErrors": "1", "ExecutionRoleName": "r",
            "TargetLocationAlarmConfiguration": alarms, "IncludeChildOrganizationUnits": true,
            "ExcludeAccounts": ["123456789012"], "Targets": targets, "TargetsMaxConcurrency": "1",
            "TargetsMaxErrors": "1"}],
        "ScheduleOffset": 1, "Duration": 1, "TargetMaps": [{"k": ["v"]}], "AlarmConfiguration": alarms});
    let with = |base: &Value, more: Value| {
        let mut all = base.clone();
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let role = json!({"AssociationDispatchAssumeRole": "arn:aws:iam::123456789012:role/r"});
    let page = json!({"MaxResults": 1, "NextToken": "x"});
    let of_one = with(&page, json!({"AssociationId": UUID}));
    let compliance = json!({"Filters": [{"Key": "Status", "Values": ["COMPLIANT"], "Type": "EQUAL"}], "MaxResults": 1,
        "NextToken": "x"});
    vec![
        (
            "CreateAssociation",
            with(
                &with(&common, role.clone()),
                json!({"InstanceId": NODE, "Tags": [{"Key": "k", "Value": "v"}]}),
            ),
        ),
        (
            "CreateAssociationBatch",
            with(
                &role,
                json!({"Entries": [with(&common, json!({"InstanceId": NODE}))]}),
            ),
        ),
        (
            "UpdateAssociation",
            with(
                &with(&common, role),
                json!({"AssociationId": UUID, "AssociationVersion": "1"}),
            ),
        ),
        (
            "DescribeAssociation",
            json!({"Name": "AWS-None", "InstanceId": NODE, "AssociationId": UUID, "AssociationVersion": "1"}),
        ),
        (
            "DeleteAssociation",
            json!({"Name": "AWS-None", "InstanceId": NODE, "AssociationId": UUID}),
        ),
        (
            "ListAssociations",
            with(
                &page,
                json!({"AssociationFilterList": [{"key": "Name", "value": "x"}]}),
            ),
        ),
        ("ListAssociationVersions", of_one.clone()),
        (
            "DescribeAssociationExecutions",
            with(
                &of_one,
                json!({"Filters": [{"Key": "Status", "Value": "x", "Type": "EQUAL"}]}),
            ),
        ),
        (
            "DescribeAssociationExecutionTargets",
            with(
                &of_one,
                json!({"ExecutionId": UUID, "Filters": [{"Key": "Status", "Value": "x"}]}),
            ),
        ),
        ("StartAssociationsOnce", json!({"AssociationIds": [UUID]})),
        (
            "DescribeInstanceAssociationsStatus",
            with(&page, json!({"InstanceId": NODE})),
        ),
        (
            "DescribeEffectiveInstanceAssociations",
            with(&page, json!({"InstanceId": NODE})),
        ),
        (
            "PutComplianceItems",
            json!({"ResourceId": NODE, "ResourceType": "ManagedInstance", "ComplianceType": "Custom:Rack",
                "ExecutionSummary": {"ExecutionTime": 1.5, "ExecutionId": "e", "ExecutionType": "t"},
                "Items": [{"Id": "i", "Title": "t", "Severity": "HIGH", "Status": "COMPLIANT", "Details": {"a": "b"}}],
                "ItemContentHash": "h", "UploadType": "PARTIAL"}),
        ),
        (
            "ListComplianceItems",
            with(
                &compliance,
                json!({"ResourceIds": [NODE], "ResourceTypes": ["ManagedInstance"]}),
            ),
        ),
        ("ListComplianceSummaries", compliance.clone()),
        ("ListResourceComplianceSummaries", compliance),
    ]
}

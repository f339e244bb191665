//! The tables of bad input: for every operation a good request, and what breaks each of its constraints.

use serde_json::{Value, json};

pub(crate) const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";
pub(crate) const NODE: &str = "mi-0123456789abcdef0";

/// For each operation every member with a value of the right type.
pub(crate) fn members() -> Vec<(&'static str, Value)> {
    let tags = json!([{"Key": "k", "Value": "v"}]);
    let resource = json!({"ResourceType": "ManagedInstance", "ResourceId": NODE});
    let with = |more: Value| {
        let mut all = resource.clone();
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let filters = json!([{"key": "Status", "value": "Success"}]);
    let mut all = crate::examples::examples();
    all.extend(crate::window_examples::examples());
    all.extend(crate::patch_examples::examples());
    all.extend(crate::association_examples::examples());
    all.extend(crate::ops_item_examples::examples());
    all.extend(crate::automation_examples::examples());
    let source = json!({"SourceType": "SingleAccountMultiRegions", "SourceRegions": ["eu-west-1"],
        "IncludeFutureRegions": true, "EnableAllOpsDataSources": false, "AwsOrganizationsSource": {
            "OrganizationSourceType": "OrganizationalUnits",
            "OrganizationalUnits": [{"OrganizationalUnitId": "ou-ab12-abcdef12"}]}});
    all.extend([
        (
            "CreateResourceDataSync",
            json!({"SyncName": "s", "SyncType": "SyncFromSource", "SyncSource": source, "S3Destination": {
                "BucketName": "bucket", "Prefix": "p", "SyncFormat": "JsonSerDe", "Region": "eu-west-1",
                "AWSKMSKeyARN": "arn:k", "DestinationDataSharing": {"DestinationDataSharingType": "Organization"}}}),
        ),
        (
            "UpdateResourceDataSync",
            json!({"SyncName": "s", "SyncType": "SyncFromSource", "SyncSource": source}),
        ),
        (
            "DeleteResourceDataSync",
            json!({"SyncName": "s", "SyncType": "SyncToDestination"}),
        ),
        (
            "ListResourceDataSync",
            json!({"SyncType": "SyncToDestination", "NextToken": "x", "MaxResults": 1}),
        ),
        ("AddTagsToResource", with(json!({"Tags": tags}))),
        ("RemoveTagsFromResource", with(json!({"TagKeys": ["k"]}))),
        ("ListTagsForResource", resource.clone()),
        ("CancelCommand", json!({"CommandId": UUID, "InstanceIds": [NODE]})),
        (
            "CreateActivation",
            json!({"IamRole": "r", "Description": "d", "DefaultInstanceName": "n", "RegistrationLimit": 1,
                "ExpirationDate": 1.5, "Tags": tags, "RegistrationMetadata": [{"Key": "k", "Value": "v"}]}),
        ),
        (
            "CreateDocument",
            json!({"Content": "{}", "Name": "name", "DocumentType": "Session", "DocumentFormat": "JSON",
                "DisplayName": "d", "VersionName": "v", "TargetType": "/AWS::EC2::Instance", "Tags": tags,
                "Requires": [{"Name": "other"}], "Attachments": [{"Key": "SourceUrl", "Values": ["x"]}]}),
        ),
        (
            "UpdateDocument",
            json!({"Content": "{}", "Name": "name", "DocumentFormat": "JSON", "DisplayName": "d", "VersionName": "v",
                "DocumentVersion": "1", "TargetType": "/AWS::EC2::Instance",
                "Attachments": [{"Key": "SourceUrl", "Values": ["x"]}]}),
        ),
        (
            "DeleteDocument",
            json!({"Name": "name", "DocumentVersion": "1", "VersionName": "v", "Force": true}),
        ),
        (
            "UpdateDocumentDefaultVersion",
            json!({"Name": "name", "DocumentVersion": "1"}),
        ),
        (
            "StartSession",
            json!({"Target": NODE, "DocumentName": "AWS-None", "Reason": "r", "Parameters": {"p": ["v"]}}),
        ),
        ("ResumeSession", json!({"SessionId": "s"})),
        ("TerminateSession", json!({"SessionId": "s"})),
        (
            "DescribeSessions",
            json!({"State": "Active", "MaxResults": 1, "NextToken": "x", "Filters": [{"key": "Owner", "value": "o"}]}),
        ),
        ("DeleteActivation", json!({"ActivationId": UUID})),
        ("DeregisterManagedInstance", json!({"InstanceId": NODE})),
        (
            "DescribeActivations",
            json!({"Filters": [{"FilterKey": "IamRole", "FilterValues": ["r"]}], "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "DescribeDocument",
            json!({"Name": "AWS-None", "DocumentVersion": "1", "VersionName": "v"}),
        ),
        (
            "DescribeInstanceInformation",
            json!({"InstanceInformationFilterList": [{"key": "IamRole", "valueSet": ["r"]}],
                "Filters": [{"Key": "IamRole", "Values": ["r"]}], "MaxResults": 5, "NextToken": "x"}),
        ),
        (
            "DescribeInstanceProperties",
            json!({"InstancePropertyFilterList": [{"key": "IamRole", "valueSet": ["r"]}],
                "FiltersWithOperator": [{"Key": "IamRole", "Values": ["r"], "Operator": "Equal"}], "MaxResults": 5,
                "NextToken": "x"}),
        ),
        (
            "GetCommandInvocation",
            json!({"CommandId": UUID, "InstanceId": NODE, "PluginName": "step"}),
        ),
        ("GetConnectionStatus", json!({"Target": NODE})),
        (
            "GetDocument",
            json!({"Name": "AWS-None", "DocumentVersion": "1", "VersionName": "v", "DocumentFormat": "JSON"}),
        ),
        (
            "ListCommandInvocations",
            json!({"CommandId": UUID, "InstanceId": NODE, "MaxResults": 1, "NextToken": "x", "Filters": filters,
                "Details": true}),
        ),
        (
            "ListCommands",
            json!({"CommandId": UUID, "InstanceId": NODE, "MaxResults": 1, "NextToken": "x", "Filters": filters}),
        ),
        (
            "ListDocuments",
            json!({"DocumentFilterList": [{"key": "Name", "value": "x"}], "Filters": [{"Key": "Name", "Values": ["x"]}],
                "MaxResults": 1, "NextToken": "x"}),
        ),
        (
            "SendCommand",
            json!({"InstanceIds": [NODE], "Targets": [{"Key": "tag:a", "Values": ["b"]}], "DocumentName": "AWS-None",
                "DocumentVersion": "1", "DocumentHash": "h", "DocumentHashType": "Sha256", "TimeoutSeconds": 30,
                "Comment": "c", "Parameters": {"commands": ["id"]}, "OutputS3Region": "eu-west-1",
                "OutputS3BucketName": "bucket", "OutputS3KeyPrefix": "p", "MaxConcurrency": "1", "MaxErrors": "0",
                "ServiceRoleArn": "a", "NotificationConfig": {"NotificationEvents": ["All"]},
                "CloudWatchOutputConfig": {"CloudWatchOutputEnabled": true},
                "AlarmConfiguration": {"Alarms": [{"Name": "a"}]}}),
        ),
    ]);
    all
}

/// Values that a constraint forbids in a way that the model does not say by itself.
pub(crate) fn violations() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "AddTagsToResource",
            json!({"ResourceType": "Nonsense"}),
            "enum value set: [Document, ManagedInstance",
        ),
        (
            "UpdateDocumentDefaultVersion",
            json!({"DocumentVersion": "$LATEST"}),
            "'documentVersion' failed",
        ),
        (
            "StartSession",
            json!({"Reason": "a\nb"}),
            "regular expression pattern",
        ),
        (
            "DeregisterManagedInstance",
            json!({"InstanceId": "../../../../../../etc"}),
            "regular expression pattern",
        ),
        ("SendCommand", json!({"InstanceIds": vec![NODE; 51]}), "'[mi-"),
        (
            "SendCommand",
            json!({"TimeoutSeconds": 29}),
            "Value '29' at 'timeoutSeconds'",
        ),
        ("SendCommand", json!({"MaxConcurrency": "0"}), "'maxConcurrency'"),
        ("SendCommand", json!({"MaxErrors": "101%"}), "'maxErrors'"),
        ("SendCommand", json!({"Comment": "a\0b"}), "'comment' failed"),
        (
            "SendCommand",
            json!({"Parameters": {"commands": ["a\0b"]}}),
            "Value at 'parameters.commands.member.1.member' failed",
        ),
        (
            "DescribeActivations",
            json!({"Filters": [{"FilterKey": "IamRole", "FilterValues": ["\0"]}]}),
            "filterValues",
        ),
        (
            "PutParameter",
            json!({"Value": "a\0b"}),
            "Value at 'value' failed",
        ),
    ]
}

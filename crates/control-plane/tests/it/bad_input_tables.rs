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
    vec![
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
    ]
}

/// Values that a constraint of the model forbids.
pub(crate) fn violations() -> Vec<(&'static str, Value, &'static str)> {
    let long = |length: usize| "x".repeat(length);
    vec![
        (
            "AddTagsToResource",
            json!({"Tags": [{"Key": "", "Value": "v"}]}),
            "'tags.1.member.key' failed",
        ),
        (
            "AddTagsToResource",
            json!({"Tags": [{"Key": "a*b", "Value": "v"}]}),
            "regular expression pattern",
        ),
        (
            "AddTagsToResource",
            json!({"Tags": [{"Key": "k", "Value": long(257)}]}),
            "less than or equal to 256",
        ),
        (
            "AddTagsToResource",
            json!({"Tags": [{"Key": "k"}]}),
            "'tags.1.member.value' failed to satisfy constraint: Member must not be null",
        ),
        (
            "AddTagsToResource",
            json!({"ResourceType": "Nonsense"}),
            "enum value set: [Document, ManagedInstance",
        ),
        (
            "CancelCommand",
            json!({"CommandId": "x"}),
            "greater than or equal to 36",
        ),
        (
            "CancelCommand",
            json!({"InstanceIds": vec![NODE; 51]}),
            "less than or equal to 50",
        ),
        (
            "CreateActivation",
            json!({"RegistrationLimit": 1001}),
            "value less than or equal to 1000",
        ),
        (
            "CreateActivation",
            json!({"RegistrationLimit": 0}),
            "value greater than or equal to 1",
        ),
        (
            "CreateActivation",
            json!({"IamRole": long(65)}),
            "less than or equal to 64",
        ),
        ("CreateDocument", json!({"Name": "a b"}), "'name' failed"),
        ("CreateDocument", json!({"Content": ""}), "'content' failed"),
        (
            "CreateDocument",
            json!({"DocumentType": "x"}),
            "enum value set: [Command, ",
        ),
        (
            "CreateDocument",
            json!({"DocumentFormat": "x"}),
            "enum value set: [YAML, JSON, TEXT]",
        ),
        (
            "CreateDocument",
            json!({"DisplayName": "a*"}),
            "'displayName' failed",
        ),
        (
            "CreateDocument",
            json!({"TargetType": "x"}),
            "'targetType' failed",
        ),
        (
            "CreateDocument",
            json!({"Attachments": [{"Values": []}]}),
            "'attachments.1.member.values'",
        ),
        (
            "UpdateDocument",
            json!({"DocumentVersion": "0"}),
            "'documentVersion' failed",
        ),
        (
            "UpdateDocument",
            json!({"VersionName": "a b"}),
            "'versionName' failed",
        ),
        ("DeleteDocument", json!({"Name": "x"}), "'name' failed"),
        (
            "UpdateDocumentDefaultVersion",
            json!({"DocumentVersion": "$LATEST"}),
            "'documentVersion' failed",
        ),
        (
            "StartSession",
            json!({"Target": long(401)}),
            "less than or equal to 400",
        ),
        ("StartSession", json!({"Reason": ""}), "'reason' failed"),
        (
            "StartSession",
            json!({"Reason": long(257)}),
            "less than or equal to 256",
        ),
        (
            "StartSession",
            json!({"Reason": "a\nb"}),
            "regular expression pattern",
        ),
        (
            "StartSession",
            json!({"DocumentName": "a b"}),
            "'documentName' failed",
        ),
        (
            "StartSession",
            json!({"Parameters": {"p": [""]}}),
            "greater than or equal to 1",
        ),
        (
            "ResumeSession",
            json!({"SessionId": long(97)}),
            "less than or equal to 96",
        ),
        (
            "TerminateSession",
            json!({"SessionId": ""}),
            "greater than or equal to 1",
        ),
        (
            "DescribeSessions",
            json!({"State": "All"}),
            "enum value set: [Active, History]",
        ),
        (
            "DescribeSessions",
            json!({"MaxResults": 201}),
            "less than or equal to 200",
        ),
        (
            "DescribeSessions",
            json!({"Filters": [{"key": "x", "value": "y"}]}),
            "'filters.1.member.key'",
        ),
        (
            "DeleteActivation",
            json!({"ActivationId": long(36)}),
            "regular expression pattern",
        ),
        (
            "DeregisterManagedInstance",
            json!({"InstanceId": "../../../../../../etc"}),
            "regular expression pattern",
        ),
        (
            "DescribeActivations",
            json!({"MaxResults": 51}),
            "less than or equal to 50",
        ),
        (
            "DescribeActivations",
            json!({"Filters": [{"FilterKey": "x"}]}),
            "'filters.1.member.filterKey'",
        ),
        (
            "DescribeDocument",
            json!({"Name": "a b"}),
            "regular expression pattern",
        ),
        (
            "DescribeInstanceInformation",
            json!({"MaxResults": 4}),
            "greater than or equal to 5",
        ),
        (
            "DescribeInstanceInformation",
            json!({"Filters": [{"Key": "k", "Values": []}]}),
            "length greater than or equal to 1",
        ),
        (
            "GetCommandInvocation",
            json!({"InstanceId": "x"}),
            "'instanceId' failed",
        ),
        (
            "GetCommandInvocation",
            json!({"PluginName": "x"}),
            "greater than or equal to 4",
        ),
        (
            "GetConnectionStatus",
            json!({"Target": ""}),
            "greater than or equal to 1",
        ),
        (
            "GetDocument",
            json!({"DocumentVersion": "0"}),
            "regular expression pattern",
        ),
        (
            "GetDocument",
            json!({"DocumentFormat": "XML"}),
            "enum value set: [YAML, JSON, TEXT]",
        ),
        (
            "ListCommands",
            json!({"Filters": []}),
            "length greater than or equal to 1",
        ),
        (
            "ListCommands",
            json!({"Filters": [{"key": "Status", "value": ""}]}),
            "greater than or equal to 1",
        ),
        (
            "ListCommandInvocations",
            json!({"MaxResults": 0}),
            "greater than or equal to 1",
        ),
        (
            "ListDocuments",
            json!({"DocumentFilterList": []}),
            "length greater than or equal to 1",
        ),
        ("SendCommand", json!({"InstanceIds": vec![NODE; 51]}), "'[mi-"),
        (
            "SendCommand",
            json!({"TimeoutSeconds": 29}),
            "Value '29' at 'timeoutSeconds'",
        ),
        (
            "SendCommand",
            json!({"TimeoutSeconds": 2_592_001}),
            "less than or equal to 2592000",
        ),
        (
            "SendCommand",
            json!({"Comment": long(101)}),
            "less than or equal to 100",
        ),
        ("SendCommand", json!({"MaxConcurrency": "0"}), "'maxConcurrency'"),
        ("SendCommand", json!({"MaxErrors": "101%"}), "'maxErrors'"),
        (
            "SendCommand",
            json!({"Targets": vec![json!({"Key": "tag:a"}); 6]}),
            "less than or equal to 5",
        ),
        (
            "SendCommand",
            json!({"Targets": [{"Key": "tag:a", "Values": vec!["v"; 51]}]}),
            "'targets.1.member.values'",
        ),
        (
            "SendCommand",
            json!({"OutputS3BucketName": "x"}),
            "greater than or equal to 3",
        ),
        (
            "SendCommand",
            json!({"NotificationConfig": {"NotificationEvents": ["x"]}}),
            "'notificationConfig.notificationEvents.1.member'",
        ),
        (
            "SendCommand",
            json!({"AlarmConfiguration": {"Alarms": []}}),
            "'alarmConfiguration.alarms'",
        ),
        (
            "SendCommand",
            json!({"DocumentName": "x"}),
            "regular expression pattern",
        ),
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
    ]
}

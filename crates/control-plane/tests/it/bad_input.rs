//! Bad input to every operation: nothing, wrong types, every constraint, too much of it, no JSON at all.
//! The answer is always a 4xx that says what is wrong.
//! Long because it is a table.

use crate::world::World;
use muster_control_plane::{OPERATIONS, Who};
use muster_store::test_database::on_both;
use serde_json::{Value, json};

const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";
const NODE: &str = "mi-0123456789abcdef0";

/// For each operation every member with a value of the right type.
fn members() -> Vec<(&'static str, Value)> {
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
fn violations() -> Vec<(&'static str, Value, &'static str)> {
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

fn with(base: &Value, more: &Value) -> Value {
    let mut input = base.clone();
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn every_operation_of_operators_is_in_the_table() {
    let known: Vec<&str> = members().iter().map(|(name, _)| *name).collect();
    for operation in OPERATIONS
        .iter()
        .filter(|o| o.service == "ssm" && o.who == Who::Operator)
    {
        assert!(
            known.contains(&operation.name),
            "{} has no row of bad input",
            operation.name
        );
    }
}

#[tokio::test]
async fn every_constraint_is_checked_and_named() {
    on_both(|db| async {
        let world = World::new(db).await;
        let members = members();
        for (operation, bad, says) in violations() {
            let base = &members.iter().find(|(name, _)| *name == operation).unwrap().1;
            let message = world
                .refused(operation, with(base, &bad), "ValidationException")
                .await;
            assert!(message.contains(says), "{operation} {says}: {message}");
            assert!(
                message.starts_with("1 validation error detected: Value"),
                "{message}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_types_and_endless_texts_are_refused() {
    on_both(|db| async {
        let world = World::new(db).await;
        for (operation, base) in members() {
            for (name, value) in base.as_object().unwrap() {
                for other in [
                    json!(7),
                    json!("x"),
                    json!(true),
                    json!([]),
                    json!({}),
                    json!([[]]),
                    json!(["x", null]),
                ] {
                    let is_same = std::mem::discriminant(&other) == std::mem::discriminant(value);
                    let (status, output) = world.call(operation, with(&base, &json!({name: other}))).await;
                    assert!(
                        is_same || status == 400,
                        "{operation}.{name} {other}: {status} {output}"
                    );
                    assert!(status < 500, "{operation}.{name} {other}: {output}");
                }
                let endless = match value {
                    Value::String(_) => json!("ä".repeat(500_000)),
                    Value::Array(_) => json!(["x".repeat(1_000_000)]),
                    Value::Number(_) => json!(1e300),
                    _ => continue,
                };
                let (status, output) = world.call(operation, with(&base, &json!({name: endless}))).await;
                assert_eq!(status, 400, "{operation}.{name}");
                assert!(
                    output.to_string().len() < 50_000,
                    "{operation}.{name} answers too much"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn bodies_that_are_no_json_objects_are_refused() {
    on_both(|db| async {
        let world = World::new(db).await;
        let keys = world.plane.operator_credentials();
        let deep = [b"{\"a\":".repeat(5_000), b"1".to_vec(), b"}".repeat(5_000)].concat();
        let bodies: [&[u8]; 10] = [
            b"{",
            b"[]",
            b"3",
            b"null",
            b"\"x\"",
            b"{\"a\":1,}",
            b"\xff\xfe",
            b"{\"a\":\"\xc3\"}",
            b"\0",
            &deep,
        ];
        for (operation, _) in members() {
            for body in bodies {
                let (status, output) = world.raw(&keys, operation, body.to_vec()).await;
                assert_eq!(
                    (status, output["__type"].as_str()),
                    (400, Some("SerializationException")),
                    "{operation}"
                );
            }
            let large = world.raw(&keys, operation, vec![b' '; (1 << 20) + 1]).await;
            assert_eq!(large.0, 400, "{operation}");
            assert_eq!(large.1["__type"], "RequestEntityTooLargeException");
        }
    })
    .await;
}

#[tokio::test]
async fn agents_are_checked_as_strictly() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        for input in [
            json!({}),
            json!({"InstanceId": 3}),
            json!({"InstanceId": node.id, "PlatformType": "Plan9"}),
            json!({"InstanceId": node.id, "ComputerName": "x".repeat(256)}),
            json!({"InstanceId": "../x"}),
        ] {
            let (status, output) = world.call_as(&node.credentials, "UpdateInstanceInformation", input).await;
            assert_eq!(status, 400, "{output}");
        }
        for input in [
            json!({"ActivationId": UUID}),
            json!({"ActivationId": "x", "ActivationCode": "y"}),
            json!({"ActivationId": UUID, "ActivationCode": "x".repeat(20), "Fingerprint": "f", "PublicKey": "k", "PublicKeyType": "Dsa"}),
        ] {
            let (status, output) = world.unsigned("RegisterManagedInstance", input).await;
            assert_eq!((status, output["__type"].as_str()), (400, Some("ValidationException")));
            assert!(!output.to_string().contains(&"x".repeat(20)), "the code is not repeated: {output}");
        }
        let (status, _) = world.with_node_key(&node.id, &node.key, "RequestManagedInstanceRoleToken", json!({})).await;
        assert_eq!(status, 400);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_never_a_fault_of_ours() {
    on_both(|db| async {
        let world = World::new(db).await;
        for (method, uri) in [
            ("GET", "/"),
            ("PUT", "/"),
            ("GET", "/v1/data-channel/x"),
            ("DELETE", "/v1/control-channel/mi-1"),
            ("GET", "/nothing/here"),
            ("POST", "/muster-command-output/x"),
            ("GET", "/muster-command-output/"),
        ] {
            let (status, _, _) = world.send(method, uri, http::HeaderMap::new(), Vec::new()).await;
            assert!((400..500).contains(&status), "{method} {uri}: {status}");
        }
        for path in [
            "/v1/control-channel/mi-1",
            "/v1/control-channel/..%2f..",
            "/v1/control-channel/%00",
        ] {
            for method in ["GET", "POST"] {
                let (status, _, _) = world.send(method, path, http::HeaderMap::new(), Vec::new()).await;
                assert!((400..500).contains(&status), "{method} {path}: {status}");
            }
        }
    })
    .await;
}

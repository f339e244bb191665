//! Nodes: how they join, how they are found, tagged and forgotten.

use crate::world::{Node, World, new_key, registration};
use muster_store::test_database::on_both;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn an_activation_lets_in_as_many_as_it_says_for_as_long_as_it_says() {
    on_both(|db| async {
        let world = World::new(db).await;
        let made = world
            .ok(
                "CreateActivation",
                json!({"IamRole": "r", "RegistrationLimit": 2}),
            )
            .await;
        assert_eq!(made["ActivationId"].as_str().unwrap().len(), 36);
        assert!(made["ActivationCode"].as_str().unwrap().len() >= 20);
        let join = async |made: &Value, print: &str| {
            let (status, output) = world
                .unsigned("RegisterManagedInstance", registration(made, &new_key(), print))
                .await;
            (status, output["__type"].as_str().unwrap_or_default().to_owned())
        };
        let invalid = (400, "InvalidActivation".to_owned());
        let mut wrong = made.clone();
        wrong["ActivationCode"] = json!("x".repeat(20));
        assert_eq!(join(&wrong, "a").await, invalid);
        let key = new_key();
        let input = registration(&made, &key, "a");
        let (_, first) = world.unsigned("RegisterManagedInstance", input.clone()).await;
        let (_, again) = world.unsigned("RegisterManagedInstance", input).await;
        assert_eq!(first["InstanceId"], again["InstanceId"]);
        let id = first["InstanceId"].as_str().unwrap();
        assert!(id.starts_with("mi-") && id.len() == 20, "{id}");
        assert_eq!(join(&made, "b").await.0, 200);
        assert_eq!(join(&made, "c").await, invalid);
        let listed = world.ok("DescribeActivations", json!({})).await;
        assert_eq!(listed["ActivationList"][0]["RegistrationsCount"], 2);
        assert!(
            !listed
                .to_string()
                .contains(made["ActivationCode"].as_str().unwrap())
        );

        let short = world.ok("CreateActivation", json!({"IamRole": "r"})).await;
        world.clock.advance(86_400_001);
        assert_eq!(join(&short, "d").await, invalid);
        let filter =
            json!({"Filters": [{"FilterKey": "ActivationIds", "FilterValues": [short["ActivationId"]]}]});
        assert_eq!(
            world.ok("DescribeActivations", filter).await["ActivationList"][0]["Expired"],
            true
        );
        let deleted = world.ok("CreateActivation", json!({"IamRole": "r"})).await;
        world
            .ok(
                "DeleteActivation",
                json!({"ActivationId": deleted["ActivationId"]}),
            )
            .await;
        assert_eq!(join(&deleted, "e").await, invalid);
        let mut bad_key = registration(&made, &new_key(), "f");
        bad_key["PublicKey"] = json!("AAAA");
        assert_eq!(
            world.unsigned("RegisterManagedInstance", bad_key).await.1["__type"],
            "ValidationException"
        );
        for ahead in [-1.0, 0.0, 31.0 * 86_400.0] {
            use muster_domain::time::Clock as _;
            #[expect(clippy::cast_precision_loss, reason = "small enough")]
            let at = world.clock.now().0 as f64 / 1000.0 + ahead;
            world
                .refused(
                    "CreateActivation",
                    json!({"IamRole": "r", "ExpirationDate": at}),
                    "ValidationException",
                )
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn nodes_join_with_the_activations_tags_and_are_found_by_every_filter() {
    on_both(|db| async {
        let world = World::new(db).await;
        let made = world
            .ok("CreateActivation", json!({"IamRole": "web", "DefaultInstanceName": "w", "Tags": [{"Key": "Stage", "Value": "test"}]}))
            .await;
        let (_, joined) = world.unsigned("RegisterManagedInstance", registration(&made, &new_key(), "p")).await;
        let id = joined["InstanceId"].as_str().unwrap().to_owned();
        let other = world.node("other").await;
        let found = async |input: Value| {
            let output = world.ok("DescribeInstanceInformation", input).await;
            let list = output["InstanceInformationList"].as_array().unwrap();
            list.iter().map(|node| node["InstanceId"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        let only = |id: &str| BTreeSet::from([id.to_owned()]);
        let by = |key: &str, value: &str| json!({"Filters": [{"Key": key, "Values": [value]}]});
        let by_old = |key: &str, value: &str| json!({"InstanceInformationFilterList": [{"key": key, "valueSet": [value]}]});
        assert_eq!(found(json!({})).await.len(), 2);
        assert_eq!(found(by("tag:Stage", "test")).await, only(&id));
        assert_eq!(found(by("tag-key", "Stage")).await, only(&id));
        assert_eq!(found(by("InstanceIds", &id)).await, only(&id));
        assert_eq!(found(by_old("IamRole", "web")).await, only(&id));
        assert_eq!(found(by_old("ActivationIds", made["ActivationId"].as_str().unwrap())).await, only(&id));
        assert_eq!(found(by_old("PlatformTypes", "Linux")).await, only(&other.id));
        assert_eq!(found(by("AgentVersion", "0.1.0")).await, only(&other.id));
        assert_eq!(found(by("ResourceType", "EC2Instance")).await.len(), 0);
        assert_eq!(found(by("PingStatus", "Online")).await.len(), 2);
        world.clock.advance(120_001);
        assert_eq!(found(by("PingStatus", "ConnectionLost")).await.len(), 2);
        assert_eq!(found(by("PingStatus", "Online")).await.len(), 0);
        world.refused("DescribeInstanceInformation", by("Nonsense", "x"), "InvalidFilterKey").await;
        let value = world.refused("DescribeInstanceInformation", by("PingStatus", "x"), "InvalidInstanceInformationFilterValue");
        value.await;
        world.refused("DescribeInstanceInformation", by("InstanceIds", "x"), "InvalidInstanceId").await;
        let mut both = by("InstanceIds", &id);
        both["InstanceInformationFilterList"] = by_old("IamRole", "web")["InstanceInformationFilterList"].clone();
        world.refused("DescribeInstanceInformation", both, "ValidationException").await;
        let mixed = json!({"Filters": [{"Key": "tag:Stage", "Values": ["test"]}, {"Key": "InstanceIds", "Values": [id]}]});
        world.refused("DescribeInstanceInformation", mixed, "ValidationException").await;
    })
    .await;
}

#[tokio::test]
async fn properties_are_found_with_every_operator() {
    on_both(|db| async {
        let world = World::new(db).await;
        let (old, new) = (world.node("old").await, world.node("new").await);
        for (node, version) in [(&old, "3.3.9.0"), (&new, "3.3.10.0")] {
            let report = json!({"InstanceId": node.id, "AgentName": "amazon-ssm-agent", "AgentStatus": "Active",
                "AgentVersion": version, "PlatformType": "Linux", "ComputerName": "host"});
            let (status, answer) = world.call_as(&node.credentials, "UpdateInstanceInformation", report).await;
            assert_eq!(status, 200, "{answer}");
        }
        let found = async |key: &str, operator: &str, value: &str| {
            let filter = json!([{"Key": key, "Operator": operator, "Values": [value]}]);
            let list = world.ok("DescribeInstanceProperties", json!({"FiltersWithOperator": filter})).await;
            let of = |one: &Value| one["InstanceId"].as_str().unwrap().to_owned();
            list["InstanceProperties"].as_array().unwrap().iter().map(of).collect::<BTreeSet<_>>()
        };
        let only = |node: &Node| BTreeSet::from([node.id.clone()]);
        let both = BTreeSet::from([old.id.clone(), new.id.clone()]);
        for (key, operator, value, nodes) in [
            ("AgentVersion", "Equal", "3.3.9.0", only(&old)),
            ("AgentVersion", "NotEqual", "3.3.9.0", only(&new)),
            ("AgentVersion", "LessThan", "3.3.10.0", only(&old)),
            ("AgentVersion", "GreaterThan", "3.3.9.0", only(&new)),
            ("AgentVersion", "BeginWith", "3.3.1", only(&new)),
            ("AgentVersion", "BeginWith", "%", BTreeSet::new()),
            ("InstanceIds", "BeginWith", "mi-", both.clone()),
            ("PlatformTypes", "Equal", "Linux", both.clone()),
            ("PingStatus", "NotEqual", "ConnectionLost", both.clone()),
            ("PingStatus", "Equal", "ConnectionLost", BTreeSet::new()),
            ("ResourceType", "NotEqual", "ManagedInstance", BTreeSet::new()),
            ("AssociationStatus", "NotEqual", "Success", both.clone()),
        ] {
            assert_eq!(found(key, operator, value).await, nodes, "{key} {operator} {value}");
        }
        let whole = world.ok("DescribeInstanceProperties", json!({})).await["InstanceProperties"].clone();
        assert_eq!((&whole[0]["PingStatus"], &whole[0]["ComputerName"]), (&json!("Online"), &json!("host")));
        for (key, operator, value, code) in [
            ("Nonsense", "Equal", "x", "InvalidFilterKey"),
            ("PingStatus", "Equal", "x", "InvalidInstancePropertyFilterValue"),
            ("InstanceIds", "Equal", "x", "InvalidInstanceId"),
            ("IamRole", "LessThan", "x", "ValidationException"),
            ("PingStatus", "BeginWith", "On", "ValidationException"),
        ] {
            let filter = json!([{"Key": key, "Operator": operator, "Values": [value]}]);
            world.refused("DescribeInstanceProperties", json!({"FiltersWithOperator": filter}), code).await;
        }
    })
    .await;
}

#[tokio::test]
async fn pages_show_every_node_once() {
    on_both(|db| async {
        let world = World::new(db).await;
        let mut all = BTreeSet::new();
        for at in 0..12 {
            all.insert(world.node(&format!("n{at}")).await.id);
        }
        let (mut seen, mut token, mut tokens) = (Vec::new(), Value::Null, BTreeSet::new());
        loop {
            let page = world
                .ok(
                    "DescribeInstanceInformation",
                    json!({"MaxResults": 5, "NextToken": token}),
                )
                .await;
            let list = page["InstanceInformationList"].as_array().unwrap();
            seen.extend(
                list.iter()
                    .map(|node| node["InstanceId"].as_str().unwrap().to_owned()),
            );
            token = page["NextToken"].clone();
            let Some(text) = token.as_str() else { break };
            assert!(tokens.insert(text.to_owned()), "the same token twice");
        }
        assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (12, all));
        let foreign = world.ok("DescribeActivations", json!({"MaxResults": 1})).await["NextToken"].clone();
        for bad in [json!("x"), foreign, json!("A".repeat(5_000))] {
            let input = json!({"NextToken": bad});
            world
                .refused("DescribeInstanceInformation", input, "InvalidNextToken")
                .await;
        }
        let listed = async |size: usize| {
            let (mut count, mut token) = (0, Value::Null);
            loop {
                let page = world
                    .ok(
                        "DescribeActivations",
                        json!({"MaxResults": size, "NextToken": token}),
                    )
                    .await;
                count += page["ActivationList"].as_array().unwrap().len();
                token = page["NextToken"].clone();
                if token.is_null() {
                    return count;
                }
            }
        };
        // All were made at the same moment of the standing clock.
        assert_eq!((listed(1).await, listed(5).await, listed(50).await), (12, 12, 12));
    })
    .await;
}

#[tokio::test]
async fn tags_are_added_changed_listed_and_removed() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let with = |more: Value| {
            let mut input = json!({"ResourceType": "ManagedInstance", "ResourceId": node.id});
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        let add = |key: &str, value: &str| with(json!({"Tags": [{"Key": key, "Value": value}]}));
        world.ok("AddTagsToResource", add("Zone", "süd")).await;
        world.ok("AddTagsToResource", add("Zone", "nord")).await;
        world.ok("AddTagsToResource", add("A", "")).await;
        let tags = world.ok("ListTagsForResource", with(json!({}))).await;
        assert_eq!(
            tags["TagList"],
            json!([{"Key": "A", "Value": ""}, {"Key": "Zone", "Value": "nord"}])
        );
        world
            .ok("RemoveTagsFromResource", with(json!({"TagKeys": ["A", "none"]})))
            .await;
        assert_eq!(
            world.ok("ListTagsForResource", with(json!({}))).await["TagList"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        let many: Vec<Value> = (0..50)
            .map(|n| json!({"Key": format!("k{n}"), "Value": "v"}))
            .collect();
        world
            .refused(
                "AddTagsToResource",
                with(json!({"Tags": many})),
                "TooManyTagsError",
            )
            .await;
        world
            .refused("AddTagsToResource", add("aws:x", "y"), "ValidationException")
            .await;
        let ec2 = json!({"ResourceType": "ManagedInstance", "ResourceId": "i-12345678"});
        let message = world
            .refused("ListTagsForResource", ec2, "ValidationException")
            .await;
        assert_eq!(
            message,
            "resourceId should be in format mi-[0-9a-f]{17} for resource type ManagedInstance"
        );
        let unknown =
            json!({"ResourceType": "ManagedInstance", "ResourceId": format!("mi-{}", "0".repeat(17))});
        world
            .refused("ListTagsForResource", unknown, "InvalidResourceId")
            .await;
        let document = json!({"ResourceType": "Document", "ResourceId": "x"});
        world
            .refused("ListTagsForResource", document, "InvalidResourceId")
            .await;
    })
    .await;
}

#[tokio::test]
async fn documents_are_listed_described_and_read() {
    on_both(|db| async {
        let world = World::new(db).await;
        let names = async |input: Value| {
            let output = world.ok("ListDocuments", input).await;
            let list = output["DocumentIdentifiers"].as_array().unwrap();
            list.iter().map(|d| d["Name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let of_type = |name: &str| json!({"Filters": [{"Key": "DocumentType", "Values": [name]}]});
        let commands = ["AWS-GatherSoftwareInventory", "AWS-RefreshAssociation", "AWS-RunDocument", "AWS-RunPatchBaseline",
            "AWS-RunPowerShellScript", "AWS-RunRemoteScript", "AWS-RunShellScript", "Muster-CreateSnapshot"];
        assert_eq!(names(of_type("Command")).await, commands);
        let sessions = names(of_type("Session")).await;
        let last = ["AWS-StartSSHSession", "SSM-SessionManagerRunShell"];
        assert!(sessions.len() == 6 && sessions.ends_with(&last.map(str::to_owned)), "{sessions:?}");
        assert_eq!(names(json!({})).await.len(), 17);
        let linux = json!({"Filters": [{"Key": "PlatformTypes", "Values": ["Linux"]}, {"Key": "Owner", "Values": ["Amazon"]},
            {"Key": "DocumentType", "Values": ["Command"]}]});
        let on_linux: Vec<&str> = commands.into_iter().filter(|name| *name != "AWS-RunPowerShellScript").collect();
        assert_eq!(names(linux).await, on_linux);
        let old = json!({"DocumentFilterList": [{"key": "Name", "value": "AWS-RunPower"}]});
        assert_eq!(names(old).await, ["AWS-RunPowerShellScript"]);
        let first = world.ok("ListDocuments", json!({"MaxResults": 1})).await;
        let next = json!({"MaxResults": 1, "NextToken": first["NextToken"]});
        assert_eq!(names(next).await, ["AWS-PatchInstanceWithRollback"]);
        let read = world.ok("GetDocument", json!({"Name": "AWS-RunShellScript"})).await;
        let content: Value = serde_json::from_str(read["Content"].as_str().unwrap()).unwrap();
        assert_eq!(content["schemaVersion"], "2.2");
        assert_eq!(content["parameters"]["executionTimeout"]["default"], "3600");
        let described = world.ok("DescribeDocument", json!({"Name": "AWS-RunShellScript"})).await;
        assert_eq!(described["Document"]["Parameters"][0]["Name"], "commands");
        let arn = json!({"Name": "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", "DocumentVersion": "$LATEST"});
        world.ok("DescribeDocument", arn).await;
        world.refused("DescribeDocument", json!({"Name": "AWS-None"}), "InvalidDocument").await;
        let version = json!({"Name": "AWS-RunShellScript", "DocumentVersion": "2"});
        world.refused("GetDocument", version, "InvalidDocumentVersion").await;
        let key = json!({"Filters": [{"Key": "Nonsense", "Values": ["x"]}]});
        world.refused("ListDocuments", key, "InvalidFilterKey").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_in_one_region_is_not_in_another() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let elsewhere = async |operation: &str, input: Value| {
            let body = serde_json::to_vec(&input).unwrap();
            let target = format!("AmazonSSM.{operation}");
            let headers = [("x-amz-target", target.as_str())];
            let keys = world.plane.operator_credentials();
            let signed = world.signed(&keys, "ssm", "us-east-2", ("POST", "/", ""), &headers, &body);
            let (_, _, answer) = world.send("POST", "/", signed, body).await;
            serde_json::from_slice::<Value>(&answer).unwrap()
        };
        assert_eq!(
            elsewhere("DescribeInstanceInformation", json!({})).await["InstanceInformationList"],
            json!([])
        );
        assert_eq!(
            elsewhere("DescribeActivations", json!({})).await["ActivationList"],
            json!([])
        );
        let gone = elsewhere("DeregisterManagedInstance", json!({"InstanceId": node.id})).await;
        assert_eq!(gone["__type"], "InvalidInstanceId");
        let command = world.run(&[&node], json!({})).await;
        assert_eq!(elsewhere("ListCommands", json!({})).await["Commands"], json!([]));
        assert_eq!(
            elsewhere("CancelCommand", json!({"CommandId": command})).await["__type"],
            "InvalidCommandId"
        );
    })
    .await;
}

#[tokio::test]
async fn agents_get_their_quiet_answers() {
    on_both(|db| async {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let input = json!({"InstanceId": node.id, "MaxResults": 20});
        let (status, output) = world
            .call_as(&node.credentials, "ListInstanceAssociations", input)
            .await;
        assert_eq!((status, output), (200, json!({"Associations": []})));
        let foreign = json!({"Destination": format!("mi-{}", "0".repeat(17)), "MessagesRequestId": "r"});
        let (status, output) = world.call_as(&node.credentials, "GetMessages", foreign).await;
        assert_eq!(
            (status, output["__type"].as_str()),
            (400, Some("AccessDeniedException"))
        );
    })
    .await;
}

//! Baselines and how nodes stand, without an agent: what is kept, refused, listed, and what reports are taken for.

use crate::world::{Node, World};
use muster_store::test_database::on_both;
use serde_json::{Value, json};

async fn baseline(world: &World, more: Value) -> String {
    let mut input = json!({"Name": "base", "OperatingSystem": "DEBIAN"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let made = world.ok("CreatePatchBaseline", input).await;
    made["BaselineId"].as_str().unwrap().to_owned()
}

fn rule(more: Value) -> Value {
    let mut rule = json!({"PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]}});
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    json!({"ApprovalRules": {"PatchRules": [rule]}})
}

#[tokio::test]
async fn a_baseline_is_changed_replaced_and_refused() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let id = baseline(
            &world,
            json!({"ApprovedPatches": ["a"], "Tags": [{"Key": "team", "Value": "web"}], "ClientToken": "t"}),
        )
        .await;
        assert!(id.starts_with("pb-") && id.len() == 20, "{id}");
        let again =
            json!({"ApprovedPatches": ["a"], "Tags": [{"Key": "team", "Value": "web"}], "ClientToken": "t"});
        assert_eq!(baseline(&world, again).await, id);
        let change = json!({"BaselineId": id, "RejectedPatches": ["b*"], "Description": "d"});
        let changed = world.ok("UpdatePatchBaseline", change).await;
        assert_eq!(
            (&changed["ApprovedPatches"], &changed["RejectedPatches"]),
            (&json!(["a"]), &json!(["b*"]))
        );
        let replaced = json!({"BaselineId": id, "Replace": true, "Name": "new"});
        let replaced = world.ok("UpdatePatchBaseline", replaced).await;
        assert_eq!(
            (&replaced["ApprovedPatches"], replaced.get("Description")),
            (&json!([]), None)
        );
        assert_eq!(replaced["OperatingSystem"], "DEBIAN");
        for (bad, says) in [
            (
                rule(json!({"ApproveAfterDays": 1, "ApproveUntilDate": "2030-01-01"})),
                "either ApproveAfterDays or ApproveUntilDate",
            ),
            (rule(json!({"ApproveUntilDate": "tomorrow"})), "2030-01-31"),
            (
                json!({"ApprovedPatches": ["x"], "RejectedPatches": ["x"]}),
                "x is in ApprovedPatches and in RejectedPatches",
            ),
        ] {
            let mut input = json!({"Name": "bad"});
            for (name, value) in bad.as_object().unwrap() {
                input[name] = value.clone();
            }
            let message = world
                .refused("CreatePatchBaseline", input, "ValidationException")
                .await;
            assert!(message.contains(says), "{message}");
        }
        let tags = json!({"ResourceType": "PatchBaseline", "ResourceId": id});
        let tags = world.ok("ListTagsForResource", tags).await;
        assert_eq!(tags["TagList"][0]["Value"], "web");
        let given = world
            .ok("GetDefaultPatchBaseline", json!({"OperatingSystem": "UBUNTU"}))
            .await;
        let named = json!({"BaselineId": given["BaselineId"]});
        let told = world.ok("GetPatchBaseline", named.clone()).await;
        assert_eq!(told["Name"], "AWS-UbuntuDefaultPatchBaseline");
        world
            .refused("UpdatePatchBaseline", named.clone(), "ValidationException")
            .await;
        world
            .refused("DeletePatchBaseline", named, "ValidationException")
            .await;
        for _ in 0..2 {
            world.ok("DeletePatchBaseline", json!({"BaselineId": id})).await;
        }
    })
    .await;
}

#[tokio::test]
async fn groups_are_listed_with_their_baselines() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let debian = baseline(&world, json!({"Name": "deb"})).await;
        let ubuntu = baseline(&world, json!({"Name": "ubu", "OperatingSystem": "UBUNTU"})).await;
        for (id, group) in [
            (&debian, "Web-1"),
            (&debian, "Web-2"),
            (&ubuntu, "Web-1"),
            (&ubuntu, "db"),
        ] {
            let input = json!({"BaselineId": id, "PatchGroup": group});
            world.ok("RegisterPatchBaselineForPatchGroup", input).await;
        }
        let mut seen = Vec::new();
        let mut token = Value::Null;
        loop {
            let page = world
                .ok(
                    "DescribePatchGroups",
                    json!({"MaxResults": 1, "NextToken": token,
                        "Filters": [{"Key": "NAME_PREFIX", "Values": ["Web-"]}]}),
                )
                .await;
            for mapping in page["Mappings"].as_array().unwrap() {
                seen.push(format!(
                    "{} {}",
                    mapping["PatchGroup"].as_str().unwrap(),
                    mapping["BaselineIdentity"]["BaselineName"].as_str().unwrap()
                ));
            }
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(seen, ["Web-1 deb", "Web-1 ubu", "Web-2 deb"]);
        let only = json!({"Filters": [{"Key": "OPERATING_SYSTEM", "Values": ["UBUNTU"]}]});
        let only = world.ok("DescribePatchGroups", only).await;
        assert_eq!(only["Mappings"].as_array().unwrap().len(), 2);
        let none = json!({"PatchGroup": "nobody", "OperatingSystem": "DEBIAN"});
        let none = world.ok("GetPatchBaselineForPatchGroup", none).await;
        assert!(none["BaselineId"].as_str().unwrap().starts_with("arn:"), "{none}");
        let message = world
            .refused(
                "DeregisterPatchBaselineForPatchGroup",
                json!({"BaselineId": "pb-0123456789abcdef0", "PatchGroup": "x"}),
                "DoesNotExistException",
            )
            .await;
        assert_eq!(message, "Patch Baseline to be retrieved does not exist.");
    })
    .await;
}

fn summary(group: &str, missing: u32) -> Value {
    json!({"TypeName": "AWS:PatchSummary", "SchemaVersion": "1.0", "CaptureTime": "2026-11-26T12:00:00Z",
        "Content": [{"PatchGroup": group, "BaselineId": "pb-1", "SnapshotId": "s", "OperationType": "Scan",
            "OperationStartTime": "2026-11-26T11:59:00Z", "OperationEndTime": "2026-11-26T12:00:00Z",
            "RebootOption": "NoReboot", "MissingCount": missing.to_string(), "InstalledCount": "7"}]})
}

async fn put(world: &World, node: &Node, items: Value) -> (u16, Value) {
    let input = json!({"InstanceId": node.id, "Items": items});
    world.call_as(&node.credentials, "PutInventory", input).await
}

#[tokio::test]
async fn nodes_report_for_themselves_and_are_counted_by_group() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let mut nodes = Vec::new();
        for at in 0..12_u32 {
            let node = world.node(&format!("n{at:02}")).await;
            let (status, answer) = put(&world, &node, json!([summary("web", at % 3)])).await;
            assert_eq!(status, 200, "{answer}");
            nodes.push(node);
        }
        let (status, answer) = world
            .call_as(
                &nodes[0].credentials,
                "PutInventory",
                json!({"InstanceId": nodes[1].id, "Items": [summary("web", 1)]}),
            )
            .await;
        assert_eq!(
            (status, answer["__type"].as_str()),
            (400, Some("AccessDeniedException"))
        );
        let group = world
            .ok("DescribePatchGroupState", json!({"PatchGroup": "web"}))
            .await;
        assert_eq!(
            (&group["Instances"], &group["InstancesWithMissingPatches"]),
            (&json!(12), &json!(8))
        );
        let more = json!({"Key": "MissingCount", "Values": ["1"], "Type": "GreaterThan"});
        let found = world
            .ok(
                "DescribeInstancePatchStatesForPatchGroup",
                json!({"PatchGroup": "web", "Filters": [more]}),
            )
            .await;
        assert_eq!(found["InstancePatchStates"].as_array().unwrap().len(), 4);
        let first = world
            .ok(
                "DescribeInstancePatchStatesForPatchGroup",
                json!({"PatchGroup": "web", "MaxResults": 10}),
            )
            .await;
        assert_eq!(first["InstancePatchStates"].as_array().unwrap().len(), 10);
        let rest = world
            .ok(
                "DescribeInstancePatchStatesForPatchGroup",
                json!({"PatchGroup": "web", "MaxResults": 10, "NextToken": first["NextToken"]}),
            )
            .await;
        assert_eq!(rest["InstancePatchStates"].as_array().unwrap().len(), 2);
        let bad =
            json!({"PatchGroup": "web", "Filters": [{"Key": "Color", "Values": ["1"], "Type": "Equal"}]});
        world
            .refused("DescribeInstancePatchStatesForPatchGroup", bad, "InvalidFilter")
            .await;
        // What is deregistered is forgotten.
        world
            .ok("DeregisterManagedInstance", json!({"InstanceId": nodes[1].id}))
            .await;
        let group = world
            .ok("DescribePatchGroupState", json!({"PatchGroup": "web"}))
            .await;
        assert_eq!(group["Instances"], 11);
    })
    .await;
}

/// Text that does not compress: an index of PostgreSQL takes long text that does.
fn noise(digests: u32) -> String {
    use ring::digest::{SHA256, digest};
    let one = |n: u32| hex::encode(digest(&SHA256, &n.to_be_bytes()));
    (0..digests).map(one).collect()
}

#[tokio::test]
async fn long_words_of_a_node_are_kept_or_refused_by_name() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let name = noise(60);
        let updates = json!([{"TypeName": "Custom:AvailablePatch", "SchemaVersion": "1.0",
            "CaptureTime": "2026-11-26T12:00:00Z", "Content": [{"Name": name, "Version": "1"},
                {"Name": name, "Version": "2"}]}]);
        let (status, answer) = put(&world, &node, updates).await;
        assert_eq!(status, 200, "{answer}");
        let found = world.ok("DescribeAvailablePatches", json!({})).await["Patches"].clone();
        assert_eq!(
            (found.as_array().unwrap().len(), &found[0]["Name"]),
            (2, &json!(name))
        );
        let (status, answer) = put(&world, &node, json!([summary(&name, 1)])).await;
        assert_eq!(
            (status, answer["__type"].as_str()),
            (400, Some("InvalidItemContentException"))
        );
        assert!(answer["message"].as_str().unwrap().contains("PatchGroup"));
    })
    .await;
}

#[tokio::test]
async fn inventory_is_known_by_its_hash() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let item = |hash: &str, content: Option<Value>| {
            let mut item = json!({"TypeName": "Custom:Rack", "SchemaVersion": "1.0", "ContentHash": hash,
                "CaptureTime": "2026-11-26T12:00:00Z"});
            if let Some(content) = content {
                item["Content"] = content;
            }
            json!([item])
        };
        let content = json!([{"Place": "A1", "Height": "2"}, {"Place": "B2", "Height": "10"}]);
        let (status, answer) = put(&world, &node, item("h1", None)).await;
        assert_eq!(
            (status, answer["__type"].as_str()),
            (400, Some("ItemContentMismatchException"))
        );
        assert_eq!(put(&world, &node, item("h1", Some(content))).await.0, 200);
        assert_eq!(put(&world, &node, item("h1", None)).await.0, 200);
        assert_eq!(put(&world, &node, item("h2", None)).await.0, 400);
        let twice = json!([item("h", Some(json!([])))[0], item("h", Some(json!([])))[0]]);
        let (_, answer) = put(&world, &node, twice).await;
        assert_eq!(answer["__type"], "InvalidItemContentException");
        let list =
            |filter: Value| json!({"InstanceId": node.id, "TypeName": "Custom:Rack", "Filters": [filter]});
        for (key, kind, value, count) in [
            ("Place", "Equal", "A1", 1),
            ("Custom:Rack.Place", "BeginWith", "B", 1),
            ("Height", "GreaterThan", "9", 1),
            ("Height", "LessThan", "100", 2),
            ("Place", "NotEqual", "A1", 1),
            ("Color", "Exists", "x", 0),
        ] {
            let filter = json!({"Key": key, "Type": kind, "Values": [value]});
            let found = world.ok("ListInventoryEntries", list(filter)).await;
            assert_eq!(found["Entries"].as_array().unwrap().len(), count, "{key} {kind}");
        }
        let none = json!({"InstanceId": node.id, "TypeName": "AWS:Application"});
        let none = world.ok("ListInventoryEntries", none).await;
        assert_eq!(none["Entries"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_repositorys_password_is_in_no_log_and_an_arn_is_as_good_as_an_id() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let source =
            json!([{"Name": "own", "Products": ["*"], "Configuration": "deb https://u:pass-word@x ./"}]);
        let id = baseline(&world, json!({"Sources": source})).await;
        let change = json!({"BaselineId": id, "Sources": source});
        world.ok("UpdatePatchBaseline", change).await;
        let log = format!("{:?}", world.audit.0.lock().unwrap());
        assert!(log.contains("UpdatePatchBaseline") && !log.contains("pass-word"));
        let arn = format!("arn:aws:ssm:eu-west-1:123456789012:patchbaseline/{id}");
        let group = json!({"BaselineId": arn, "PatchGroup": "web"});
        world
            .ok("RegisterPatchBaselineForPatchGroup", group.clone())
            .await;
        let named = json!({"BaselineId": arn});
        world
            .refused("DeletePatchBaseline", named.clone(), "ResourceInUseException")
            .await;
        world.ok("DeregisterPatchBaselineForPatchGroup", group).await;
        world.ok("DeletePatchBaseline", named.clone()).await;
        world
            .refused("GetPatchBaseline", named, "DoesNotExistException")
            .await;
    })
    .await;
}

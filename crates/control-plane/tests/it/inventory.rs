//! Inventory across nodes: found by what they have, counted, described, deleted.

use crate::world::{Node, World};
use muster_store::test_database::on_both;
use serde_json::{Value, json};

async fn put(world: &World, node: &Node, type_name: &str, content: Value) {
    let input = json!({"InstanceId": node.id, "Items": [{"TypeName": type_name, "SchemaVersion": "1.0",
        "CaptureTime": "2026-11-26T12:00:00Z", "Content": content}]});
    let (status, answer) = world.call_as(&node.credentials, "PutInventory", input).await;
    assert_eq!(status, 200, "{answer}");
}

fn ids(output: &Value) -> Vec<String> {
    let entities = output["Entities"].as_array().unwrap();
    entities
        .iter()
        .map(|entity| entity["Id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn nodes_are_found_and_counted_by_what_they_have() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (one, two, three) = (
            world.node("one").await,
            world.node("two").await,
            world.node("three").await,
        );
        let app = |name: &str, version: &str| json!({"Name": name, "Version": version});
        put(
            &world,
            &one,
            "AWS:Application",
            json!([app("nginx", "1.22"), app("curl", "8.1")]),
        )
        .await;
        put(
            &world,
            &two,
            "AWS:Application",
            json!([app("nginx", "1.18"), app("curl", "1.22")]),
        )
        .await;
        let filter =
            |key: &str, kind: &str, value: &str| json!({"Key": key, "Values": [value], "Type": kind});
        let both = json!({"Filters": [
            filter("AWS:Application.Name", "Equal", "nginx"),
            filter("AWS:Application.Version", "BeginWith", "1.22"),
        ], "ResultAttributes": [{"TypeName": "AWS:Application"}]});
        let found = world.ok("GetInventory", both).await;
        assert_eq!(
            ids(&found),
            std::slice::from_ref(&one.id),
            "of one and the same entry"
        );
        let data = &found["Entities"][0]["Data"]["AWS:Application"];
        assert_eq!(data["Content"].as_array().unwrap().len(), 2);
        assert_eq!(data["CaptureTime"], "2026-11-26T12:00:00Z");
        let mut all = Vec::new();
        let mut token = Value::Null;
        loop {
            let page = world
                .ok("GetInventory", json!({"MaxResults": 2, "NextToken": token}))
                .await;
            all.extend(ids(&page));
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        let mut wanted = vec![one.id.clone(), two.id.clone(), three.id.clone()];
        wanted.sort();
        assert_eq!(all, wanted, "nodes are known without a report");
        let counted = world
            .ok(
                "GetInventory",
                json!({"Aggregators": [{"Expression": "AWS:InstanceInformation.PlatformName",
                    "Aggregators": [{"Groups": [{"Name": "web", "Filters": [
                        filter("AWS:Application.Name", "Equal", "nginx")]}]}]}]}),
            )
            .await;
        let content = counted["Entities"][0]["Data"]["AWS:InstanceInformation"]["Content"].clone();
        assert_eq!(
            content,
            json!([
                {"PlatformName": "Debian GNU/Linux", "web": "false", "Count": "1"},
                {"PlatformName": "Debian GNU/Linux", "web": "true", "Count": "2"},
            ])
        );
        world
            .refused(
                "GetInventory",
                json!({"Filters": [filter("Name", "Equal", "x")]}),
                "InvalidFilter",
            )
            .await;
        world
            .refused(
                "GetInventory",
                json!({"Aggregators": [{}]}),
                "InvalidAggregatorException",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn custom_types_are_described_deleted_and_switched_off() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        for node in [&one, &two] {
            put(&world, node, "Custom:Rack", json!([{"Place": "A1"}])).await;
        }
        let schemas = |more: Value| world.ok("GetInventorySchema", more);
        let known = schemas(json!({"TypeName": "Custom:"})).await;
        assert_eq!(
            known["Schemas"],
            json!([{"TypeName": "Custom:Rack", "Version": "1.0", "DisplayName": "Rack",
                "Attributes": [{"Name": "Place", "DataType": "STRING"}]}])
        );
        let aws = schemas(json!({"TypeName": "AWS:Application"})).await;
        assert_eq!(aws["Schemas"][0]["Attributes"][0]["Name"], "Name");
        let delete = |more: Value| {
            let mut input = json!({"TypeName": "Custom:Rack"});
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        let dry = world.ok("DeleteInventory", delete(json!({"DryRun": true}))).await;
        assert_eq!(
            (&dry["DeletionSummary"]["TotalCount"], dry.get("DeletionId")),
            (&json!(2), None)
        );
        let done = world
            .ok(
                "DeleteInventory",
                delete(json!({"SchemaDeleteOption": "DisableSchema"})),
            )
            .await;
        assert_eq!(done["DeletionSummary"]["RemainingCount"], 0);
        let told = world
            .ok(
                "DescribeInventoryDeletions",
                json!({"DeletionId": done["DeletionId"]}),
            )
            .await;
        assert_eq!(told["InventoryDeletions"][0]["LastStatus"], "Complete");
        // It is switched off: what nodes send of it is not kept.
        put(&world, &one, "Custom:Rack", json!([{"Place": "A1"}])).await;
        let list = json!({"InstanceId": one.id, "TypeName": "Custom:Rack"});
        assert_eq!(
            world.ok("ListInventoryEntries", list.clone()).await["Entries"],
            json!([])
        );
        world.ok("DeleteInventory", delete(json!({}))).await;
        put(&world, &one, "Custom:Rack", json!([{"Place": "A1"}])).await;
        let entries = world.ok("ListInventoryEntries", list).await;
        assert_eq!(entries["Entries"].as_array().unwrap().len(), 1);
        world
            .refused(
                "DeleteInventory",
                json!({"TypeName": "AWS:Application"}),
                "InvalidTypeNameException",
            )
            .await;
        let unknown = json!({"DeletionId": crate::bad_input_tables::UUID});
        world
            .refused(
                "DescribeInventoryDeletions",
                unknown,
                "InvalidDeletionIdException",
            )
            .await;
    })
    .await;
}

//! Resource data sync: what nodes report stands in a bucket soon after, in the service's layout.

use crate::world::{Node, World};
use muster_store::test_database::on_both;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

async fn report(world: &World, node: &Node, kind: &str, content: Value) {
    let input = json!({"InstanceId": node.id, "Items": [{"TypeName": kind, "SchemaVersion": "1.0",
        "CaptureTime": "2026-11-26T12:00:00Z", "Content": content}]});
    let (status, answer) = world.call_as(&node.credentials, "PutInventory", input).await;
    assert_eq!(status, 200, "{answer}");
}

async fn create(world: &World, name: &str, destination: Value) {
    let mut s3 = json!({"BucketName": "fleet-data", "SyncFormat": "JsonSerDe", "Region": "eu-west-1"});
    for (name, value) in destination.as_object().unwrap() {
        s3[name] = value.clone();
    }
    let input = json!({"SyncName": name, "S3Destination": s3});
    world.ok("CreateResourceDataSync", input).await;
}

async fn only(world: &World) -> Value {
    let listed = world.ok("ListResourceDataSync", json!({})).await;
    let items = listed["ResourceDataSyncItems"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1, "{listed}");
    items[0].clone()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_nodes_report_stands_in_the_bucket() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let apps = json!([{"Name": "bash", "Version": "5.2"}, {"Name": "curl", "Version": "8.1"}]);
        report(&world, &one, "AWS:Application", apps).await;
        create(&world, "nightly", json!({"Prefix": "/inventory/"})).await;
        assert_eq!(only(&world).await["LastStatus"], "InProgress");
        world.clock.advance(41_000);
        world.plane.sync_data().await;
        let bucket = world.folder.path().join("buckets/fleet-data");
        let place = |kind: &str, node: &Node| {
            bucket.join(format!(
                "inventory/{kind}/accountid=123456789012/region=eu-west-1/resourcetype=ManagedInstanceInventory/{}.json",
                node.id
            ))
        };
        let lines = |path: PathBuf| -> Vec<Value> {
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        assert_eq!(
            lines(place("AWS:Application", &one)),
            [
                json!({"Name": "bash", "Version": "5.2", "resourceId": one.id, "schemaVersion": "1.0",
                    "captureTime": "2026-11-26T12:00:00Z"}),
                json!({"Name": "curl", "Version": "8.1", "resourceId": one.id, "schemaVersion": "1.0",
                    "captureTime": "2026-11-26T12:00:00Z"}),
            ]
        );
        let stands = only(&world).await;
        assert_eq!(stands["LastStatus"], "Successful");
        assert_eq!(stands["S3Destination"]["Prefix"], "/inventory/");
        assert_eq!(stands["LastSyncTime"], stands["LastSuccessfulSyncTime"]);
        // Only what is new is written again, and what is not settled yet waits.
        std::fs::remove_file(place("AWS:Application", &one)).unwrap();
        report(&world, &two, "Custom:Rack", json!([{"Row": "7"}])).await;
        world.plane.sync_data().await;
        assert!(files(&bucket).is_empty());
        world.clock.advance(41_000);
        let world = world.restarted().await;
        world.plane.sync_data().await;
        assert_eq!(files(&bucket), [place("Custom:Rack", &two)]);
        assert_eq!(lines(place("Custom:Rack", &two))[0]["Row"], "7");
        // One that is made anew writes everything again.
        world.ok("DeleteResourceDataSync", json!({"SyncName": "nightly"})).await;
        create(&world, "nightly", json!({})).await;
        world.plane.sync_data().await;
        assert_eq!(files(&bucket).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn whatever_a_node_calls_a_type_is_written() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        for kind in ["AWS:a//b", "AWS:../../../up", "AWS:a\tb", "Custom:.", "AWS:z"] {
            report(&world, &node, kind, json!([{"a": "b"}])).await;
        }
        create(&world, "all", json!({"Prefix": "a//../b"})).await;
        world.clock.advance(41_000);
        world.plane.sync_data().await;
        assert_eq!(only(&world).await["LastStatus"], "Successful");
        assert_eq!(files(&world.folder.path().join("buckets/fleet-data")).len(), 5);
        assert_eq!(files(&world.folder.path().join("buckets")).len(), 5);
    })
    .await;
}

#[tokio::test]
async fn many_reports_are_written_whole() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        // At one and the same moment, across the borders of rounds.
        for at in 0..21 {
            let items: Vec<Value> = (0..11)
                .map(|kind| {
                    json!({"TypeName": format!("AWS:T{at}x{kind}"), "SchemaVersion": "1.0",
                        "CaptureTime": "2026-11-26T12:00:00Z", "Content": [{"a": "b"}]})
                })
                .collect();
            let input = json!({"InstanceId": node.id, "Items": items});
            let (status, answer) = world.call_as(&node.credentials, "PutInventory", input).await;
            assert_eq!(status, 200, "{answer}");
        }
        create(&world, "all", json!({})).await;
        world.clock.advance(41_000);
        world.plane.sync_data().await;
        assert_eq!(files(&world.folder.path().join("buckets/fleet-data")).len(), 231);
        assert_eq!(only(&world).await["LastStatus"], "Successful");
    })
    .await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_written_to_is_told_and_tried_again() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        create(&world, "nightly", json!({})).await;
        let bucket = world.folder.path().join("buckets/fleet-data");
        std::fs::remove_dir(&bucket).unwrap();
        std::fs::write(&bucket, "in the way").unwrap();
        report(&world, &node, "AWS:Application", json!([{"Name": "bash"}])).await;
        world.clock.advance(41_000);
        world.plane.sync_data().await;
        let stands = only(&world).await;
        assert_eq!(stands["LastStatus"], "Failed");
        assert!(
            stands["LastSyncStatusMessage"]
                .as_str()
                .unwrap()
                .contains("fleet-data"),
            "{stands}"
        );
        assert!(stands.get("LastSuccessfulSyncTime").is_none());
        std::fs::remove_file(&bucket).unwrap();
        world.plane.sync_data().await;
        assert_eq!(only(&world).await["LastStatus"], "Failed", "it waits a minute");
        world.clock.advance(60_000);
        world.plane.sync_data().await;
        let stands = only(&world).await;
        assert_eq!(stands["LastStatus"], "Successful");
        assert!(stands.get("LastSyncStatusMessage").is_none());
        assert_eq!(files(&bucket).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let s3 = json!({"BucketName": "fleet-data", "SyncFormat": "JsonSerDe", "Region": "eu-west-1"});
        let with = |more: Value| {
            let mut input = json!({"SyncName": "a", "S3Destination": s3});
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        let refused = "ResourceDataSyncInvalidConfigurationException";
        let source = json!({"SourceType": "x", "SourceRegions": []});
        for input in [
            json!({"SyncName": "a"}),
            with(json!({"SyncType": "SyncFromSource"})),
            with(json!({"SyncSource": source})),
            with(
                json!({"S3Destination": {"BucketName": "../up", "SyncFormat": "JsonSerDe", "Region": "eu"}}),
            ),
            with(
                json!({"S3Destination": {"BucketName": "abc", "SyncFormat": "JsonSerDe", "Region": "eu",
                "AWSKMSKeyARN": "arn:k"}}),
            ),
        ] {
            world.refused("CreateResourceDataSync", input, refused).await;
        }
        for name in ["a", "b", "c", "d", "e"] {
            world
                .ok("CreateResourceDataSync", with(json!({"SyncName": name})))
                .await;
        }
        let again = with(json!({}));
        world
            .refused(
                "CreateResourceDataSync",
                again,
                "ResourceDataSyncAlreadyExistsException",
            )
            .await;
        let more = with(json!({"SyncName": "f"}));
        world
            .refused(
                "CreateResourceDataSync",
                more,
                "ResourceDataSyncCountExceededException",
            )
            .await;
        let update =
            |name: &str| json!({"SyncName": name, "SyncType": "SyncFromSource", "SyncSource": source});
        world
            .refused("UpdateResourceDataSync", update("a"), refused)
            .await;
        world
            .refused(
                "UpdateResourceDataSync",
                update("x"),
                "ResourceDataSyncNotFoundException",
            )
            .await;
        world
            .refused(
                "DeleteResourceDataSync",
                json!({"SyncName": "x"}),
                "ResourceDataSyncNotFoundException",
            )
            .await;
        let first = world.ok("ListResourceDataSync", json!({"MaxResults": 3})).await;
        let rest = json!({"MaxResults": 3, "NextToken": first["NextToken"]});
        let rest = world.ok("ListResourceDataSync", rest).await;
        assert_eq!(rest["ResourceDataSyncItems"].as_array().unwrap().len(), 2);
        let none = world
            .ok("ListResourceDataSync", json!({"SyncType": "SyncFromSource"}))
            .await;
        assert_eq!(none["ResourceDataSyncItems"], json!([]));
    })
    .await;
}

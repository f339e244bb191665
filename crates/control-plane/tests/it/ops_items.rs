//! OpsItems from outside: made once, changed piece by piece, found again, related, and gone with all that is theirs.

use crate::world::World;
use muster_domain::time::Clock as _;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

fn item(title: &str, more: Value) -> Value {
    let mut input = json!({"Title": title, "Source": "Monitor", "Description": format!("about {title}")});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

async fn make(world: &World, title: &str, more: Value) -> String {
    let made = world.ok("CreateOpsItem", item(title, more)).await;
    made["OpsItemId"].as_str().unwrap().to_owned()
}

async fn found(world: &World, key: &str, operator: &str, value: &str) -> Vec<String> {
    let filter = json!({"Key": key, "Operator": operator, "Values": [value]});
    let list = world
        .ok("DescribeOpsItems", json!({"OpsItemFilters": [filter]}))
        .await;
    let of = |item: &Value| item["Title"].as_str().unwrap().to_owned();
    list["OpsItemSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

#[tokio::test]
async fn an_item_is_made_changed_and_resolved() {
    on_both(|db| async {
        let world = World::new(db).await;
        let data = json!({"disk": {"Value": "91 %", "Type": "SearchableString"}, "log": {"Value": "long", "Type": "String"}});
        let more = json!({"OperationalData": data, "Priority": 2, "Category": "Availability", "Severity": "2",
            "Notifications": [{"Arn": "arn:aws:sns:eu-west-1:123456789012:t"}], "PlannedStartTime": 1_795_000_000.5,
            "Tags": [{"Key": "team", "Value": "web"}]});
        let made = world.ok("CreateOpsItem", item("Disk is filling", more)).await;
        let id = made["OpsItemId"].as_str().unwrap();
        assert!(made["OpsItemArn"].as_str().unwrap().ends_with(&format!(":opsitem/{id}")));
        let got = world.ok("GetOpsItem", json!({"OpsItemId": id})).await["OpsItem"].clone();
        for (name, value) in [
            ("Title", json!("Disk is filling")),
            ("Source", json!("Monitor")),
            ("Description", json!("about Disk is filling")),
            ("Status", json!("Open")),
            ("Priority", json!(2)),
            ("Category", json!("Availability")),
            ("Severity", json!("2")),
            ("OpsItemType", json!("/aws/issue")),
            ("Version", json!("1")),
            ("OperationalData", data),
            ("PlannedStartTime", json!(1_795_000_000.5)),
            ("OpsItemArn", made["OpsItemArn"].clone()),
        ] {
            assert_eq!(got[name], value, "{name}");
        }
        let tags = json!({"ResourceType": "OpsItem", "ResourceId": id});
        let tags = world.ok("ListTagsForResource", tags).await;
        assert_eq!(tags["TagList"], json!([{"Key": "team", "Value": "web"}]));
        world.clock.advance(60_000);
        let change = json!({"OpsItemId": id, "Status": "Resolved", "OperationalDataToDelete": ["log"],
            "OperationalData": {"cause": {"Value": "logs", "Type": "SearchableString"}}});
        world.ok("UpdateOpsItem", change).await;
        let after = world.ok("GetOpsItem", json!({"OpsItemId": id})).await["OpsItem"].clone();
        assert_eq!((&after["Status"], &after["Version"]), (&json!("Resolved"), &json!("2")));
        let keys: Vec<&String> = after["OperationalData"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["cause", "disk"]);
        for kept in ["Title", "Description", "Priority", "Notifications", "CreatedTime"] {
            assert_eq!(after[kept], got[kept], "{kept}");
        }
        assert_eq!(
            after["LastModifiedTime"].as_f64().unwrap() - got["LastModifiedTime"].as_f64().unwrap(),
            60.0
        );
        let filter = json!([{"Key": "OpsItemId", "Values": [id], "Operator": "Equal"}]);
        let first = json!({"Filters": filter, "MaxResults": 1});
        let first = world.ok("ListOpsItemEvents", first).await;
        assert_eq!(first["Summaries"][0]["DetailType"], "OpsItem Update");
        let detail: Value = serde_json::from_str(first["Summaries"][0]["Detail"].as_str().unwrap()).unwrap();
        assert_eq!((&detail["before"], &detail["status"]), (&json!("Open"), &json!("Resolved")));
        let next = json!({"Filters": filter, "MaxResults": 1, "NextToken": first["NextToken"]});
        let next = world.ok("ListOpsItemEvents", next).await;
        assert_eq!(next["Summaries"][0]["DetailType"], "OpsItem Create");
        assert!(next.get("NextToken").is_none());
    })
    .await;
}

#[tokio::test]
async fn what_happens_at_one_moment_is_told_in_its_order() {
    on_both(|db| async {
        let world = World::new(db).await;
        let id = make(&world, "one", json!({})).await;
        for at in 0..10 {
            let status = if at % 2 == 0 { "InProgress" } else { "Open" };
            let change = json!({"OpsItemId": id, "Status": status});
            world.ok("UpdateOpsItem", change).await;
        }
        let filter = json!([{"Key": "OpsItemId", "Values": [id], "Operator": "Equal"}]);
        let told = world.ok("ListOpsItemEvents", json!({"Filters": filter})).await;
        let told = told["Summaries"].as_array().unwrap().clone();
        assert_eq!(told.len(), 11);
        let mut after = "Open".to_owned();
        for event in told.iter().rev().skip(1) {
            let detail: Value = serde_json::from_str(event["Detail"].as_str().unwrap()).unwrap();
            assert_eq!(detail["before"], after.as_str());
            after = detail["status"].as_str().unwrap().to_owned();
        }
        assert_eq!(told[10]["DetailType"], "OpsItem Create");
    })
    .await;
}

#[tokio::test]
async fn what_is_open_already_is_not_made_again() {
    on_both(|db| async {
        let world = World::new(db).await;
        let known = json!({"OperationalData": {"/aws/dedup": {"Value": r#"{"dedupString":"disk-7"}"#, "Type": "SearchableString"}}});
        let id = make(&world, "one", known.clone()).await;
        let told = world
            .refused("CreateOpsItem", item("two", known.clone()), "OpsItemAlreadyExistsException")
            .await;
        assert!(told.contains(&id), "{told}");
        let other = make(&world, "of another source", {
            let mut other = known.clone();
            other["Source"] = json!("Other");
            other
        })
        .await;
        assert_ne!(other, id);
        world.ok("UpdateOpsItem", json!({"OpsItemId": id, "Status": "Resolved"})).await;
        make(&world, "again", known).await;
        // What it is known by may be as long as a value may be, and need not be like anything.
        let long: String = (0..500).map(|n: u32| hex::encode(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &n.to_be_bytes()))).collect();
        let long = json!({"OperationalData": {"/aws/dedup": {"Value": long, "Type": "SearchableString"}}});
        make(&world, "long", long.clone()).await;
        world.refused("CreateOpsItem", item("long", long), "OpsItemAlreadyExistsException").await;
        // It cannot be opened beside the one that took its place.
        let open = json!({"OpsItemId": id, "Status": "Open"});
        world.refused("UpdateOpsItem", open, "OpsItemAlreadyExistsException").await;
    })
    .await;
}

#[tokio::test]
async fn items_are_found_by_what_they_say_newest_first() {
    on_both(|db| async {
        let world = World::new(db).await;
        let begun = muster_domain::Timestamp(world.clock.now().0 + 1_000);
        let disk = json!({"Priority": 1, "Severity": "1", "PlannedEndTime": 1_795_000_000.0,
            "OperationalData": {"disk": {"Value": "full", "Type": "SearchableString"},
                "secret": {"Value": "not told", "Type": "String"},
                "/aws/resources": {"Value": "[{\"arn\":\"arn:aws:ec2:eu-west-1:1:instance/i-7\"}]", "Type": "SearchableString"}}});
        make(&world, "Disk is full", disk).await;
        world.clock.advance(10_000);
        let cpu = make(&world, "CPU 100%", json!({"Category": "Performance", "Priority": 3})).await;
        for (key, operator, value, titles) in [
            ("Status", "Equal", "Open", vec!["CPU 100%", "Disk is full"]),
            ("Status", "Equal", "Resolved", vec![]),
            ("Title", "Contains", "disk", vec!["Disk is full"]),
            ("Title", "Contains", "100%", vec!["CPU 100%"]),
            ("Title", "Contains", "%0", vec![]),
            ("Title", "Equal", "Disk is full", vec!["Disk is full"]),
            ("Priority", "Equal", "3", vec!["CPU 100%"]),
            ("Category", "Equal", "Performance", vec!["CPU 100%"]),
            ("Severity", "Equal", "1", vec!["Disk is full"]),
            ("Source", "Equal", "Monitor", vec!["CPU 100%", "Disk is full"]),
            ("OpsItemId", "Equal", &cpu, vec!["CPU 100%"]),
            ("OperationalDataKey", "Equal", "disk", vec!["Disk is full"]),
            ("OperationalDataValue", "Contains", "FUL", vec!["Disk is full"]),
            ("OperationalData", "Equal", r#"{"key":"disk","value":"full"}"#, vec!["Disk is full"]),
            ("OperationalData", "Equal", r#"{"key":"disk","value":"empty"}"#, vec![]),
            ("ResourceId", "Contains", "i-7", vec!["Disk is full"]),
            ("PlannedEndTime", "LessThan", "2099-01-01T00:00:00Z", vec!["Disk is full"]),
            ("PlannedEndTime", "GreaterThan", "2099-01-01T00:00:00Z", vec![]),
            ("CreatedTime", "GreaterThan", &begun.to_string(), vec!["CPU 100%"]),
            ("AccountId", "Equal", "000000000001", vec![]),
        ] {
            assert_eq!(found(&world, key, operator, value).await, titles, "{key} {operator} {value}");
        }
        let whole = world.ok("DescribeOpsItems", json!({"MaxResults": 1})).await;
        assert_eq!(whole["OpsItemSummaries"][0]["OpsItemId"], cpu);
        let next = json!({"MaxResults": 1, "NextToken": whole["NextToken"]});
        let next = world.ok("DescribeOpsItems", next).await;
        let last = &next["OpsItemSummaries"][0];
        assert_eq!(last["Title"], "Disk is full");
        assert!(last["OperationalData"].get("secret").is_none(), "lists tell what may be searched");
        assert!(next.get("NextToken").is_none());
        for (key, operator, value) in [
            ("Status", "Contains", "Op"),
            ("CreatedTime", "Contains", "2026-01-01T00:00:00Z"),
            ("CreatedTime", "Equal", "yesterday"),
            ("Priority", "Equal", "high"),
        ] {
            let filter = json!({"OpsItemFilters": [{"Key": key, "Operator": operator, "Values": [value]}]});
            let told = world.refused("DescribeOpsItems", filter, "ValidationException").await;
            assert!(told.contains(key), "{told}");
        }
    })
    .await;
}

#[tokio::test]
async fn items_and_nodes_are_summed_up() {
    on_both(|db| async {
        let world = World::new(db).await;
        for (title, severity) in [("a", "1"), ("b", "1"), ("c", "2")] {
            make(&world, title, json!({"Severity": severity})).await;
        }
        let done = make(&world, "d", json!({"Severity": "2"})).await;
        world.ok("UpdateOpsItem", json!({"OpsItemId": done, "Status": "Resolved"})).await;
        let by = |attribute: &str, more: Value| {
            let mut one = json!({"AggregatorType": "count", "TypeName": "AWS:OpsItem", "AttributeName": attribute});
            for (name, value) in more.as_object().unwrap() {
                one[name] = value.clone();
            }
            one
        };
        let count = async |aggregator: Value| {
            let found = world.ok("GetOpsSummary", json!({"Aggregators": [aggregator]})).await;
            found["Entities"][0]["Data"]["AWS:OpsItem"]["Content"].clone()
        };
        assert_eq!(
            count(by("Status", json!({}))).await,
            json!([{"Status": "Open", "Count": "3"}, {"Status": "Resolved", "Count": "1"}])
        );
        let open = json!([{"Key": "AWS:OpsItem.Status", "Values": ["Open"]}]);
        let nested = by("Status", json!({"Filters": open, "Aggregators": [by("Severity", json!({}))]}));
        assert_eq!(
            count(nested).await,
            json!([{"Status": "Open", "Severity": "1", "Count": "2"}, {"Status": "Open", "Severity": "2", "Count": "1"}])
        );
        let mut titles = Vec::new();
        let mut input = json!({"Filters": open, "ResultAttributes": [{"TypeName": "AWS:OpsItem"}], "MaxResults": 2});
        loop {
            let page = world.ok("GetOpsSummary", input.clone()).await;
            for entity in page["Entities"].as_array().unwrap() {
                titles.push(entity["Data"]["AWS:OpsItem"]["Content"][0]["Title"].as_str().unwrap().to_owned());
            }
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
        titles.sort();
        assert_eq!(titles, ["a", "b", "c"]);
        let node = world.node("one").await;
        let nodes = json!({"ResultAttributes": [{"TypeName": "AWS:InstanceInformation"}]});
        let nodes = world.ok("GetOpsSummary", nodes).await;
        assert_eq!(nodes["Entities"][0]["Id"], node.id);
        for (input, code) in [
            (json!({"SyncName": "none"}), "ResourceDataSyncNotFoundException"),
            (json!({"Aggregators": [{"AggregatorType": "sum", "AttributeName": "x"}]}), "InvalidAggregatorException"),
            (json!({"Aggregators": [{"AggregatorType": "count"}]}), "InvalidAggregatorException"),
            (json!({"Aggregators": [by("Status", json!({}))], "NextToken": "x"}), "InvalidNextToken"),
            (
                json!({"Filters": [{"Key": "AWS:Application.Name", "Values": ["x"]}],
                    "ResultAttributes": [{"TypeName": "AWS:OpsItem"}]}),
                "InvalidFilter",
            ),
        ] {
            world.refused("GetOpsSummary", input, code).await;
        }
    })
    .await;
}

#[tokio::test]
async fn items_are_about_things_and_take_all_with_them() {
    on_both(|db| async {
        let world = World::new(db).await;
        let id = make(&world, "one", json!({"Tags": [{"Key": "k", "Value": "v"}]})).await;
        let about = |uri: &str| {
            json!({"OpsItemId": id, "AssociationType": "RelatesTo",
                "ResourceType": "AWS::SSMIncidents::IncidentRecord", "ResourceUri": uri})
        };
        let mut ids = Vec::new();
        for uri in ["arn:a", "arn:b", "arn:c"] {
            let made = world.ok("AssociateOpsItemRelatedItem", about(uri)).await;
            ids.push(made["AssociationId"].clone());
        }
        let same = about("arn:a");
        let code = "OpsItemRelatedItemAlreadyExistsException";
        world.refused("AssociateOpsItemRelatedItem", same, code).await;
        let mut odd = about("arn:d");
        odd["AssociationType"] = json!("Near");
        let code = "OpsItemInvalidParameterException";
        world.refused("AssociateOpsItemRelatedItem", odd, code).await;
        let mut seen = Vec::new();
        let mut list = json!({"OpsItemId": id, "MaxResults": 2});
        loop {
            let page = world.ok("ListOpsItemRelatedItems", list.clone()).await;
            seen.extend(page["Summaries"].as_array().unwrap().clone());
            let Some(token) = page.get("NextToken") else { break };
            list["NextToken"] = token.clone();
        }
        assert_eq!(seen.len(), 3);
        let one = json!({"Filters": [{"Key": "ResourceUri", "Values": ["arn:b"], "Operator": "Equal"}]});
        let one = world.ok("ListOpsItemRelatedItems", one).await;
        assert_eq!(one["Summaries"][0]["AssociationId"], ids[1]);
        let gone = json!({"OpsItemId": id, "AssociationId": ids[1]});
        world.ok("DisassociateOpsItemRelatedItem", gone.clone()).await;
        let code = "OpsItemRelatedItemAssociationNotFoundException";
        world.refused("DisassociateOpsItemRelatedItem", gone, code).await;
        world.ok("DeleteOpsItem", json!({"OpsItemId": id})).await;
        world.ok("DeleteOpsItem", json!({"OpsItemId": id})).await;
        for (operation, input) in [
            ("GetOpsItem", json!({"OpsItemId": id})),
            ("UpdateOpsItem", json!({"OpsItemId": id, "Status": "Open"})),
            ("AssociateOpsItemRelatedItem", about("arn:e")),
        ] {
            world.refused(operation, input, "OpsItemNotFoundException").await;
        }
        let left = world.ok("ListOpsItemRelatedItems", json!({})).await;
        assert_eq!(left["Summaries"], json!([]));
        let left = world.ok("ListOpsItemEvents", json!({})).await;
        assert_eq!(left["Summaries"], json!([]));
        let tags = json!({"ResourceType": "OpsItem", "ResourceId": id});
        world
            .refused("ListTagsForResource", tags, "InvalidResourceId")
            .await;
    })
    .await;
}

#[tokio::test]
async fn changes_at_the_same_moment_are_all_kept() {
    on_both(|db| async {
        let world = World::new(db).await;
        let id = make(&world, "one", json!({})).await;
        let change = |n: usize| {
            let data = json!({format!("k{n}"): {"Value": "v", "Type": "String"}});
            world.ok("UpdateOpsItem", json!({"OpsItemId": id, "OperationalData": data}))
        };
        futures::future::join_all((0..6).map(change)).await;
        let got = world.ok("GetOpsItem", json!({"OpsItemId": id})).await["OpsItem"].clone();
        assert_eq!(got["OperationalData"].as_object().unwrap().len(), 6);
        assert_eq!(got["Version"], "7");
    })
    .await;
}

#[tokio::test]
async fn what_the_service_would_not_take_is_refused_by_name() {
    on_both(|db| async {
        let world = World::new(db).await;
        for (more, says) in [
            (json!({"AccountId": "999999999999"}), "AccountId"),
            (json!({"PlannedEndTime": -1.0}), "PlannedEndTime"),
            (json!({"OperationalData": {"aws-x": {"Value": "v"}}}), "aws-x"),
            (
                json!({"OperationalData": {"k": {"Value": "x".repeat(20 * 1024 + 1)}}}),
                "20 KB",
            ),
        ] {
            let code = "OpsItemInvalidParameterException";
            let told = world.refused("CreateOpsItem", item("t", more), code).await;
            assert!(told.contains(says), "{told}");
        }
    })
    .await;
}

//! Compliance as anybody reports it: items, counts, summaries, and what is forgotten.

use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

fn item(id: &str, status: &str, severity: &str) -> Value {
    json!({"Id": id, "Title": format!("about {id}"), "Severity": severity, "Status": status,
        "Details": {"where": "rack 7"}})
}

fn report(node: &str, items: Value, more: Value) -> Value {
    let mut input = json!({"ResourceId": node, "ResourceType": "ManagedInstance", "ComplianceType": "Custom:Rack",
        "ExecutionSummary": {"ExecutionTime": 1_795_000_000.0, "ExecutionId": "run-1"}, "Items": items});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn items_are_replaced_added_and_counted() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let put = |items: Value, more: Value| report(&node.id, items, more);
        let two = json!([
            item("a", "COMPLIANT", "LOW"),
            item("b", "NON_COMPLIANT", "CRITICAL")
        ]);
        world
            .ok("PutComplianceItems", put(two, json!({"ItemContentHash": "h"})))
            .await;
        let list = json!({"ResourceIds": [node.id], "MaxResults": 1});
        let first = world.ok("ListComplianceItems", list.clone()).await;
        assert_eq!(first["ComplianceItems"][0]["Id"], "a");
        assert_eq!(first["ComplianceItems"][0]["Details"]["where"], "rack 7");
        let mut next = list.clone();
        next["NextToken"] = first["NextToken"].clone();
        let second = world.ok("ListComplianceItems", next).await;
        assert_eq!(
            (&second["ComplianceItems"][0]["Id"], second.get("NextToken")),
            (&json!("b"), None)
        );
        let bad = json!({"Filters": [{"Key": "Severity", "Values": ["CRITICAL"], "Type": "EQUAL"}]});
        let bad = world.ok("ListComplianceItems", bad).await;
        assert_eq!(bad["ComplianceItems"].as_array().unwrap().len(), 1);
        let more = put(
            json!([item("c", "NON_COMPLIANT", "HIGH")]),
            json!({"UploadType": "PARTIAL"}),
        );
        world.ok("PutComplianceItems", more).await;
        let whole =
            world.ok("ListResourceComplianceSummaries", json!({})).await["ResourceComplianceSummaryItems"][0]
                .clone();
        assert_eq!(
            (&whole["Status"], &whole["OverallSeverity"]),
            (&json!("NON_COMPLIANT"), &json!("CRITICAL"))
        );
        assert_eq!(whole["NonCompliantSummary"]["NonCompliantCount"], 2);
        assert_eq!(whole["NonCompliantSummary"]["SeveritySummary"]["HighCount"], 1);
        assert_eq!(whole["CompliantSummary"]["CompliantCount"], 1);
        let all = put(
            json!([item("a", "COMPLIANT", "LOW")]),
            json!({"ItemContentHash": "h2"}),
        );
        world.ok("PutComplianceItems", all).await;
        // Nothing has changed since: nothing is sent.
        let same = put(json!([]), json!({"ItemContentHash": "h2"}));
        world.ok("PutComplianceItems", same).await;
        let summary =
            world.ok("ListComplianceSummaries", json!({})).await["ComplianceSummaryItems"][0].clone();
        assert_eq!(summary["ComplianceType"], "Custom:Rack");
        assert_eq!(
            (
                &summary["CompliantSummary"]["CompliantCount"],
                &summary["NonCompliantSummary"]["NonCompliantCount"]
            ),
            (&json!(1), &json!(0))
        );
        world
            .ok("DeregisterManagedInstance", json!({"InstanceId": node.id}))
            .await;
        let left = world.ok("ListResourceComplianceSummaries", json!({})).await;
        assert_eq!(left["ResourceComplianceSummaryItems"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn nodes_speak_of_themselves_and_patches_of_their_own_report() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let items = json!([item("a", "COMPLIANT", "LOW")]);
        let (status, answer) = world
            .call_as(
                &one.credentials,
                "PutComplianceItems",
                report(&one.id, items.clone(), json!({})),
            )
            .await;
        assert_eq!(status, 200, "{answer}");
        let other = report(&two.id, items.clone(), json!({}));
        let (_, answer) = world
            .call_as(&one.credentials, "PutComplianceItems", other)
            .await;
        assert_eq!(answer["__type"], "AccessDeniedException");
        for (more, code) in [
            (json!({"ComplianceType": "Patch"}), "ValidationException"),
            (json!({"ResourceType": "Bucket"}), "InvalidResourceType"),
            (json!({"ResourceId": "mi-00000000000000000"}), "InvalidResourceId"),
            (
                json!({"Items": [item("a", "COMPLIANT", "LOW"), item("a", "COMPLIANT", "LOW")]}),
                "InvalidItemContentException",
            ),
        ] {
            world
                .refused("PutComplianceItems", report(&one.id, items.clone(), more), code)
                .await;
        }
        let line = |id: &str, state: &str| {
            json!({"Title": id, "KBId": id, "State": state, "ComplianceLevel": "CRITICAL", "Severity": "High",
                "Classification": "Security", "InstalledTime": "", "CVEIds": "CVE-2026-1"})
        };
        let patches = json!({"InstanceId": two.id, "Items": [{"TypeName": "AWS:PatchCompliance", "SchemaVersion": "1.0",
            "CaptureTime": "2026-11-26T12:00:00Z", "Content": [line("a", "MISSING"), line("b", "INSTALLED")]}]});
        let (status, answer) = world
            .call_as(&two.credentials, "PutInventory", patches)
            .await;
        assert_eq!(status, 200, "{answer}");
        let filter = json!({"Filters": [{"Key": "ComplianceType", "Values": ["Patch"], "Type": "EQUAL"}]});
        let found = world.ok("ListComplianceItems", filter.clone()).await["ComplianceItems"].clone();
        assert_eq!(found.as_array().unwrap().len(), 2);
        assert_eq!(
            (&found[0]["Status"], &found[0]["Severity"], &found[0]["Details"]["PatchState"]),
            (&json!("NON_COMPLIANT"), &json!("CRITICAL"), &json!("MISSING"))
        );
        let summary = world.ok("ListResourceComplianceSummaries", filter).await;
        let summary = &summary["ResourceComplianceSummaryItems"][0];
        assert_eq!(
            (&summary["ResourceId"], &summary["Status"]),
            (&json!(two.id), &json!("NON_COMPLIANT"))
        );
        let message = world
            .refused(
                "ListComplianceSummaries",
                json!({"Filters": [{"Key": "Color", "Values": ["x"]}]}),
                "InvalidFilter",
            )
            .await;
        assert!(message.contains("ComplianceType"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn resources_that_have_nothing_to_say_do_not_end_the_list() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let mut nodes = Vec::new();
        for at in 0..5 {
            nodes.push(world.node(&format!("n{at}")).await.id);
        }
        nodes.sort();
        for node in &nodes[..4] {
            world
                .ok("PutComplianceItems", report(node, json!([]), json!({})))
                .await;
        }
        let last = json!([item("a", "COMPLIANT", "LOW")]);
        world
            .ok("PutComplianceItems", report(&nodes[4], last, json!({})))
            .await;
        let (mut found, mut token, mut pages) = (0, Value::Null, 0);
        loop {
            let page = world
                .ok(
                    "ListComplianceItems",
                    json!({"MaxResults": 1, "NextToken": token}),
                )
                .await;
            found += page["ComplianceItems"].as_array().unwrap().len();
            pages += 1;
            token = page["NextToken"].clone();
            if token.is_null() || pages > 10 {
                break;
            }
        }
        assert_eq!(found, 1);
        assert!(pages <= 10, "it ends");
    })
    .await;
}

//! What somebody does at the embedded endpoint, so that every statement behind it is seen by `plans.rs`.

use muster_tests::Client;
use muster_tests::api::Api;
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;

/// Windows, patches, associations, inventory and compliance, as somebody would use them on that node.
pub(crate) async fn walk_operations(api: &Api, node: &str) {
    let on = json!([{"Key": "InstanceIds", "Values": [node]}]);
    let window = json!({"Name": "plans", "Schedule": "rate(1 day)", "Duration": 2, "Cutoff": 1,
        "AllowUnassociatedTargets": true});
    let window = api.call("CreateMaintenanceWindow", window).await.unwrap()["WindowId"].clone();
    let association =
        json!({"Name": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "Targets": on});
    let association =
        api.call("CreateAssociation", association).await.unwrap()["AssociationDescription"]["AssociationId"]
            .clone();
    let baseline = json!({"Name": "plans", "OperatingSystem": "DEBIAN"});
    let baseline = api.call("CreatePatchBaseline", baseline).await.unwrap()["BaselineId"].clone();
    let item = json!({"Title": "plans", "Source": "here", "Description": "d",
        "OperationalData": {"/aws/dedup": {"Value": "plans", "Type": "SearchableString"}}});
    let ops_item = api.call("CreateOpsItem", item).await.unwrap()["OpsItemId"].clone();
    let report = |name: &str, entry: serde_json::Value| {
        json!({"InstanceId": node, "Items": [{"TypeName": name, "SchemaVersion": "1.0",
            "CaptureTime": "2026-11-26T12:00:00Z", "Content": [entry]}]})
    };
    let item = json!({"Id": "i", "Severity": "LOW", "Status": "COMPLIANT"});
    for (operation, input) in [
        (
            "RegisterTargetWithMaintenanceWindow",
            json!({"WindowId": window, "ResourceType": "INSTANCE", "Targets": on}),
        ),
        (
            "RegisterTaskWithMaintenanceWindow",
            json!({"WindowId": window, "TaskArn": "AWS-RunShellScript", "TaskType": "RUN_COMMAND", "Targets": on,
                "TaskParameters": {"commands": {"Values": ["true"]}}}),
        ),
        ("DescribeMaintenanceWindows", json!({})),
        ("DescribeMaintenanceWindowTargets", json!({"WindowId": window})),
        ("DescribeMaintenanceWindowTasks", json!({"WindowId": window})),
        ("DescribeMaintenanceWindowExecutions", json!({"WindowId": window})),
        (
            "DescribeMaintenanceWindowsForTarget",
            json!({"Targets": on, "ResourceType": "INSTANCE"}),
        ),
        (
            "UpdateMaintenanceWindow",
            json!({"WindowId": window, "Enabled": false}),
        ),
        ("DeleteMaintenanceWindow", json!({"WindowId": window})),
        (
            "RegisterPatchBaselineForPatchGroup",
            json!({"BaselineId": baseline, "PatchGroup": "web"}),
        ),
        ("DescribePatchBaselines", json!({})),
        ("DescribePatchGroups", json!({})),
        ("DescribePatchGroupState", json!({"PatchGroup": "web"})),
        (
            "PutInventory",
            report("Custom:AvailablePatch", json!({"Name": "a", "Version": "1"})),
        ),
        (
            "PutInventory",
            report("AWS:PatchCompliance", json!({"Title": "a"})),
        ),
        ("DescribeAvailablePatches", json!({})),
        (
            "DescribeEffectivePatchesForPatchBaseline",
            json!({"BaselineId": baseline}),
        ),
        ("DescribeInstancePatchStates", json!({"InstanceIds": [node]})),
        (
            "DescribeInstancePatchStatesForPatchGroup",
            json!({"PatchGroup": "web"}),
        ),
        ("DescribeInstancePatches", json!({"InstanceId": node})),
        (
            "DeregisterPatchBaselineForPatchGroup",
            json!({"BaselineId": baseline, "PatchGroup": "web"}),
        ),
        ("DeletePatchBaseline", json!({"BaselineId": baseline})),
        ("GetInventory", json!({})),
        ("GetInventorySchema", json!({"TypeName": "Custom:"})),
        (
            "ListInventoryEntries",
            json!({"InstanceId": node, "TypeName": "AWS:Application"}),
        ),
        ("DeleteInventory", json!({"TypeName": "Custom:AvailablePatch"})),
        ("DescribeInventoryDeletions", json!({})),
        (
            "PutComplianceItems",
            json!({"ResourceId": node, "ResourceType": "ManagedInstance", "ComplianceType": "Custom:Rack",
                "ExecutionSummary": {"ExecutionTime": 1.0}, "Items": [item]}),
        ),
        ("ListComplianceItems", json!({})),
        ("ListComplianceSummaries", json!({})),
        ("ListResourceComplianceSummaries", json!({})),
        ("ListAssociations", json!({})),
        (
            "ListAssociations",
            json!({"AssociationFilterList": [{"key": "InstanceId", "value": node}]}),
        ),
        ("ListAssociationVersions", json!({"AssociationId": association})),
        (
            "DescribeAssociationExecutions",
            json!({"AssociationId": association}),
        ),
        ("DescribeInstanceAssociationsStatus", json!({"InstanceId": node})),
        ("DeleteAssociation", json!({"AssociationId": association})),
        (
            "AssociateOpsItemRelatedItem",
            json!({"OpsItemId": ops_item, "AssociationType": "RelatesTo", "ResourceType": "t", "ResourceUri": "u"}),
        ),
        ("ListOpsItemRelatedItems", json!({"OpsItemId": ops_item})),
        (
            "ListOpsItemRelatedItems",
            json!({"Filters": [{"Key": "ResourceUri", "Values": ["u"], "Operator": "Equal"}]}),
        ),
        (
            "CreateDocument",
            json!({"Name": "plans-runbook", "DocumentType": "Automation", "Content":
                json!({"schemaVersion": "0.3", "parameters": {"Who": {"type": "String", "default": "nobody"}},
                    "mainSteps": [{"name": "L", "action": "aws:loop", "inputs": {"Iterators": ["a"], "Steps": [
                        {"name": "S", "action": "aws:pause"}]}}]}).to_string()}),
        ),
        (
            "StartAutomationExecution",
            json!({"DocumentName": "plans-runbook", "Tags": [{"Key": "a", "Value": "b"}]}),
        ),
        (
            "StartAutomationExecution",
            json!({"DocumentName": "plans-runbook", "TargetParameterName": "Who", "MaxConcurrency": "1",
                "Targets": [{"Key": "ParameterValues", "Values": ["a", "b"]}]}),
        ),
        ("DescribeAutomationExecutions", json!({})),
        (
            "DescribeAutomationExecutions",
            json!({"Filters": [{"Key": "ParentExecutionId", "Values": ["x"]}]}),
        ),
        (
            "DescribeAutomationExecutions",
            json!({"Filters": [{"Key": "TagKey", "Values": ["a"]},
                {"Key": "TargetResourceGroup", "Values": ["g"]}]}),
        ),
        ("StartExecutionPreview", json!({"DocumentName": "plans-runbook"})),
        ("GetOpsSummary", json!({})),
        (
            "GetOpsSummary",
            json!({"Aggregators": [{"AttributeName": "Status"}]}),
        ),
        ("ListOpsItemEvents", json!({})),
        (
            "ListOpsItemEvents",
            json!({"Filters": [{"Key": "OpsItemId", "Values": [ops_item], "Operator": "Equal"}]}),
        ),
        ("DescribeOpsItems", json!({})),
        (
            "DescribeOpsItems",
            json!({"OpsItemFilters": [{"Key": "Status", "Values": ["Open"], "Operator": "Equal"}]}),
        ),
        (
            "UpdateOpsItem",
            json!({"OpsItemId": ops_item, "Status": "Resolved"}),
        ),
        ("DeleteOpsItem", json!({"OpsItemId": ops_item})),
    ] {
        api.call(operation, input).await.unwrap();
    }
}

/// A runbook of two versions, started in the portal and outside, seen from all sides.
pub(crate) async fn walk_runbooks(client: &Client, api: &Api, node: &str) {
    let content = |seconds: u8| {
        let wait =
            json!({"name": "W", "action": "aws:sleep", "inputs": {"Duration": format!("PT{seconds}S")}});
        let content = json!({"schemaVersion": "0.3", "parameters": {"InstanceIds": {"type": "StringList"}}, "mainSteps": [wait]});
        content.to_string()
    };
    let name = "plans-of-the-portal";
    for (operation, input) in [
        (
            "CreateDocument",
            json!({"Name": name, "DocumentType": "Automation", "Content": content(1)}),
        ),
        (
            "UpdateDocument",
            json!({"Name": name, "DocumentVersion": "$LATEST", "Content": content(2)}),
        ),
        (
            "StartAutomationExecution",
            json!({"DocumentName": name, "Parameters": {"InstanceIds": [node]}}),
        ),
    ] {
        api.call(operation, input).await.unwrap();
    }
    let fields = [("document", name), ("nodes", node), ("reason", "plans")];
    let (status, answer) = client.call("runbooks/start", &fields).await.unwrap();
    assert!((200..400).contains(&status), "{status} {answer}");
    let id = answer.as_str().unwrap().to_owned();
    for path in [
        format!("/runbooks/{name}"),
        format!("/runbooks/{name}?tab=versions&old=1&new=2"),
        format!("/runbooks/{name}/start?nodes={node}&from={id}"),
    ] {
        let (status, _, body) = client.get(&path).await.unwrap();
        assert_eq!(status, 200, "{path}: {body:.200}");
    }
    client
        .until("both executions end", Duration::from_secs(60), async |client| {
            let (_, page) = client
                .call("runbooks/executions", &[("status", "Success")])
                .await?;
            let ended = page["items"].as_array().map_or(0, Vec::len);
            Ok((ended == 2).then_some(()))
        })
        .await
        .unwrap();
    for tab in ["steps", "graph", "definition", "audit"] {
        let (status, _, _) = client.get(&format!("/executions/{id}?tab={tab}")).await.unwrap();
        assert_eq!(status, 200, "{tab}");
    }
    let (status, _) = client
        .call("runbooks/stop", &[("execution_id", &id), ("kind", "cancel")])
        .await
        .unwrap();
    assert_eq!(status, 409, "it has ended");
}

/// A webhook that takes everything; gives its address, and what it is sent.
async fn webhook() -> (String, mpsc::Receiver<serde_json::Value>) {
    let (tell, told) = mpsc::channel(100);
    let take = async move |body: String| {
        let _ = tell.send(serde_json::from_str(&body).unwrap_or_default()).await;
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http%3A%2F%2F{}%2F", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, told)
}

/// Topics, notifications of commands, and data syncs.
pub(crate) async fn walk_topics(api: &Api, node: &str) {
    let walk = walk_topics_to_their_end(api, node);
    tokio::time::timeout(Duration::from_secs(120), walk)
        .await
        .unwrap();
}

async fn walk_topics_to_their_end(api: &Api, node: &str) {
    let arn = "arn:aws:sns:eu-west-1:123456789012:plans";
    let (hook, mut told) = webhook().await;
    let subscribe =
        |endpoint: &str| format!("Action=Subscribe&TopicArn={arn}&Protocol=http&Endpoint={endpoint}");
    api.query("sns", "Action=CreateTopic&Name=plans").await.unwrap();
    api.query("sns", &subscribe(&hook)).await.unwrap();
    let question = told.recv().await.unwrap();
    let token = question["Token"].as_str().unwrap();
    for body in [
        format!("Action=ConfirmSubscription&TopicArn={arn}&Token={token}"),
        // Nobody listens there, so there is something to try again.
        subscribe("http%3A%2F%2F127.0.0.1%3A9%2F"),
        format!("Action=Publish&TopicArn={arn}&Message=m"),
        format!("Action=GetTopicAttributes&TopicArn={arn}"),
        format!("Action=ListSubscriptionsByTopic&TopicArn={arn}"),
        "Action=ListSubscriptions".to_owned(),
        "Action=ListTopics".to_owned(),
    ] {
        api.query("sns", &body).await.unwrap();
    }
    assert_eq!(told.recv().await.unwrap()["Message"], "m");
    let command = json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": [node], "Parameters": {"commands": ["true"]},
        "NotificationConfig": {"NotificationArn": arn, "NotificationEvents": ["All"]}});
    api.call("SendCommand", command).await.unwrap();
    let refresh = json!({"DocumentName": "AWS-RefreshAssociation", "InstanceIds": [node]});
    api.call("SendCommand", refresh).await.unwrap();
    // In progress, and ended.
    told.recv().await.unwrap();
    told.recv().await.unwrap();
    let bucket = json!({"BucketName": "plans", "SyncFormat": "JsonSerDe", "Region": "eu-west-1"});
    let sync = json!({"SyncName": "plans", "S3Destination": bucket});
    api.call("CreateResourceDataSync", sync).await.unwrap();
    loop {
        let listed = api.call("ListResourceDataSync", json!({})).await.unwrap();
        if listed["ResourceDataSyncItems"][0]["LastStatus"] == "Successful" {
            break;
        }
        assert_ne!(
            listed["ResourceDataSyncItems"][0]["LastStatus"], "Failed",
            "{listed}"
        );
        // Each call takes its time, and a sync begins within a second.
        api.query("ec2", "Action=DescribeSnapshots").await.unwrap();
    }
    api.call("DeleteResourceDataSync", json!({"SyncName": "plans"}))
        .await
        .unwrap();
    let tagged = "Action=DescribeSnapshots&Filter.1.Name=tag%3Aa&Filter.1.Value.1=b&Filter.2.Name=status&Filter.2.Value.1=error";
    api.query("ec2", tagged).await.unwrap();
    api.query("sns", &format!("Action=DeleteTopic&TopicArn={arn}"))
        .await
        .unwrap();
}

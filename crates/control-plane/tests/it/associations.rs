//! Associations: when they run and where, what they tell, over restarts and changes.
//! Long because each case tells a whole story.

use crate::agent::{Agent, serve};
use crate::windows::{MORNING, set_clock};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;

/// An association that runs `echo` on nodes with the tag Role=web; gives its id.
async fn create(world: &World, more: Value) -> String {
    let mut input = json!({"Name": "AWS-RunShellScript", "Parameters": {"commands": ["echo state"]},
        "Targets": [{"Key": "tag:Role", "Values": ["web"]}]});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let made = world.ok("CreateAssociation", input).await;
    made["AssociationDescription"]["AssociationId"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn tag(world: &World, node: &str) {
    let input = json!({"ResourceType": "ManagedInstance", "ResourceId": node,
        "Tags": [{"Key": "Role", "Value": "web"}]});
    world.ok("AddTagsToResource", input).await;
}

async fn executions(world: &World, id: &str) -> Vec<Value> {
    let all = world
        .ok("DescribeAssociationExecutions", json!({"AssociationId": id}))
        .await;
    all["AssociationExecutions"].as_array().unwrap().clone()
}

async fn described(world: &World, id: &str) -> Value {
    world
        .ok("DescribeAssociation", json!({"AssociationId": id}))
        .await["AssociationDescription"]
        .clone()
}

#[tokio::test]
async fn it_runs_when_made_on_new_nodes_on_schedule_and_when_changed() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let address = serve(&world).await;
        let one = world.node("one").await;
        tag(&world, &one.id).await;
        let mut first = Agent::connect(&world, &one, address, &[]).await;
        let id = create(
            &world,
            json!({"ScheduleExpression": "rate(1 hour)", "ComplianceSeverity": "HIGH", "AssociationName": "state"}),
        )
        .await;
        assert_eq!(described(&world, &id).await["Overview"]["Status"], "Pending");
        world.plane.tick().await;
        world.plane.tick().await;
        let (message, job, content) = first.job().await;
        assert_eq!(content.parameters["commands"], json!(["echo state"]));
        first.ack(&message, &job.job_id, "200").await;
        first.end(&content.command_id, "Success", 0, "", "").await;
        world.plane.tick().await;
        let ran = executions(&world, &id).await;
        assert_eq!(
            (ran.len(), &ran[0]["Status"], &ran[0]["ResourceCountByStatus"]),
            (1, &json!("Success"), &json!("{Success=1}"))
        );
        let told = described(&world, &id).await;
        assert_eq!(told["Overview"]["Status"], "Success");
        assert!(told["LastSuccessfulExecutionDate"].is_number());
        // Another node is given the tag: only there it runs.
        let two = world.node("two").await;
        let mut second = Agent::connect(&world, &two, address, &[]).await;
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 1);
        world.clock.advance(1_000);
        tag(&world, &two.id).await;
        world.plane.tick().await;
        world.plane.tick().await;
        let (message, job, content) = second.job().await;
        second.ack(&message, &job.job_id, "200").await;
        second.end(&content.command_id, "Failed", 1, "", "").await;
        world.plane.tick().await;
        let ran = executions(&world, &id).await;
        assert_eq!((ran.len(), &ran[0]["Status"]), (2, &json!("Failed")));
        let targets = world
            .ok(
                "DescribeAssociationExecutionTargets",
                json!({"AssociationId": id, "ExecutionId": ran[0]["ExecutionId"]}),
            )
            .await["AssociationExecutionTargets"]
            .clone();
        assert_eq!(
            (&targets[0]["ResourceId"], &targets[0]["OutputSource"]["OutputSourceId"]),
            (&json!(two.id), &json!(content.command_id))
        );
        assert_eq!(targets.as_array().unwrap().len(), 1);
        let told = described(&world, &id).await;
        assert_eq!(
            told["Overview"]["AssociationStatusAggregatedCount"],
            json!({"Success": 1, "Failed": 1})
        );
        // Lists of nodes say how each stands.
        let by = |status: &str| json!({"Filters": [{"Key": "AssociationStatus", "Values": [status]}]});
        for (status, node) in [("Success", Some(&one.id)), ("Failed", Some(&two.id)), ("Pending", None)] {
            let found = world.ok("DescribeInstanceInformation", by(status)).await["InstanceInformationList"].clone();
            assert_eq!(found[0]["InstanceId"].as_str(), node.map(String::as_str), "{status}");
            assert_eq!(found.as_array().unwrap().len(), usize::from(node.is_some()));
            if node.is_some() {
                assert_eq!(found[0]["AssociationStatus"], status);
                let counts = &found[0]["AssociationOverview"]["InstanceAssociationStatusAggregatedCount"];
                assert_eq!(*counts, json!({status: 1}));
                let good = found[0].get("LastSuccessfulAssociationExecutionDate").is_some();
                assert_eq!(good, status == "Success");
            }
        }
        let of_document = json!({"InstancePropertyFilterList": [
            {"key": "DocumentName", "valueSet": ["AWS-RunShellScript"]},
            {"key": "AssociationStatus", "valueSet": ["Failed"]}]});
        let found = world.ok("DescribeInstanceProperties", of_document).await["InstanceProperties"].clone();
        assert_eq!((found.as_array().unwrap().len(), &found[0]["InstanceId"]), (1, &json!(two.id)));
        // It counts as compliance.
        let items = world
            .ok("ListComplianceItems", json!({"ResourceIds": [two.id]}))
            .await["ComplianceItems"]
            .clone();
        assert_eq!(
            (&items[0]["ComplianceType"], &items[0]["Status"], &items[0]["Severity"]),
            (&json!("Association"), &json!("NON_COMPLIANT"), &json!("HIGH"))
        );
        assert_eq!((&items[0]["Id"], &items[0]["Title"]), (&json!(id), &json!("state")));
        // Three hours without the process are made up for once, on all nodes.
        world.clock.advance(200 * MINUTE);
        let world = world.restarted().await;
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 3);
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 3);
        world.clock.advance(MINUTE);
        // A change runs it at once and takes the place of the run that goes on.
        let changed = world
            .ok(
                "UpdateAssociation",
                json!({"AssociationId": id, "Parameters": {"commands": ["echo new"]}}),
            )
            .await["AssociationDescription"]
            .clone();
        assert_eq!(
            (&changed["AssociationVersion"], changed.get("ScheduleExpression")),
            (&json!("2"), None),
            "what is not given becomes empty"
        );
        world.plane.tick().await;
        world.plane.tick().await;
        let ran = executions(&world, &id).await;
        assert_eq!(ran.len(), 4);
        assert_eq!(ran[1]["Status"], "Failed", "it was superseded: {ran:?}");
        assert_eq!((&ran[0]["Status"], &ran[0]["AssociationVersion"]), (&json!("Pending"), &json!("2")));
        let versions = world
            .ok("ListAssociationVersions", json!({"AssociationId": id}))
            .await["AssociationVersions"]
            .clone();
        assert_eq!(versions.as_array().unwrap().len(), 2);
        let old = world
            .ok(
                "DescribeAssociation",
                json!({"AssociationId": id, "AssociationVersion": "1"}),
            )
            .await;
        assert_eq!(old["AssociationDescription"]["ScheduleExpression"], "rate(1 hour)");
        // Without a schedule time alone runs nothing, a request does.
        world.clock.advance(600 * MINUTE);
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 4);
        world.clock.advance(MINUTE);
        world
            .ok("StartAssociationsOnce", json!({"AssociationIds": [id]}))
            .await;
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 5);
        let status = world
            .ok("DescribeInstanceAssociationsStatus", json!({"InstanceId": one.id}))
            .await["InstanceAssociationStatusInfos"]
            .clone();
        assert_eq!((&status[0]["AssociationId"], &status[0]["Status"]), (&json!(id), &json!("Pending")));
        let effective = world
            .ok("DescribeEffectiveInstanceAssociations", json!({"InstanceId": one.id}))
            .await;
        assert!(
            effective["Associations"][0]["Content"]
                .as_str()
                .unwrap()
                .contains("runShellScript")
        );
        world.ok("DeleteAssociation", json!({"AssociationId": id})).await;
        world
            .refused(
                "DescribeAssociation",
                json!({"AssociationId": id}),
                "AssociationDoesNotExist",
            )
            .await;
        let items = world.ok("ListComplianceItems", json!({})).await;
        assert_eq!(items["ComplianceItems"], json!([]));
        let summaries = world.ok("ListComplianceSummaries", json!({})).await;
        assert_eq!(summaries["ComplianceSummaryItems"], json!([]));
        let open = world
            .ok("ListCommands", json!({"Filters": [{"key": "ExecutionStage", "value": "Executing"}]}))
            .await;
        assert_eq!(open["Commands"], json!([]), "what it still ran is cancelled");
    })
    .await;
}

#[tokio::test]
async fn one_that_waits_for_its_schedule_does_nothing_before() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let node = world.node("one").await;
        tag(&world, &node.id).await;
        let id = create(
            &world,
            json!({"ScheduleExpression": "cron(0 12 * * ? *)", "ApplyOnlyAtCronInterval": true}),
        )
        .await;
        world.plane.tick().await;
        assert!(executions(&world, &id).await.is_empty());
        world.clock.advance(119 * MINUTE);
        world.plane.tick().await;
        assert!(executions(&world, &id).await.is_empty());
        world.clock.advance(MINUTE);
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 1);
        // Nobody to run on is no failure.
        let none = create(
            &world,
            json!({"Targets": [{"Key": "tag:Role", "Values": ["nobody"]}]}),
        )
        .await;
        world.plane.tick().await;
        let ran = executions(&world, &none).await;
        assert_eq!(
            (&ran[0]["Status"], &ran[0]["DetailedStatus"]),
            (&json!("Skipped"), &json!("NoInstancesInTag"))
        );
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_lists_are_filtered() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let with = |more: Value| {
            let mut input = json!({"Name": "AWS-RunShellScript", "Parameters": {"commands": ["true"]},
                "Targets": [{"Key": "InstanceIds", "Values": [node.id]}]});
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        for (more, code, says) in [
            (json!({"ScheduleExpression": "rate(5 minutes)"}), "InvalidSchedule", "30 minutes"),
            (json!({"ScheduleExpression": "weekly"}), "InvalidSchedule", "ScheduleExpression"),
            (
                json!({"ScheduleExpression": "rate(1 day)", "ApplyOnlyAtCronInterval": true}),
                "InvalidSchedule",
                "ApplyOnlyAtCronInterval",
            ),
            (json!({"Name": "AWS-Nothing"}), "InvalidDocument", ""),
            (json!({"Parameters": {"nothing": ["x"]}}), "InvalidParameters", ""),
            (json!({"Targets": []}), "InvalidTarget", "Targets"),
            (json!({"Targets": [{"Key": "Color", "Values": ["x"]}]}), "InvalidTarget", "Color"),
            (json!({"CalendarNames": ["c"]}), "ValidationException", "calendars"),
            (json!({"TargetMaps": [{"a": ["b"]}]}), "InvalidTargetMaps", ""),
        ] {
            let message = world.refused("CreateAssociation", with(more), code).await;
            assert!(message.contains(says), "{message}");
        }
        let old = json!({"Name": "AWS-RunShellScript", "InstanceId": node.id, "Parameters": {"commands": ["true"]}});
        world.ok("CreateAssociation", old.clone()).await;
        world
            .refused("CreateAssociation", old.clone(), "AssociationAlreadyExists")
            .await;
        let by_name = json!({"Name": "AWS-RunShellScript", "InstanceId": node.id});
        let told = world.ok("DescribeAssociation", by_name.clone()).await;
        assert_eq!(told["AssociationDescription"]["InstanceId"], json!(node.id));
        let stranger = json!({"Name": "AWS-RunShellScript", "InstanceId": "mi-00000000000000000",
            "Parameters": {"commands": ["true"]}});
        world
            .refused("CreateAssociation", stranger, "InvalidInstanceId")
            .await;
        let batch = json!({"Entries": [with(json!({"AssociationName": "second"})), with(json!({"Name": "AWS-Nothing"}))]});
        let batch = world.ok("CreateAssociationBatch", batch).await;
        assert_eq!(batch["Successful"].as_array().unwrap().len(), 1);
        assert_eq!(batch["Failed"][0]["Fault"], "Client");
        let list = |key: &str, value: &str| json!({"AssociationFilterList": [{"key": key, "value": value}]});
        for (key, value, count) in [
            ("Name", "AWS-RunShellScript", 2),
            ("Name", "AWS-Other", 0),
            ("AssociationName", "second", 1),
            ("AssociationStatusName", "Pending", 2),
            ("ResourceGroupName", "x", 0),
        ] {
            let found = world.ok("ListAssociations", list(key, value)).await;
            assert_eq!(found["Associations"].as_array().unwrap().len(), count, "{key}");
        }
        world.ok("DeleteAssociation", by_name.clone()).await;
        world
            .refused("DeleteAssociation", by_name, "AssociationDoesNotExist")
            .await;
        world
            .refused("DescribeAssociation", json!({}), "ValidationException")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_away_does_not_keep_the_others_from_being_told() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let address = serve(&world).await;
        let (here, away) = (world.node("here").await, world.node("away").await);
        for node in [&here, &away] {
            tag(&world, &node.id).await;
        }
        let mut agent = Agent::connect(&world, &here, address, &[]).await;
        let id = create(&world, json!({"ScheduleExpression": "rate(30 minutes)"})).await;
        world.plane.tick().await;
        world.plane.tick().await;
        let (message, job, content) = agent.job().await;
        agent.ack(&message, &job.job_id, "200").await;
        agent.end(&content.command_id, "Success", 0, "", "").await;
        world.plane.tick().await;
        let told = described(&world, &id).await;
        assert_eq!(
            told["Overview"]["AssociationStatusAggregatedCount"],
            json!({"Success": 1, "Pending": 1})
        );
        let compliant = |node: &str| json!({"ResourceIds": [node]});
        let items = world.ok("ListComplianceItems", compliant(&here.id)).await;
        assert_eq!(items["ComplianceItems"][0]["Status"], "COMPLIANT");
        assert_eq!(
            executions(&world, &id).await[0]["Status"],
            "Pending",
            "one is still awaited"
        );
        // A node that is no target any more is not spoken of.
        world
            .ok(
                "RemoveTagsFromResource",
                json!({"ResourceType": "ManagedInstance", "ResourceId": here.id, "TagKeys": ["Role"]}),
            )
            .await;
        world.plane.tick().await;
        let items = world.ok("ListComplianceItems", compliant(&here.id)).await;
        assert_eq!(items["ComplianceItems"], json!([]));
        let told = described(&world, &id).await;
        assert_eq!(
            told["Overview"]["AssociationStatusAggregatedCount"],
            json!({"Pending": 1})
        );
        // A document that is gone is told as what it is.
        let made = json!({"Name": "Own-Doc", "DocumentType": "Command", "Content":
            json!({"schemaVersion": "2.2", "mainSteps": [{"action": "aws:runShellScript", "name": "x",
                "inputs": {"runCommand": ["true"]}}]}).to_string()});
        world.ok("CreateDocument", made).await;
        let own = create(&world, json!({"Name": "Own-Doc", "Parameters": {}})).await;
        world.ok("DeleteDocument", json!({"Name": "Own-Doc"})).await;
        world.plane.tick().await;
        let overview = described(&world, &own).await["Overview"].clone();
        assert_eq!(
            (&overview["Status"], &overview["DetailedStatus"]),
            (&json!("Failed"), &json!("InvalidDocument"))
        );
    })
    .await;
}

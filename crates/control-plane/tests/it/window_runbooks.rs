//! Windows that run runbooks: one execution for a target, or one over its nodes, whose end is the task's.

use crate::automation::{document, told};
use crate::window_runs::{executions, invocations, tasks};
use crate::windows::{MORNING, set_clock, window};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;

async fn task(world: &World, id: &str, document: &str, more: Value) -> Value {
    let mut input = json!({"WindowId": id, "TaskArn": document, "TaskType": "AUTOMATION", "Name": "a-task"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    world.ok("RegisterTaskWithMaintenanceWindow", input).await
}

fn with(parameters: Value) -> Value {
    json!({"Automation": {"Parameters": parameters}})
}

async fn ticks(world: &World, count: usize) {
    for _ in 0..count {
        world.plane.tick().await;
    }
}

async fn runbooks(world: &World) {
    let put = json!({"name": "Put", "action": "aws:executeAwsApi", "inputs": {"Service": "ssm", "Api": "PutParameter",
        "Name": "/of/{{ Who }}", "Value": "{{ Window }}", "Type": "String", "Overwrite": true}});
    let declared =
        json!({"parameters": {"Who": {"type": "String"}, "Window": {"type": "String", "default": "none"}}});
    document(world, "Puts", json!([put]), declared.clone()).await;
    let hold = json!([{"name": "Hold", "action": "aws:pause", "inputs": {}}]);
    document(world, "Holds", hold, declared).await;
}

#[tokio::test]
async fn a_task_runs_its_runbook_on_each_node_of_its_targets() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        runbooks(&world).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let id = window(&world, json!({"Schedule": "rate(1 hour)"})).await;
        let on = json!([{"Key": "InstanceIds", "Values": [one.id, two.id]}]);
        let given = with(json!({"Who": ["{{TARGET_ID}}"], "Window": ["{{ WINDOW_ID }}"]}));
        task(
            &world,
            &id,
            "Puts",
            json!({"Targets": on, "TaskInvocationParameters": given, "MaxConcurrency": "2",
            "MaxErrors": "0"}),
        )
        .await;
        let alone = with(json!({"Who": ["nobody"]}));
        task(&world, &id, "Puts", json!({"TaskInvocationParameters": alone})).await;
        world.clock.advance(HOUR);
        ticks(&world, 5).await;
        let done = executions(&world, &id).await;
        assert_eq!(done[0]["Status"], "SUCCESS", "{done:?}");
        for node in [&one, &two] {
            let name = json!({"Name": format!("/of/{}", node.id)});
            assert_eq!(
                world.ok("GetParameter", name).await["Parameter"]["Value"],
                json!(id)
            );
        }
        assert_eq!(
            world.ok("GetParameter", json!({"Name": "/of/nobody"})).await["Parameter"]["Value"],
            "none"
        );
        let mut counts = Vec::new();
        for part in tasks(&world, &done[0]).await {
            assert_eq!(
                (&part["TaskType"], &part["Status"]),
                (&json!("AUTOMATION"), &json!("SUCCESS"))
            );
            let all = invocations(&world, &part).await;
            assert_eq!((all.len(), &all[0]["Status"]), (1, &json!("SUCCESS")));
            let execution = told(&world, all[0]["ExecutionId"].as_str().unwrap()).await;
            assert_eq!(execution["DocumentName"], "Puts");
            counts.push(
                execution["ResolvedTargets"]["ParameterValues"]
                    .as_array()
                    .unwrap()
                    .len(),
            );
        }
        counts.sort_unstable();
        assert_eq!(counts, [0, 2]);
    })
    .await;
}

#[tokio::test]
async fn what_a_runbook_comes_to_is_told_and_it_is_cancelled_with_the_window() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        runbooks(&world).await;
        let node = world.node("one").await;
        let on = json!([{"Key": "InstanceIds", "Values": [node.id]}]);
        let id = window(&world, json!({"Schedule": "rate(1 hour)"})).await;
        let given = with(json!({"Who": ["{{ RESOURCE_ID }}"]}));
        task(
            &world,
            &id,
            "Holds",
            json!({"Targets": on, "TaskInvocationParameters": given}),
        )
        .await;
        world.clock.advance(HOUR);
        ticks(&world, 3).await;
        let world = world.restarted().await;
        ticks(&world, 2).await;
        let open = executions(&world, &id).await;
        assert_eq!(open[0]["Status"], "IN_PROGRESS");
        let all = world.ok("DescribeAutomationExecutions", json!({})).await;
        assert_eq!(
            all["AutomationExecutionMetadataList"].as_array().unwrap().len(),
            2,
            "the whole and its target"
        );
        let cancel = json!({"WindowExecutionId": open[0]["WindowExecutionId"]});
        world.ok("CancelMaintenanceWindowExecution", cancel).await;
        ticks(&world, 5).await;
        let done = executions(&world, &id).await;
        assert_eq!(done[0]["Status"], "CANCELLED", "{done:?}");
        for execution in
            world.ok("DescribeAutomationExecutions", json!({})).await["AutomationExecutionMetadataList"]
                .as_array()
                .unwrap()
        {
            assert_eq!(execution["AutomationExecutionStatus"], "Cancelled");
        }

        // A parameter that is missing, and one that the document does not know.
        let odd = window(&world, json!({"Schedule": "rate(1 hour)"})).await;
        task(&world, &odd, "Puts", json!({})).await;
        task(
            &world,
            &odd,
            "Puts",
            json!({"TaskInvocationParameters": with(json!({"None": ["x"]}))}),
        )
        .await;
        world.clock.advance(HOUR);
        ticks(&world, 4).await;
        let done = executions(&world, &odd).await;
        assert_eq!(done[0]["Status"], "FAILED", "{done:?}");
        let mut told = Vec::new();
        for part in tasks(&world, &done[0]).await {
            told.push(
                invocations(&world, &part).await[0]["StatusDetails"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        told.sort();
        assert!(told[0].contains("Missing required parameter: Who"), "{told:?}");
        assert!(told[1].contains("Undefined execution inputs: [None]"), "{told:?}");
        let missing = json!({"WindowId": odd, "TaskArn": "Gone", "TaskType": "AUTOMATION"});
        let message = world
            .refused(
                "RegisterTaskWithMaintenanceWindow",
                missing,
                "DoesNotExistException",
            )
            .await;
        assert!(
            message.contains("TaskArn: Automation document Gone can't be found"),
            "{message}"
        );
    })
    .await;
}

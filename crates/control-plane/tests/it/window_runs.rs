//! Windows that open: on time, once, with their tasks in order, over restarts; what is missed, skipped, cut off, cancelled.
//! Long because each case tells a whole story.

use crate::agent::{Agent, serve};
use crate::windows::{MORNING, set_clock, window};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;

pub(crate) async fn executions(world: &World, id: &str) -> Vec<Value> {
    let all = world
        .ok("DescribeMaintenanceWindowExecutions", json!({"WindowId": id}))
        .await;
    all["WindowExecutions"].as_array().unwrap().clone()
}

pub(crate) async fn tasks(world: &World, execution: &Value) -> Vec<Value> {
    let all = world
        .ok(
            "DescribeMaintenanceWindowExecutionTasks",
            json!({"WindowExecutionId": execution["WindowExecutionId"]}),
        )
        .await;
    all["WindowExecutionTaskIdentities"].as_array().unwrap().clone()
}

pub(crate) async fn invocations(world: &World, task: &Value) -> Vec<Value> {
    let all = world
        .ok(
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            json!({"WindowExecutionId": task["WindowExecutionId"], "TaskId": task["TaskExecutionId"]}),
        )
        .await;
    all["WindowExecutionTaskInvocationIdentities"]
        .as_array()
        .unwrap()
        .clone()
}

/// A task that runs `echo` with that word; gives its id.
async fn task(world: &World, id: &str, word: &str, more: Value) -> Value {
    let mut input = json!({"WindowId": id, "TaskArn": "AWS-RunShellScript", "TaskType": "RUN_COMMAND", "Name": "a-task",
        "TaskInvocationParameters": {"RunCommand": {"Parameters": {"commands": [format!("echo {word}")]}}}});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    world.ok("RegisterTaskWithMaintenanceWindow", input).await["WindowTaskId"].clone()
}

fn on(ids: &[&str]) -> Value {
    json!({"Targets": [{"Key": "InstanceIds", "Values": ids}]})
}

#[tokio::test]
async fn a_window_opens_once_and_runs_its_tasks_by_priority() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let address = serve(&world).await;
        let node = world.node("one").await;
        let id = window(&world, json!({"Schedule": "at(2026-11-25T10:30:00)"})).await;
        let target = world
            .ok(
                "RegisterTargetWithMaintenanceWindow",
                json!({"WindowId": id, "ResourceType": "INSTANCE", "OwnerInformation": "me",
                    "Targets": [{"Key": "InstanceIds", "Values": [node.id]}]}),
            )
            .await["WindowTargetId"]
            .clone();
        let of_target = |priority: i64| {
            json!({"Priority": priority, "Targets": [{"Key": "WindowTargetIds", "Values": [target]}]})
        };
        task(&world, &id, "second", of_target(2)).await;
        let first = task(&world, &id, "{{WINDOW_ID}}", of_target(1)).await;
        world.clock.advance(29 * MINUTE);
        world.plane.tick().await;
        assert!(executions(&world, &id).await.is_empty(), "it is not time");
        world.clock.advance(MINUTE);
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        world.plane.tick().await;
        world.plane.tick().await;
        let opened = executions(&world, &id).await;
        assert_eq!((opened.len(), &opened[0]["Status"]), (1, &json!("IN_PROGRESS")));
        let parts = tasks(&world, &opened[0]).await;
        let mut statuses: Vec<&str> = parts.iter().map(|part| part["Status"].as_str().unwrap()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, ["IN_PROGRESS", "PENDING"], "one after the other");
        let running = parts.iter().find(|part| part["Status"] == "IN_PROGRESS").unwrap();
        let told = world
            .ok(
                "GetMaintenanceWindowExecutionTask",
                json!({"WindowExecutionId": opened[0]["WindowExecutionId"], "TaskId": running["TaskExecutionId"]}),
            )
            .await;
        assert_eq!(told["Priority"], 1);
        let parts = invocations(&world, running).await;
        assert_eq!(
            (&parts[0]["WindowTargetId"], &parts[0]["OwnerInformation"]),
            (&target, &json!("me"))
        );
        // The process is stopped and started in the middle: the command is there once.
        let world = world.restarted().await;
        let address = serve(&world).await;
        drop(agent);
        agent = Agent::connect(&world, &node, address, &[]).await;
        world.plane.tick().await;
        let (message, job, content) = agent.job().await;
        assert_eq!(content.parameters["commands"], json!([format!("echo {id}")]));
        agent.ack(&message, &job.job_id, "200").await;
        agent.end(&content.command_id, "Success", 0, "", "").await;
        assert_eq!(parts[0]["ExecutionId"], json!(content.command_id));
        world.plane.tick().await;
        world.plane.tick().await;
        let (message, job, content) = agent.job().await;
        assert_eq!(content.parameters["commands"], json!(["echo second"]));
        agent.ack(&message, &job.job_id, "200").await;
        agent.end(&content.command_id, "Failed", 3, "", "").await;
        world.plane.tick().await;
        let done = executions(&world, &id).await;
        assert_eq!(
            (done.len(), &done[0]["Status"], &done[0]["StatusDetails"]),
            (
                1,
                &json!("FAILED"),
                &json!("One or more tasks in the orchestration failed.")
            )
        );
        let parts = tasks(&world, &done[0]).await;
        assert!(parts.iter().any(|part| part["Status"] == "SUCCESS"));
        // Who sent the commands, and why, is in the audit log.
        let entries = world.audit.0.lock().unwrap().clone();
        let sent = entries
            .iter()
            .filter(|(_, intent, outcome)| outcome.is_some() && intent.name.as_deref() == Some("ssm.SendCommand"));
        assert!(sent.count() >= 1, "{entries:?}");
        let _ = first;
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_is_recorded_and_not_made_up_for() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let node = world.node("one").await;
        let id = window(
            &world,
            json!({"Schedule": "rate(1 hour)", "Duration": 1, "Cutoff": 0}),
        )
        .await;
        task(&world, &id, "hello", on(&[&node.id])).await;
        // The process was away for three starts, and comes back a moment after the third.
        world.clock.advance(180 * MINUTE + 30_000);
        let world = world.restarted().await;
        world.plane.tick().await;
        let all = executions(&world, &id).await;
        let statuses: Vec<&str> = all.iter().map(|one| one["Status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["IN_PROGRESS", "FAILED", "FAILED"]);
        assert!(
            all[1]["StatusDetails"].as_str().unwrap().starts_with("Missed: "),
            "{all:?}"
        );
        let commands = world.ok("ListCommands", json!({})).await;
        assert_eq!(commands["Commands"].as_array().unwrap().len(), 1);
        // The one that runs is still open an hour later: the next start is skipped.
        world.clock.advance(60 * MINUTE - 30_000);
        world.plane.tick().await;
        let all = executions(&world, &id).await;
        assert_eq!(all[0]["Status"], "SKIPPED_OVERLAPPING");
        // Two minutes late is missed, too.
        world.clock.advance(62 * MINUTE);
        world.plane.tick().await;
        let all = executions(&world, &id).await;
        assert_eq!((all.len(), &all[0]["Status"]), (5, &json!("FAILED")));
        // A year later, what nobody wants to read one by one is told in one record.
        world.clock.advance(365 * 24 * 60 * MINUTE);
        world.plane.tick().await;
        let all = world
            .ok(
                "DescribeMaintenanceWindowExecutions",
                json!({"WindowId": id, "MaxResults": 100}),
            )
            .await;
        let newest = &all["WindowExecutions"][0]["StatusDetails"];
        assert!(
            newest.as_str().unwrap().contains("More starts after it"),
            "{newest}"
        );
        assert!(all["NextToken"].is_string());
    })
    .await;
}

#[tokio::test]
async fn at_the_cutoff_nothing_begins_and_what_asked_for_it_is_cancelled() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let address = serve(&world).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let mut agents = [
            Agent::connect(&world, &one, address, &[]).await,
            Agent::connect(&world, &two, address, &[]).await,
        ];
        let id = window(
            &world,
            json!({"Schedule": "at(2026-11-25T10:01:00)", "Duration": 2, "Cutoff": 1}),
        )
        .await;
        let with = |ids: &[&str], behavior: &str, priority: i64| {
            let mut more = on(ids);
            more["CutoffBehavior"] = json!(behavior);
            more["Priority"] = json!(priority);
            more
        };
        task(&world, &id, "goes-on", with(&[&one.id], "CONTINUE_TASK", 1)).await;
        task(&world, &id, "is-cut", with(&[&two.id], "CANCEL_TASK", 1)).await;
        task(&world, &id, "never", with(&[&one.id], "CONTINUE_TASK", 2)).await;
        world.clock.advance(MINUTE);
        world.plane.tick().await;
        world.plane.tick().await;
        let mut commands = Vec::new();
        for agent in &mut agents {
            let (message, job, content) = agent.job().await;
            agent.ack(&message, &job.job_id, "200").await;
            commands.push(content.command_id);
        }
        world
            .until("both run", async || {
                world.details(&commands[0]).await == "InProgress"
                    && world.details(&commands[1]).await == "InProgress"
            })
            .await;
        // Half an hour of the execution time-out is left; nodes report now and then.
        world.clock.advance(59 * MINUTE);
        world.plane.tick().await;
        assert_eq!(world.details(&commands[1]).await, "InProgress");
        world.clock.advance(MINUTE);
        world.plane.tick().await;
        assert_eq!(world.details(&commands[0]).await, "InProgress");
        assert_eq!(world.details(&commands[1]).await, "Cancelling");
        agents[1].end(&commands[1], "Cancelled", -1, "", "").await;
        agents[0].end(&commands[0], "Success", 0, "", "").await;
        world.plane.tick().await;
        let done = executions(&world, &id).await;
        assert_eq!(done[0]["Status"], "TIMED_OUT", "{done:?}");
        let mut statuses: Vec<String> = tasks(&world, &done[0])
            .await
            .iter()
            .map(|part| part["Status"].as_str().unwrap().to_owned())
            .collect();
        statuses.sort();
        assert_eq!(statuses, ["SUCCESS", "TIMED_OUT", "TIMED_OUT"]);
    })
    .await;
}

#[tokio::test]
async fn an_execution_is_cancelled_and_what_cannot_run_says_why() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let node = world.node("one").await;
        let id = window(&world, json!({"Schedule": "rate(1 hour)"})).await;
        task(&world, &id, "hello", on(&[&node.id])).await;
        world.clock.advance(60 * MINUTE);
        world.plane.tick().await;
        let open = executions(&world, &id).await;
        let cancel = json!({"WindowExecutionId": open[0]["WindowExecutionId"]});
        world.ok("CancelMaintenanceWindowExecution", cancel.clone()).await;
        assert_eq!(executions(&world, &id).await[0]["Status"], "CANCELLING");
        world.plane.tick().await;
        world.plane.tick().await;
        let done = executions(&world, &id).await;
        assert_eq!(done[0]["Status"], "CANCELLED", "{done:?}");
        world.ok("CancelMaintenanceWindowExecution", cancel).await;
        assert_eq!(executions(&world, &id).await[0]["Status"], "CANCELLED");

        // A parameter that the document does not know, a type that is not run, and nobody to run it on.
        let odd = window(&world, json!({"Schedule": "rate(1 hour)"})).await;
        let wrong = json!({"Targets": [{"Key": "InstanceIds", "Values": [node.id]}],
            "TaskInvocationParameters": {"RunCommand": {"Parameters": {"nothing": ["x"]}}}});
        task(&world, &odd, "wrong", wrong).await;
        let lambda = json!({"TaskArn": "arn:aws:lambda:eu-west-1:123456789012:function:f", "TaskType": "LAMBDA"});
        task(&world, &odd, "lambda", lambda).await;
        task(&world, &odd, "nobody", on(&["mi-0123456789abcdef0"])).await;
        world.clock.advance(60 * MINUTE);
        world.plane.tick().await;
        let done = executions(&world, &odd).await;
        assert_eq!(done[0]["Status"], "FAILED", "{done:?}");
        let parts = tasks(&world, &done[0]).await;
        let of = |arn: &str, status: &str| {
            parts
                .iter()
                .find(|part| part["TaskArn"].as_str().unwrap().contains(arn) && part["Status"] == status)
                .cloned()
                .unwrap()
        };
        let lambda = of("lambda", "FAILED");
        assert!(lambda["StatusDetails"].as_str().unwrap().contains("LAMBDA"));
        assert_eq!(of("Shell", "SUCCESS")["StatusDetails"], "No invocations to execute.");
        let failed = invocations(&world, &of("Shell", "FAILED")).await;
        let why = failed[0]["StatusDetails"].as_str().unwrap();
        assert!(why.starts_with("InvalidParameters: "), "{why}");
        let one = world
            .ok(
                "GetMaintenanceWindowExecutionTaskInvocation",
                json!({"WindowExecutionId": failed[0]["WindowExecutionId"], "TaskId": failed[0]["TaskExecutionId"],
                    "InvocationId": failed[0]["InvocationId"]}),
            )
            .await;
        assert_eq!(one, failed[0]);
        let whole = world
            .ok(
                "GetMaintenanceWindowExecution",
                json!({"WindowExecutionId": failed[0]["WindowExecutionId"]}),
            )
            .await;
        assert_eq!(whole["TaskIds"].as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn an_empty_window_succeeds_and_a_deleted_one_does_not_open() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let empty = window(&world, json!({"Schedule": "rate(1 hour)"})).await;
        let gone = window(&world, json!({"Schedule": "rate(1 hour)"})).await;
        world
            .ok("DeleteMaintenanceWindow", json!({"WindowId": gone}))
            .await;
        world.clock.advance(60 * MINUTE);
        world.plane.tick().await;
        let done = executions(&world, &empty).await;
        assert_eq!(
            (&done[0]["Status"], &done[0]["StatusDetails"]),
            (&json!("SUCCESS"), &json!("No tasks to execute."))
        );
        assert!(executions(&world, &gone).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_change_neither_loses_nor_doubles_an_opening() {
    on_both(|db| async move {
        let world = World::new(db).await;
        set_clock(&world, MORNING);
        let id = window(
            &world,
            json!({"Schedule": "rate(1 hour)", "Duration": 1, "Cutoff": 0}),
        )
        .await;
        world.clock.advance(60 * MINUTE);
        // It is due, and somebody changes its name before the round that opens it.
        world
            .ok(
                "UpdateMaintenanceWindow",
                json!({"WindowId": id, "Description": "changed"}),
            )
            .await;
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 1);
        world
            .ok(
                "UpdateMaintenanceWindow",
                json!({"WindowId": id, "Name": "again"}),
            )
            .await;
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 1);
        world
            .ok(
                "UpdateMaintenanceWindow",
                json!({"WindowId": id, "Schedule": "rate(30 minutes)"}),
            )
            .await;
        world.clock.advance(30 * MINUTE);
        world.plane.tick().await;
        assert_eq!(executions(&world, &id).await.len(), 2);
        let often = json!({"WindowId": id, "Schedule": "cron(0/5 * * * ? * *)"});
        let message = world
            .refused("UpdateMaintenanceWindow", often, "ValidationException")
            .await;
        assert!(message.starts_with("Schedule: "), "{message}");
    })
    .await;
}

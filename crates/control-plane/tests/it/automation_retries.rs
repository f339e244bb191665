//! Executions that have ended badly, retried from the step that did.

use crate::automation::{api, document, pairs, start, statuses, told};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

fn resume(id: &str, step: &str) -> Value {
    json!({"AutomationExecutionId": id, "SignalType": "Resume", "Payload": {"StepName": [step]}})
}

async fn ticks(world: &World) {
    for _ in 0..6 {
        world.plane.tick().await;
    }
}

fn put(name: &str, more: Value) -> Value {
    let mut given =
        json!({"Name": "/log", "Value": "{{ variable:Count }}", "Type": "String", "Overwrite": true});
    for (key, value) in more.as_object().unwrap() {
        given[key] = value.clone();
    }
    api(name, "PutParameter", given)
}

/// Reads a stored parameter that is not there at first, then writes down what it knows.
fn steps() -> Value {
    json!([
        {"name": "First", "action": "aws:updateVariable", "inputs": {"Name": "variable:Count", "Value": "one"}},
        put("Before", json!({"outputs": [{"Name": "Kept", "Selector": "$.Version", "Type": "Integer"}]})),
        api("Read", "GetParameter", json!({"Name": "/there", "onFailure": "step:Mend",
            "outputs": [{"Name": "Value", "Selector": "$.Parameter.Value", "Type": "String"}]})),
        api("After", "PutParameter", json!({"Name": "/after", "Type": "String", "Overwrite": true,
            "Value": "{{ variable:Count }} {{ Before.Kept }} {{ Read.Value }}", "isEnd": true})),
        {"name": "Mend", "action": "aws:updateVariable", "inputs": {"Name": "variable:Count", "Value": "mended"}}
    ])
}

#[tokio::test]
async fn it_goes_on_from_the_step_that_failed_also_over_a_restart() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let variables = json!({"variables": {"Count": {"type": "String", "default": "none"}},
            "outputs": ["Read.Value"]});
        document(&world, "Reads", steps(), variables).await;
        let id = start(&world, "Reads", json!({})).await;
        ticks(&world).await;
        let failed = told(&world, &id).await;
        assert_eq!(failed["AutomationExecutionStatus"], "Failed", "{failed}");
        let code = "InvalidAutomationSignalException";
        for (step, code) in [
            ("Nowhere", "AutomationStepNotFoundException"),
            ("After", "AutomationStepNotFoundException"),
            ("Before", code),
            ("Mend", code),
        ] {
            world
                .refused("SendAutomationSignal", resume(&id, step), code)
                .await;
        }
        let bare = json!({"AutomationExecutionId": id, "SignalType": "Resume"});
        world.refused("SendAutomationSignal", bare, code).await;
        assert_eq!(
            told(&world, &id).await,
            failed,
            "what was refused has changed nothing"
        );

        // It fails once more: the same step again, and what came of the first time does not count.
        world.ok("SendAutomationSignal", resume(&id, "Read")).await;
        let reopened = told(&world, &id).await;
        assert_eq!(reopened["AutomationExecutionStatus"], "InProgress");
        assert_eq!(reopened["ExecutionEndTime"], Value::Null);
        assert_eq!(
            reopened["Variables"]["Count"],
            json!(["one"]),
            "as before that step"
        );
        world
            .refused("SendAutomationSignal", resume(&id, "Read"), code)
            .await;
        // Stopped before anything was done, and started again.
        let world = world.restarted().await;
        ticks(&world).await;
        let failed = told(&world, &id).await;
        assert_eq!(
            statuses(&failed),
            pairs(&[
                ("First", "Success"),
                ("Before", "Success"),
                ("Read", "Failed"),
                ("Mend", "Success"),
                ("Read", "Failed"),
                ("Mend", "Success"),
                ("After", "Pending"),
            ])
        );
        let given = |told: &Value, at: usize| told["StepExecutions"][at]["StepExecutionId"].clone();
        assert_ne!(
            given(&failed, 2),
            given(&failed, 4),
            "a step execution of its own"
        );

        let there = json!({"Name": "/there", "Value": "found", "Type": "String"});
        world.ok("PutParameter", there).await;
        world.ok("SendAutomationSignal", resume(&id, "Read")).await;
        ticks(&world).await;
        let ended = told(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
        assert_eq!(ended["FailureMessage"], Value::Null);
        assert_eq!(ended["Outputs"]["Read.Value"], json!(["found"]));
        let after = world.ok("GetParameter", json!({"Name": "/after"})).await;
        assert_eq!(after["Parameter"]["Value"], "one 1 found");
        let log = world.ok("GetParameter", json!({"Name": "/log"})).await;
        assert_eq!(
            log["Parameter"]["Version"], 1,
            "what had succeeded was not done again"
        );
        assert_eq!(ended["ProgressCounters"]["FailedSteps"], 0, "{ended}");
        world
            .refused("SendAutomationSignal", resume(&id, "Read"), code)
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_was_cancelled_goes_on_and_what_belongs_to_another_does_not() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let waits = json!([{"name": "Hold", "action": "aws:pause", "inputs": {}}]);
        document(&world, "Waits", waits, json!({})).await;
        let outer = json!([{"name": "Child", "action": "aws:executeAutomation", "inputs": {"DocumentName": "Waits"}}]);
        document(&world, "Outer", outer, json!({})).await;
        let id = start(&world, "Outer", json!({})).await;
        ticks(&world).await;
        let children = json!({"Filters": [{"Key": "ParentExecutionId", "Values": [id]}]});
        let children = world.ok("DescribeAutomationExecutions", children).await;
        let child = children["AutomationExecutionMetadataList"][0]["AutomationExecutionId"]
            .as_str()
            .unwrap()
            .to_owned();
        world
            .ok("StopAutomationExecution", json!({"AutomationExecutionId": id}))
            .await;
        ticks(&world).await;
        assert_eq!(told(&world, &id).await["AutomationExecutionStatus"], "Cancelled");
        let code = "InvalidAutomationSignalException";
        let why = world
            .refused("SendAutomationSignal", resume(&child, "Hold"), code)
            .await;
        assert!(why.contains(&id), "{why}");
        world.ok("SendAutomationSignal", resume(&id, "Child")).await;
        ticks(&world).await;
        let again = told(&world, &id).await;
        assert_eq!(
            statuses(&again),
            pairs(&[("Child", "Cancelled"), ("Child", "InProgress")])
        );
        // Another child, which ends as any.
        let all = world.ok("DescribeAutomationExecutions", json!({})).await;
        let open: Vec<&str> = all["AutomationExecutionMetadataList"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["DocumentName"] == "Waits" && one["AutomationExecutionStatus"] == "Waiting")
            .filter_map(|one| one["AutomationExecutionId"].as_str())
            .collect();
        assert_eq!(open.len(), 1, "{all}");
        world.ok("SendAutomationSignal", resume(open[0], "Hold")).await;
        ticks(&world).await;
        assert_eq!(told(&world, &id).await["AutomationExecutionStatus"], "Success");

        // Without its runbook nothing is retried.
        let id = start(&world, "Waits", json!({})).await;
        ticks(&world).await;
        world
            .ok("StopAutomationExecution", json!({"AutomationExecutionId": id}))
            .await;
        ticks(&world).await;
        world.ok("DeleteDocument", json!({"Name": "Waits"})).await;
        let why = world
            .refused("SendAutomationSignal", resume(&id, "Hold"), code)
            .await;
        assert!(why.contains("not there any more"), "{why}");
    })
    .await;
}

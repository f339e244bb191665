//! Loops in runbooks: over values and as long as a condition holds, over a restart, failing, too slow, cancelled.

use crate::automation::{api, document, pairs, start, statuses, told, told_ended};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

fn looping(name: &str, inputs: Value, steps: Value, more: Value) -> Value {
    let mut step = json!({"name": name, "action": "aws:loop", "inputs": inputs});
    step["inputs"]["Steps"] = steps;
    for (key, value) in more.as_object().unwrap() {
        step[key] = value.clone();
    }
    step
}

async fn run(world: &World, name: &str, parameters: Value) -> Value {
    let id = start(world, name, parameters).await;
    for _ in 0..10 {
        world.plane.tick().await;
    }
    told_ended(world, &id).await
}

#[tokio::test]
async fn a_loop_over_values_goes_on_after_a_restart_and_tells_its_iterations() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let put = api(
            "Put",
            "PutParameter",
            json!({"Name": "/loop/{{ Each.CurrentIteratorValue }}", "Value": "n{{ Each.CurrentIteration }}", "Type": "String"}),
        );
        let wait = json!({"name": "Wait", "action": "aws:sleep", "inputs": {"Duration": "PT10S"}});
        let steps = json!([
            looping("Each", json!({"Iterators": "{{ Names }}"}), json!([put, wait]), json!({})),
            api("Look", "GetParametersByPath", json!({"Path": "/loop", "outputs": [
                {"Name": "Values", "Selector": "$.Parameters..Value", "Type": "StringList"}]}))
        ]);
        let more = json!({"parameters": {"Names": {"type": "StringList"}}, "outputs": ["Look.Values"]});
        document(&world, "Loops", steps, more).await;
        let id = start(&world, "Loops", json!({"Names": ["a", "b"]})).await;
        world.plane.tick().await;
        assert_eq!(
            statuses(&told(&world, &id).await),
            pairs(&[("Each", "InProgress"), ("Put", "Success"), ("Wait", "InProgress"), ("Look", "Pending")])
        );
        let world = world.restarted().await;
        world.clock.advance(10_000);
        world.plane.tick().await;
        let running = told(&world, &id).await;
        let parent = &running["StepExecutions"][3]["ParentStepDetails"];
        assert_eq!(
            (&parent["StepName"], &parent["Iteration"], &parent["IteratorValue"], &parent["Action"]),
            (&json!("Each"), &json!(2), &json!("b"), &json!("aws:loop"))
        );
        assert_eq!(parent["StepExecutionId"], running["StepExecutions"][0]["StepExecutionId"]);
        world.clock.advance(10_000);
        world.plane.tick().await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
        assert_eq!(
            statuses(&ended),
            pairs(&[
                ("Each", "Success"),
                ("Put", "Success"),
                ("Wait", "Success"),
                ("Put", "Success"),
                ("Wait", "Success"),
                ("Look", "Success")
            ])
        );
        assert_eq!(ended["Outputs"]["Look.Values"], json!(["n1", "n2"]));
        let of = |key: &str, value: &str| {
            json!({"AutomationExecutionId": id, "Filters": [{"Key": key, "Values": [value]}]})
        };
        let loop_id = parent["StepExecutionId"].as_str().unwrap();
        for (key, value, count) in [
            ("ParentStepIteration", "1", 2),
            ("ParentStepIteratorValue", "b", 2),
            ("ParentStepExecutionId", loop_id, 4),
            ("ParentStepIteration", "3", 0),
        ] {
            let found = world.ok("DescribeAutomationStepExecutions", of(key, value)).await;
            assert_eq!(found["StepExecutions"].as_array().unwrap().len(), count, "{key} {value}");
        }
        // Nothing to go over is well done.
        document(
            &world,
            "Empty",
            json!([looping("Each", json!({"Iterators": []}), json!([wait]), json!({}))]),
            json!({}),
        )
        .await;
        let told = run(&world, "Empty", json!({})).await;
        assert_eq!(statuses(&told), pairs(&[("Each", "Success")]));
        let wrong = looping("Each", json!({"Iterators": ["x"], "IteratorDataType": "Integer"}), json!([wait]), json!({}));
        document(&world, "Wrong", json!([wrong]), json!({})).await;
        let told = run(&world, "Wrong", json!({})).await;
        let message = told["FailureMessage"].as_str().unwrap();
        assert!(message.contains("\"x\" among its Iterators is no Integer"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn a_loop_goes_on_as_long_as_its_condition_holds_and_stands_within_others() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let put = api(
            "Put",
            "PutParameter",
            json!({"Name": "/{{ Each.CurrentIteratorValue }}", "Value": "v", "Type": "String", "Overwrite": true,
                "outputs": [{"Name": "Version", "Selector": "$.Version", "Type": "Integer"}]}),
        );
        let until = json!({"Variable": "{{ Put.Version }}", "NumericLesser": 3});
        let inner = looping("Until", json!({"LoopCondition": until}), json!([put]), json!({}));
        let outer = looping("Each", json!({"Iterators": ["a", "b"]}), json!([inner]), json!({}));
        document(&world, "Nested", json!([outer]), json!({"outputs": ["Put.Version"]})).await;
        let told = run(&world, "Nested", json!({})).await;
        assert_eq!(told["AutomationExecutionStatus"], "Success", "{told}");
        let puts = statuses(&told).iter().filter(|(name, _)| name == "Put").count();
        assert_eq!((puts, &told["Outputs"]["Put.Version"]), (6, &json!(["3"])));
        let always = json!({"LoopCondition": {"Variable": "1", "NumericEquals": 1}, "MaxIterations": "4"});
        let nap = json!({"name": "Nap", "action": "aws:sleep", "inputs": {"Duration": "PT0S"}});
        document(&world, "Always", json!([looping("L", always, json!([nap]), json!({}))]), json!({})).await;
        let told = run(&world, "Always", json!({})).await;
        assert_eq!(told["AutomationExecutionStatus"], "Success");
        assert_eq!(told["StepExecutions"].as_array().unwrap().len(), 5);
    })
    .await;
}

#[tokio::test]
async fn what_fails_in_a_loop_fails_it_and_it_ends_in_time_or_when_it_is_cancelled() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let each = json!({"Iterators": ["a", "b"]});
        let gone = |more: Value| {
            let mut step = api("Ask", "GetParameter", json!({"Name": "/gone"}));
            for (key, value) in more.as_object().unwrap() {
                step[key] = value.clone();
            }
            step
        };
        let tell = json!({"name": "Tell", "action": "aws:sleep", "inputs": {"Duration": "PT0S"}});
        let on_failure = json!({"onFailure": "step:Tell"});
        document(
            &world,
            "Fails",
            json!([looping("L", each.clone(), json!([gone(json!({}))]), on_failure), tell]),
            json!({}),
        )
        .await;
        let told_of = run(&world, "Fails", json!({})).await;
        assert_eq!(told_of["AutomationExecutionStatus"], "Failed");
        assert_eq!(
            statuses(&told_of),
            pairs(&[("L", "Failed"), ("Ask", "Failed"), ("Tell", "Success")])
        );
        let message = told_of["FailureMessage"].as_str().unwrap();
        assert!(
            message.contains("Step L failed. Step Ask failed.") && message.contains("ParameterNotFound"),
            "{message}"
        );
        let passed = gone(json!({"onFailure": "Continue"}));
        document(&world, "Passes", json!([looping("L", each.clone(), json!([passed]), json!({}))]), json!({})).await;
        let told_of = run(&world, "Passes", json!({})).await;
        assert_eq!(told_of["AutomationExecutionStatus"], "Success");
        assert_eq!(statuses(&told_of), pairs(&[("L", "Success"), ("Ask", "Failed"), ("Ask", "Failed")]));

        let nap = json!({"name": "Nap", "action": "aws:sleep", "inputs": {"Duration": "PT40S"}, "onFailure": "Continue"});
        let limited = json!({"timeoutSeconds": 60});
        document(&world, "Slow", json!([looping("L", each.clone(), json!([nap]), limited)]), json!({})).await;
        let id = start(&world, "Slow", json!({})).await;
        world.plane.tick().await;
        for ms in [40_000, 20_000] {
            world.clock.advance(ms);
            world.plane.tick().await;
        }
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "TimedOut", "{ended}");
        assert_eq!(
            statuses(&ended),
            pairs(&[("L", "TimedOut"), ("Nap", "Success"), ("Nap", "TimedOut")])
        );

        let hold = json!({"name": "Hold", "action": "aws:pause", "inputs": {}});
        document(&world, "Holds", json!([looping("L", each, json!([hold]), json!({})), tell]), json!({})).await;
        let id = start(&world, "Holds", json!({})).await;
        world.plane.tick().await;
        assert_eq!(told(&world, &id).await["AutomationExecutionStatus"], "Waiting");
        let resume = json!({"AutomationExecutionId": id, "SignalType": "Resume"});
        world.ok("SendAutomationSignal", resume).await;
        world.plane.tick().await;
        world.ok("StopAutomationExecution", json!({"AutomationExecutionId": id})).await;
        world.plane.tick().await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Cancelled", "{ended}");
        assert_eq!(
            statuses(&ended),
            pairs(&[("L", "Cancelled"), ("Hold", "Success"), ("Hold", "Cancelled"), ("Tell", "Pending")])
        );
    })
    .await;
}

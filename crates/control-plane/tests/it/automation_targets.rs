//! Executions over targets: one execution for each, so many at once, until too many have failed; by values, tags, groups
//! and maps; and executions that are run step by step.

use crate::automation::{api, document, pairs, start, statuses, told, told_ended};
use crate::groups::{ok, query};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

async fn over(world: &World, name: &str, more: Value) -> String {
    let mut input = json!({"DocumentName": name, "TargetParameterName": "Who"});
    for (key, value) in more.as_object().unwrap() {
        input[key] = value.clone();
    }
    input.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let started = world.ok("StartAutomationExecution", input).await;
    started["AutomationExecutionId"].as_str().unwrap().to_owned()
}

fn values(all: &[&str]) -> Value {
    json!([{"Key": "ParameterValues", "Values": all}])
}

/// The executions for the targets of one, by target, with how they stand.
async fn children(world: &World, id: &str) -> Vec<(String, String, String)> {
    let of = json!({"Filters": [{"Key": "ParentExecutionId", "Values": [id]}]});
    let listed = world.ok("DescribeAutomationExecutions", of).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all: Vec<_> = listed["AutomationExecutionMetadataList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                text(&one["Target"]),
                text(&one["AutomationExecutionStatus"]),
                text(&one["AutomationExecutionId"]),
            )
        })
        .collect();
    all.sort();
    all
}

fn stand(all: &[(String, String, String)]) -> Vec<(&str, &str)> {
    all.iter()
        .map(|(target, status, _)| (target.as_str(), status.as_str()))
        .collect()
}

async fn ticks(world: &World, count: usize) {
    for _ in 0..count {
        world.plane.tick().await;
    }
}

async fn documents(world: &World) {
    let who = json!({"parameters": {"Who": {"type": "String", "allowedValues": ["a", "b", "c", "bad"]}}});
    let hold = json!({"name": "Hold", "action": "aws:pause", "inputs": {}});
    document(world, "Holds", json!([hold]), who.clone()).await;
    let fails = json!([
        {"name": "Choose", "action": "aws:branch", "inputs": {"Choices": [
            {"NextStep": "Fail", "Variable": "{{ Who }}", "StringEquals": "bad"}], "Default": "Well"}},
        api("Fail", "GetParameter", json!({"Name": "/gone"})),
        {"name": "Well", "action": "aws:sleep", "isEnd": true, "inputs": {"Duration": "PT0S"}}
    ]);
    document(world, "Fails", fails, who).await;
}

#[tokio::test]
async fn so_many_targets_run_at_once_and_go_on_after_a_restart() {
    on_both(|db| async move {
        let world = World::new(db).await;
        documents(&world).await;
        let id = over(
            &world,
            "Holds",
            json!({"Targets": values(&["a", "b", "c", "b"]), "MaxConcurrency": "2", "MaxErrors": "1"}),
        )
        .await;
        ticks(&world, 2).await;
        let running = children(&world, &id).await;
        assert_eq!(stand(&running), [("a", "Waiting"), ("b", "Waiting")]);
        let parent = told(&world, &id).await;
        assert_eq!(parent["AutomationExecutionStatus"], "InProgress");
        assert_eq!(
            parent["ResolvedTargets"],
            json!({"ParameterValues": ["a", "b", "c"], "Truncated": false})
        );
        assert_eq!(
            (
                &parent["TargetParameterName"],
                &parent["MaxConcurrency"],
                &parent["MaxErrors"]
            ),
            (&json!("Who"), &json!("2"), &json!("1"))
        );
        assert_eq!(parent["Targets"], values(&["a", "b", "c", "b"]));
        let child = told(&world, &running[0].2).await;
        assert_eq!(
            (&child["Parameters"]["Who"], &child["ParentAutomationExecutionId"]),
            (&json!(["a"]), &json!(id))
        );
        let world = world.restarted().await;
        ticks(&world, 2).await;
        assert_eq!(children(&world, &id).await.len(), 2, "nothing is started twice");
        for at in [0, 1] {
            let resume = json!({"AutomationExecutionId": running[at].2, "SignalType": "Resume"});
            world.ok("SendAutomationSignal", resume).await;
            ticks(&world, 3).await;
        }
        let last = children(&world, &id).await;
        assert_eq!(
            stand(&last),
            [("a", "Success"), ("b", "Success"), ("c", "Waiting")]
        );
        let resume = json!({"AutomationExecutionId": last[2].2, "SignalType": "Resume"});
        world.ok("SendAutomationSignal", resume).await;
        ticks(&world, 3).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
        assert_eq!(
            (
                &ended["ProgressCounters"]["TotalSteps"],
                &ended["ProgressCounters"]["SuccessSteps"]
            ),
            (&json!(3), &json!(3))
        );

        let id = over(
            &world,
            "Holds",
            json!({"Targets": values(&["a", "b"]), "MaxConcurrency": "1"}),
        )
        .await;
        ticks(&world, 2).await;
        world
            .ok("StopAutomationExecution", json!({"AutomationExecutionId": id}))
            .await;
        ticks(&world, 3).await;
        assert_eq!(
            told_ended(&world, &id).await["AutomationExecutionStatus"],
            "Cancelled"
        );
        assert_eq!(stand(&children(&world, &id).await), [("a", "Cancelled")]);
    })
    .await;
}

#[tokio::test]
async fn too_many_errors_stop_it_and_fewer_do_not() {
    on_both(|db| async move {
        let world = World::new(db).await;
        documents(&world).await;
        let run = async |more: Value| {
            let id = over(&world, "Fails", more).await;
            ticks(&world, 8).await;
            (told_ended(&world, &id).await, children(&world, &id).await)
        };
        let one_by_one =
            json!({"Targets": values(&["a", "bad", "c"]), "MaxConcurrency": "1", "MaxErrors": "0"});
        let (told_of, all) = run(one_by_one).await;
        assert_eq!(told_of["AutomationExecutionStatus"], "Failed");
        assert_eq!(stand(&all), [("a", "Success"), ("bad", "Failed")]);
        assert_eq!(
            told_of["FailureMessage"],
            "1 of 3 targets failed. MaxErrors is 0, so 1 were not started."
        );
        let forgiving = json!({"Targets": values(&["a", "bad", "c"]), "MaxErrors": "50%"});
        let (told_of, all) = run(forgiving).await;
        assert_eq!(
            (&told_of["AutomationExecutionStatus"], all.len()),
            (&json!("Success"), 3)
        );
        // A value that the document does not allow fails its own target alone.
        let (told_of, all) = run(json!({"Targets": values(&["a", "z"]), "MaxErrors": "1"})).await;
        assert_eq!(stand(&all), [("a", "Success"), ("z", "Failed")]);
        assert_eq!(told_of["AutomationExecutionStatus"], "Success");
        assert!(
            told(&world, &all[1].2).await["FailureMessage"]
                .as_str()
                .unwrap()
                .contains("is not allowed")
        );
        let maps = json!({"TargetParameterName": null, "TargetMaps": [{"Who": ["a"]}, {"Who": ["b"]}]});
        let (told_of, all) = run(maps).await;
        assert_eq!(stand(&all), [("a", "Success"), ("b", "Success")]);
        assert_eq!(told_of["TargetMaps"], json!([{"Who": ["a"]}, {"Who": ["b"]}]));
        for (input, says) in [
            (
                json!({"Targets": values(&["a"]), "TargetParameterName": null}),
                "TargetParameterName: it has to name",
            ),
            (
                json!({"Targets": values(&["a"]), "TargetParameterName": "None"}),
                "declares no parameter None",
            ),
            (
                json!({"MaxErrors": "1", "TargetParameterName": null}),
                "MaxErrors: it belongs to Targets",
            ),
            (
                json!({"Targets": [{"Key": "Odd", "Values": ["a"]}]}),
                "Target key can have only following values",
            ),
            (json!({"Targets": values(&["a"]), "Mode": "Interactive"}), "Mode:"),
            (
                json!({"Targets": values(&["a"]), "TargetMaps": [{"Who": ["a"]}]}),
                "not both",
            ),
        ] {
            let mut whole = json!({"DocumentName": "Fails", "TargetParameterName": "Who"});
            for (key, value) in input.as_object().unwrap() {
                whole[key] = value.clone();
            }
            whole.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let code = "InvalidAutomationExecutionParametersException";
            let message = world.refused("StartAutomationExecution", whole, code).await;
            assert!(message.contains(says), "{message}");
        }
    })
    .await;
}

#[tokio::test]
async fn nodes_are_found_by_tags_and_groups_and_another_runbook_may_fan_out() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (one, two, other) = (world.node("one").await, world.node("two").await, world.node("other").await);
        for (node, value) in [(&one, "web"), (&two, "web"), (&other, "db")] {
            let tags = json!({"ResourceType": "ManagedInstance", "ResourceId": node.id,
                "Tags": [{"Key": "role", "Value": value}]});
            world.ok("AddTagsToResource", tags).await;
        }
        let look = api("Look", "DescribeInstanceInformation", json!({"InstanceInformationFilterList":
            [{"key": "InstanceIds", "valueSet": ["{{ Who }}"]}], "outputs": [
                {"Name": "Name", "Selector": "$.InstanceInformationList..ComputerName", "Type": "StringList"}]}));
        document(&world, "Looks", json!([look]), json!({"parameters": {"Who": {"type": "AWS::EC2::Instance::Id"}}})).await;
        let mut ids = [one.id.clone(), two.id.clone()];
        ids.sort();
        let by_tag = json!([{"Key": "tag:role", "Values": ["web"]}]);
        let id = over(&world, "Looks", json!({"Targets": by_tag})).await;
        ticks(&world, 4).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
        assert_eq!(ended["ResolvedTargets"]["ParameterValues"], json!(ids));
        let databases = query(&["AWS::SSM::ManagedInstance"], json!([{"Key": "role", "Values": ["db"]}]));
        ok(&world, "/groups", json!({"Name": "databases", "ResourceQuery": databases})).await;
        let id = over(&world, "Looks", json!({"Targets": [{"Key": "ResourceGroup", "Values": ["databases"]}]})).await;
        ticks(&world, 4).await;
        assert_eq!(told_ended(&world, &id).await["ResolvedTargets"]["ParameterValues"], json!([other.id]));
        let of = json!({"Filters": [{"Key": "TargetResourceGroup", "Values": ["databases"]}]});
        let listed = world.ok("DescribeAutomationExecutions", of).await;
        assert_eq!(listed["AutomationExecutionMetadataList"][0]["AutomationExecutionId"], json!(id));
        let id = over(&world, "Looks", json!({"Targets": [{"Key": "tag:role", "Values": ["none"]}]})).await;
        ticks(&world, 2).await;
        assert_eq!(told_ended(&world, &id).await["FailureMessage"], "The targets match nothing.");

        let fans = json!([{"name": "Fan", "action": "aws:executeAutomation", "inputs": {"DocumentName": "Looks",
            "TargetParameterName": "Who", "Targets": by_tag, "MaxConcurrency": "1"}}]);
        document(&world, "Fans", fans, json!({})).await;
        let id = start(&world, "Fans", json!({})).await;
        ticks(&world, 8).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
        let inner = ended["StepExecutions"][0]["Outputs"]["ExecutionId"][0].as_str().unwrap();
        assert_eq!(children(&world, inner).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_interactive_execution_waits_before_each_step_and_tags_stay_with_it() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let nap = |name: &str| json!({"name": name, "action": "aws:sleep", "inputs": {"Duration": "PT0S"}});
        let hold = json!({"name": "Hold", "action": "aws:pause", "inputs": {}});
        let long = json!({"name": "Long", "action": "aws:sleep", "inputs": {"Duration": "PT1H"}});
        document(&world, "Steps", json!([nap("One"), hold, nap("Two"), long, nap("Never")]), json!({})).await;
        let input = json!({"DocumentName": "Steps", "Mode": "Interactive", "Tags": [{"Key": "team", "Value": "ops"}]});
        let id = world.ok("StartAutomationExecution", input).await["AutomationExecutionId"].clone();
        let id = id.as_str().unwrap();
        let signal = |kind: &str, payload: Value| {
            json!({"AutomationExecutionId": id, "SignalType": kind, "Payload": payload})
        };
        world.plane.tick().await;
        let waiting = told(&world, id).await;
        assert_eq!(
            (&waiting["AutomationExecutionStatus"], &waiting["CurrentStepName"], &waiting["Mode"]),
            (&json!("Waiting"), &json!("One"), &json!("Interactive"))
        );
        assert_eq!(statuses(&waiting)[0], ("One".to_owned(), "Pending".to_owned()));
        world
            .refused("SendAutomationSignal", signal("StartStep", json!({"StepName": ["Two"]})), "AutomationStepNotFoundException")
            .await;
        world.ok("SendAutomationSignal", signal("StartStep", json!({"StepName": ["One"]}))).await;
        ticks(&world, 2).await;
        assert_eq!(told(&world, id).await["CurrentStepName"], "Hold");
        // The pause is begun, and then resumed.
        let world = world.restarted().await;
        world.ok("SendAutomationSignal", signal("Resume", json!({"StepName": ["Hold"]}))).await;
        ticks(&world, 2).await;
        assert_eq!(statuses(&told(&world, id).await)[1], ("Hold".to_owned(), "Waiting".to_owned()));
        world.ok("SendAutomationSignal", signal("Resume", json!({"StepName": ["Hold"]}))).await;
        ticks(&world, 2).await;
        for step in ["Two", "Long"] {
            assert_eq!(told(&world, id).await["CurrentStepName"], step);
            world.ok("SendAutomationSignal", signal("StartStep", json!({"StepName": [step]}))).await;
            ticks(&world, 2).await;
        }
        let running = told(&world, id).await;
        let step = &running["StepExecutions"][3];
        assert_eq!((&step["StepName"], &step["StepStatus"]), (&json!("Long"), &json!("InProgress")));
        world
            .refused("SendAutomationSignal", signal("StartStep", json!({})), "InvalidAutomationSignalException")
            .await;
        world
            .refused("SendAutomationSignal", signal("StopStep", json!({"StepExecutionId": ["none"]})), "AutomationStepNotFoundException")
            .await;
        world
            .refused("SendAutomationSignal", signal("Revoke", json!({})), "InvalidAutomationSignalException")
            .await;
        world.ok("SendAutomationSignal", signal("StopStep", json!({"StepExecutionId": [step["StepExecutionId"]]}))).await;
        ticks(&world, 2).await;
        let ended = told_ended(&world, id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Cancelled");
        assert_eq!(
            statuses(&ended),
            pairs(&[("One", "Success"), ("Hold", "Success"), ("Two", "Success"), ("Long", "Cancelled"), ("Never", "Pending")])
        );
        let tag = |key: &str| json!({"ResourceType": "Automation", "ResourceId": id, "Tags": [{"Key": key, "Value": "1"}]});
        world.ok("AddTagsToResource", tag("more")).await;
        let of = json!({"ResourceType": "Automation", "ResourceId": id});
        let tags = world.ok("ListTagsForResource", of).await;
        assert_eq!(tags["TagList"].as_array().unwrap().len(), 2);
        let by = |key: &str| json!({"Filters": [{"Key": "TagKey", "Values": [key]}]});
        for (key, count) in [("team", 1), ("none", 0)] {
            let listed = world.ok("DescribeAutomationExecutions", by(key)).await;
            assert_eq!(listed["AutomationExecutionMetadataList"].as_array().unwrap().len(), count);
        }
        let nobody = json!({"ResourceType": "Automation", "ResourceId": "0b7e4f9e-66a5-4c1f-8c5e-8a5a3a0c9b11"});
        world.refused("ListTagsForResource", nobody, "InvalidResourceId").await;
    })
    .await;
}

#[tokio::test]
async fn a_preview_tells_what_would_be_touched() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for name in ["one", "two"] {
            let node = world.node(name).await;
            let tags = json!({"ResourceType": "ManagedInstance", "ResourceId": node.id,
                "Tags": [{"Key": "role", "Value": "web"}]});
            world.ok("AddTagsToResource", tags).await;
        }
        let run = json!({"name": "Run", "action": "aws:runCommand", "inputs": {"DocumentName": "AWS-RunShellScript",
            "InstanceIds": ["{{ Who }}"], "Parameters": {"commands": ["true"]}}});
        let put = api("Put", "PutParameter", json!({"Name": "/a", "Value": "1", "Type": "String"}));
        let each = json!({"name": "Each", "action": "aws:loop", "inputs": {"Iterators": ["a"], "Steps": [put]}});
        let steps = json!([run, each, api("Get", "GetParameter", json!({"Name": "/a"})),
            api("Any", "{{ Call }}", json!({}))]);
        let more = json!({"parameters": {"Who": {"type": "AWS::EC2::Instance::Id"}, "Call": {"type": "String", "default": "x"}}});
        document(&world, "Touches", steps, more).await;
        let preview = async |inputs: Value| {
            let input = json!({"DocumentName": "Touches", "ExecutionInputs": {"Automation": inputs}});
            let id = world.ok("StartExecutionPreview", input).await["ExecutionPreviewId"].clone();
            world.ok("GetExecutionPreview", json!({"ExecutionPreviewId": id})).await
        };
        let by_tag = json!([{"Key": "tag:role", "Values": ["web"]}]);
        let told = preview(json!({"TargetParameterName": "Who", "Targets": by_tag})).await;
        assert_eq!(told["Status"], "Success", "{told}");
        assert_eq!(
            told["ExecutionPreview"]["Automation"],
            json!({"StepPreviews": {"Mutating": 1, "NonMutating": 1, "Undetermined": 2}, "Regions": ["eu-west-1"],
                "TargetPreviews": [{"Count": 2, "TargetType": "AWS::SSM::ManagedInstance"}], "TotalAccounts": 1})
        );
        let told = preview(json!({"TargetParameterName": "Who", "Targets": values(&["i-1", "i-2", "i-3"])})).await;
        let targets = &told["ExecutionPreview"]["Automation"]["TargetPreviews"];
        assert_eq!(targets, &json!([{"Count": 3, "TargetType": "AWS::EC2::Instance::Id"}]));
        let told = preview(json!({})).await;
        assert_eq!(told["Status"], "Failed");
        assert!(told["StatusMessage"].as_str().unwrap().contains("Missing required parameter: Who"), "{told}");
        let nothing = world.ok("DescribeAutomationExecutions", json!({})).await;
        assert_eq!(nothing["AutomationExecutionMetadataList"], json!([]));
        world.refused("StartExecutionPreview", json!({"DocumentName": "None"}), "ValidationException").await;
        let missing = json!({"ExecutionPreviewId": "0b7e4f9e-66a5-4c1f-8c5e-8a5a3a0c9b11"});
        world.refused("GetExecutionPreview", missing, "ResourceNotFoundException").await;
        // The next one forgets those of the day before.
        let old = world.ok("StartExecutionPreview", json!({"DocumentName": "Touches"})).await;
        world.clock.advance(86_400_001);
        world.ok("StartExecutionPreview", json!({"DocumentName": "Touches"})).await;
        world.refused("GetExecutionPreview", old, "ResourceNotFoundException").await;
    })
    .await;
}

//! Runbooks: the guide's example on two nodes over a restart, every action, failures, approving. Long because each case
//! tells a whole story.

use crate::agent::{Agent, serve};
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

pub(crate) async fn document(world: &World, name: &str, steps: Value, more: Value) {
    let mut content = json!({"schemaVersion": "0.3", "mainSteps": steps});
    for (name, value) in more.as_object().unwrap() {
        content[name] = value.clone();
    }
    let input = json!({"Name": name, "DocumentType": "Automation", "Content": content.to_string()});
    world.ok("CreateDocument", input).await;
}

pub(crate) async fn start(world: &World, name: &str, parameters: Value) -> String {
    let mut input = json!({"DocumentName": name});
    if parameters != json!({}) {
        input["Parameters"] = parameters;
    }
    let started = world.ok("StartAutomationExecution", input).await;
    started["AutomationExecutionId"].as_str().unwrap().to_owned()
}

pub(crate) async fn told(world: &World, id: &str) -> Value {
    let input = json!({"AutomationExecutionId": id});
    world.ok("GetAutomationExecution", input).await["AutomationExecution"].clone()
}

/// Names of steps with how they stand.
pub(crate) fn statuses(told: &Value) -> Vec<(String, String)> {
    let steps = told["StepExecutions"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    steps
        .iter()
        .map(|step| (text(&step["StepName"]), text(&step["StepStatus"])))
        .collect()
}

pub(crate) fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(name, status)| ((*name).to_owned(), (*status).to_owned()))
        .collect()
}

/// Runs one that needs no node to its end.
async fn run(world: &World, name: &str, parameters: Value) -> Value {
    let id = start(world, name, parameters).await;
    for _ in 0..10 {
        world.plane.tick().await;
    }
    told(world, &id).await
}

async fn signal(world: &World, id: &str, kind: &str, payload: Value) {
    let input = json!({"AutomationExecutionId": id, "SignalType": kind, "Payload": payload});
    world.ok("SendAutomationSignal", input).await;
    world.plane.tick().await;
}

pub(crate) fn api(name: &str, api: &str, more: Value) -> Value {
    let mut step =
        json!({"name": name, "action": "aws:executeAwsApi", "inputs": {"Service": "ssm", "Api": api}});
    for (key, value) in more.as_object().unwrap() {
        match key.as_str() {
            "outputs" | "onFailure" | "isEnd" | "nextStep" => step[key] = value.clone(),
            _ => step["inputs"][key] = value.clone(),
        }
    }
    step
}

/// The document of the guide that users start from.
fn restart_services() -> Value {
    json!([
        {"name": "StopService", "action": "aws:runCommand", "inputs": {"DocumentName": "AWS-RunShellScript",
            "InstanceIds": "{{ InstanceIds }}", "Parameters": {"commands": ["systemctl stop {{ ServiceName }}"]}}},
        {"name": "WaitForStop", "action": "aws:sleep", "inputs": {"Duration": "PT10S"}},
        {"name": "StartService", "action": "aws:runCommand", "inputs": {"DocumentName": "AWS-RunShellScript",
            "InstanceIds": "{{ InstanceIds }}", "Parameters": {"commands":
                ["systemctl start {{ ServiceName }}", "systemctl enable {{ ServiceName }}"]}}}
    ])
}

fn restart_parameters() -> Value {
    json!({"parameters": {
        "InstanceIds": {"type": "StringList", "description": "Instance IDs to restart services on"},
        "ServiceName": {"type": "String", "description": "Name of service to restart", "default": "httpd"}}})
}

#[tokio::test]
async fn the_guides_runbook_runs_on_its_nodes_and_over_a_restart() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let (mut one, mut two) = (world.node("one").await, world.node("two").await);
        // Commands go out one by one at first, in the order of the nodes' ids.
        if one.id > two.id {
            std::mem::swap(&mut one, &mut two);
        }
        document(
            &world,
            "RestartApplicationServices",
            restart_services(),
            restart_parameters(),
        )
        .await;
        let (mut first, mut second) = (
            Agent::connect(&world, &one, address, &[]).await,
            Agent::connect(&world, &two, address, &[]).await,
        );
        // As people name instances.
        let ids = [&one.id, &two.id].map(|id| id.replace("mi-", "i-"));
        let id = start(
            &world,
            "RestartApplicationServices",
            json!({"InstanceIds": ids, "ServiceName": ["nginx"]}),
        )
        .await;
        assert_eq!(told(&world, &id).await["AutomationExecutionStatus"], "Pending");
        world.plane.tick().await;
        let running = told(&world, &id).await;
        assert_eq!(running["AutomationExecutionStatus"], "InProgress");
        assert_eq!(
            (&running["CurrentStepName"], &running["CurrentAction"]),
            (&json!("StopService"), &json!("aws:runCommand"))
        );
        assert_eq!(
            statuses(&running),
            pairs(&[
                ("StopService", "InProgress"),
                ("WaitForStop", "Pending"),
                ("StartService", "Pending")
            ])
        );
        let inputs = &running["StepExecutions"][0]["Inputs"];
        assert_eq!(inputs["InstanceIds"], json!([one.id, two.id]).to_string());
        assert_eq!(inputs["DocumentName"], "\"AWS-RunShellScript\"");
        world.plane.tick().await;
        for agent in [&mut first, &mut second] {
            let (message, job, content) = agent.job().await;
            assert_eq!(content.parameters["commands"], json!(["systemctl stop nginx"]));
            agent.ack(&message, &job.job_id, "200").await;
            agent
                .end(&content.command_id, "Success", 0, "stopped\n", "")
                .await;
            world.plane.tick().await;
        }
        world.plane.tick().await;
        let asleep = told(&world, &id).await;
        assert_eq!(
            asleep["StepExecutions"][0]["Outputs"]["Output"],
            json!(["stopped\n"])
        );
        assert_eq!(asleep["StepExecutions"][0]["ResponseCode"], "0");
        assert_eq!(asleep["CurrentStepName"], "WaitForStop");
        let world = world.restarted().await;
        let address = serve(&world).await;
        drop((first, second));
        world.clock.advance(9_000);
        world.plane.tick().await;
        assert_eq!(told(&world, &id).await["CurrentStepName"], "WaitForStop");
        world.clock.advance(1_000);
        let (mut first, mut second) = (
            Agent::connect(&world, &one, address, &[]).await,
            Agent::connect(&world, &two, address, &[]).await,
        );
        world.plane.tick().await;
        world.plane.tick().await;
        for (agent, status, code) in [(&mut first, "Success", 0), (&mut second, "Failed", 1)] {
            let (message, job, content) = agent.job().await;
            assert_eq!(
                content.parameters["commands"],
                json!(["systemctl start nginx", "systemctl enable nginx"])
            );
            agent.ack(&message, &job.job_id, "200").await;
            agent
                .end(&content.command_id, status, code, "", "no such unit\n")
                .await;
            world.plane.tick().await;
        }
        world.plane.tick().await;
        let ended = told(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Failed");
        let message = ended["FailureMessage"].as_str().unwrap();
        assert!(
            message.contains("Step StartService failed.") && message.contains("1 of 2 nodes"),
            "{message}"
        );
        assert_eq!(ended["ProgressCounters"]["SuccessSteps"], 2);
        // The acts are in the log, in the control plane's own name.
        let log = world.audit.0.lock().unwrap().clone();
        let sent: Vec<_> = log
            .iter()
            .filter(|(actor, intent, outcome)| {
                outcome.is_none() && intent.logged_as() == "ssm.SendCommand" && !actor.starts_with("key:")
            })
            .collect();
        assert_eq!(sent.len(), 1, "of this start of the program");
    })
    .await;
}

#[tokio::test]
async fn steps_hand_values_on_choose_call_and_start_others() {
    on_both(|db| async move {
        let world = World::new(db).await;
        world.node("one").await;
        let child = json!([api("Put", "PutParameter", json!({"Name": "/app/{{ Name }}", "Value": "{{ global:REGION }}",
            "Type": "String"}))]);
        let declared = json!({"parameters": {"Name": {"type": "String"}}, "outputs": ["Put.OutputPayload"]});
        document(&world, "Child", child, declared).await;
        let steps = json!([
            api("Nodes", "describe_instance_information", json!({"MaxResults": 5, "outputs": [
                {"Name": "Ids", "Selector": "$.InstanceInformationList..InstanceId", "Type": "StringList"}]})),
            {"name": "Note", "action": "aws:updateVariable", "inputs": {"Name": "variable:found", "Value": "{{ Nodes.Ids }}"}},
            {"name": "Choose", "action": "aws:branch", "inputs": {"Choices": [
                {"NextStep": "Never", "Variable": "{{ variable:found }}", "Contains": "i-none"},
                {"NextStep": "Start", "Variable": "{{ Size }}", "NumericGreater": 2}], "Default": "Never"}},
            {"name": "Never", "action": "aws:sleep", "inputs": {"Duration": "PT1H"}},
            {"name": "Start", "action": "aws:executeAutomation", "inputs": {"DocumentName": "Child",
                "RuntimeParameters": {"Name": "{{ Who }}"}}},
            {"name": "Check", "action": "aws:assertAwsResourceProperty", "inputs": {"Service": "ssm", "Api": "GetParameter",
                "Name": "/app/{{ Who }}", "PropertySelector": "$.Parameter.Value", "DesiredValues": ["eu-west-1"]}}
        ]);
        let more = json!({"parameters": {"Who": {"type": "String"}, "Size": {"type": "Integer", "default": 3}},
            "variables": {"found": {"type": "StringList"}}, "outputs": ["Nodes.Ids", "Start.Status"]});
        document(&world, "Parent", steps, more).await;
        let told = run(&world, "Parent", json!({"Who": ["web"]})).await;
        assert_eq!(told["AutomationExecutionStatus"], "Success", "{told}");
        assert_eq!(
            statuses(&told),
            pairs(&[("Nodes", "Success"), ("Note", "Success"), ("Choose", "Success"), ("Start", "Success"),
                ("Check", "Success"), ("Never", "Pending")])
        );
        assert_eq!(told["Outputs"]["Start.Status"], json!(["Success"]));
        assert_eq!(told["Variables"]["found"], told["Outputs"]["Nodes.Ids"]);
        assert_eq!(told["Parameters"]["Size"], json!(["3"]));
        let children = json!({"Filters": [{"Key": "ParentExecutionId", "Values": [told["AutomationExecutionId"]]}]});
        let children = world.ok("DescribeAutomationExecutions", children).await;
        let child = &children["AutomationExecutionMetadataList"][0];
        assert_eq!((&child["DocumentName"], &child["AutomationExecutionStatus"]), (&json!("Child"), &json!("Success")));
        // Once more: the parameter is there, and what it says is told.
        let again = run(&world, "Parent", json!({"Who": ["web"]})).await;
        assert_eq!(again["AutomationExecutionStatus"], "Failed");
        assert!(again["FailureMessage"].as_str().unwrap().contains("ParameterAlreadyExists"), "{again}");
    })
    .await;
}

#[tokio::test]
async fn failures_are_tried_again_led_elsewhere_or_passed_over() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let gone = |name: &str, more: Value| {
            let mut step = api(name, "GetParameter", json!({"Name": "/gone"}));
            for (key, value) in more.as_object().unwrap() {
                step[key] = value.clone();
            }
            step
        };
        let tell = json!({"name": "Tell", "action": "aws:sleep", "inputs": {"Duration": "PT0S"}, "isEnd": true});
        document(&world, "Elsewhere", json!([gone("Ask", json!({"onFailure": "step:Tell", "maxAttempts": 3})), tell]), json!({})).await;
        let told = run(&world, "Elsewhere", json!({})).await;
        assert_eq!(told["AutomationExecutionStatus"], "Failed");
        assert_eq!(statuses(&told), pairs(&[("Ask", "Failed"), ("Tell", "Success")]));
        assert!(told["FailureMessage"].as_str().unwrap().contains("ParameterNotFound"), "{told}");
        document(&world, "Passed", json!([gone("Ask", json!({"onFailure": "Continue"})), tell]), json!({})).await;
        let told = run(&world, "Passed", json!({})).await;
        assert_eq!(told["AutomationExecutionStatus"], "Success");
        let unset = json!([{"name": "Use", "action": "aws:sleep", "inputs": {"Duration": "{{ Tell.None }}"}}, tell]);
        document(&world, "Unset", unset, json!({})).await;
        let told = run(&world, "Unset", json!({})).await;
        assert!(told["FailureMessage"].as_str().unwrap().contains("{{ Tell.None }} has no value"), "{told}");
        for (action, says) in [
            ("aws:runInstances", "services that are not here"),
            ("aws:createStack", "services that are not here"),
        ] {
            let name = action.replace("aws:", "Doc-");
            document(&world, &name, json!([{"name": "S", "action": action, "inputs": {}}]), json!({})).await;
            let told = run(&world, &name, json!({})).await;
            assert!(told["FailureMessage"].as_str().unwrap().contains(says), "{told}");
        }
        let alone = json!([{"name": "Ask", "action": "aws:approve", "inputs": {"Approvers": ["arn:aws:iam::1:user/alice"]}}]);
        document(&world, "Alone", alone, json!({})).await;
        let told = run(&world, "Alone", json!({})).await;
        assert!(told["FailureMessage"].as_str().unwrap().contains("0 of its Approvers are known here"), "{told}");
        let follows = json!([
            {"name": "Note", "action": "aws:updateVariable", "inputs": {"Name": "variable:v", "Value": "{{ Text }}"}},
            {"name": "Run", "action": "aws:runCommand", "inputs": {"DocumentName": "AWS-RunShellScript",
                "Targets": [{"Key": "tag:a", "Values": ["b"]}], "Parameters": {"commands": ["echo {{ variable:v }}"]}}}]);
        let more = json!({"parameters": {"Text": {"type": "StringMap"}}, "variables": {"v": {"type": "String"}}});
        document(&world, "Follows", follows, more).await;
        let told = run(&world, "Follows", json!({"Text": [r#"{"a": "\u007b\u007bssm:/x\u007d\u007d"}"#]})).await;
        assert!(told["FailureMessage"].as_str().unwrap().contains("would be followed"), "{told}");
        // A secret is not put where everybody reads it.
        let secret = json!([api("Read", "GetParameter", json!({"Name": "/x", "WithDecryption": true}))]);
        document(&world, "Secret", secret, json!({})).await;
        let told = run(&world, "Secret", json!({})).await;
        assert!(told["FailureMessage"].as_str().unwrap().contains("a secret"), "{told}");
        // Runbooks that start themselves end.
        let itself = json!([{"name": "Again", "action": "aws:executeAutomation", "inputs": {"DocumentName": "Itself"}}]);
        document(&world, "Itself", itself, json!({})).await;
        let id = start(&world, "Itself", json!({})).await;
        for _ in 0..30 {
            world.plane.tick().await;
        }
        let told = told_ended(&world, &id).await;
        assert!(told["FailureMessage"].as_str().unwrap().contains("5 deep"), "{told}");
    })
    .await;
}

pub(crate) async fn told_ended(world: &World, id: &str) -> Value {
    let told = told(world, id).await;
    assert!(told["ExecutionEndTime"].is_number(), "{told}");
    told
}

#[tokio::test]
async fn people_approve_resume_and_stop() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let steps = json!([
            {"name": "Ask", "action": "aws:approve", "timeoutSeconds": 600, "onFailure": "Abort",
                "inputs": {"Approvers": ["arn:aws:iam::123456789012:user/operator"], "Message": "May I?"}},
            {"name": "Hold", "action": "aws:pause", "inputs": {}},
            {"name": "Sleep", "action": "aws:sleep", "inputs": {"Duration": "PT1H"}}
        ]);
        document(&world, "Asks", steps, json!({"outputs": ["Ask.ApprovalStatus"]})).await;
        let id = start(&world, "Asks", json!({})).await;
        world.plane.tick().await;
        assert_eq!(told(&world, &id).await["AutomationExecutionStatus"], "Waiting");
        let refused = |kind: &str| json!({"AutomationExecutionId": id, "SignalType": kind});
        for kind in ["Resume", "StartStep", "StopStep", "Revoke"] {
            world
                .refused(
                    "SendAutomationSignal",
                    refused(kind),
                    "InvalidAutomationSignalException",
                )
                .await;
        }
        let other =
            json!({"AutomationExecutionId": id, "SignalType": "Approve", "Payload": {"StepName": ["Hold"]}});
        world
            .refused("SendAutomationSignal", other, "AutomationStepNotFoundException")
            .await;
        signal(&world, &id, "Approve", json!({"Comment": ["go"]})).await;
        world
            .refused(
                "SendAutomationSignal",
                refused("Approve"),
                "InvalidAutomationSignalException",
            )
            .await;
        let held = told(&world, &id).await;
        assert_eq!(
            statuses(&held),
            pairs(&[("Ask", "Success"), ("Hold", "Waiting"), ("Sleep", "Pending")])
        );
        let decisions = held["StepExecutions"][0]["Outputs"]["ApproverDecisions"][0]
            .as_str()
            .unwrap();
        assert!(
            decisions.contains("go") && decisions.contains("user/operator"),
            "{decisions}"
        );
        signal(&world, &id, "Resume", json!({"StepName": ["Hold"]})).await;
        assert_eq!(told(&world, &id).await["CurrentStepName"], "Sleep");
        world
            .ok("StopAutomationExecution", json!({"AutomationExecutionId": id}))
            .await;
        assert_eq!(told(&world, &id).await["AutomationExecutionStatus"], "Cancelling");
        world.plane.tick().await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Cancelled");
        assert_eq!(ended["Outputs"]["Ask.ApprovalStatus"], json!(["Approved"]));
        let stop = json!({"AutomationExecutionId": id});
        world
            .refused(
                "StopAutomationExecution",
                stop,
                "InvalidAutomationStatusUpdateException",
            )
            .await;

        let id = start(&world, "Asks", json!({})).await;
        world.plane.tick().await;
        signal(&world, &id, "Reject", json!({})).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(
            (
                &ended["AutomationExecutionStatus"],
                &ended["StepExecutions"][0]["StepStatus"]
            ),
            (&json!("Failed"), &json!("Failed"))
        );
        let id = start(&world, "Asks", json!({})).await;
        world.plane.tick().await;
        world.clock.advance(600_000);
        world.plane.tick().await;
        assert_eq!(
            told_ended(&world, &id).await["AutomationExecutionStatus"],
            "TimedOut"
        );
        // After the step that runs.
        let id = start(&world, "Asks", json!({})).await;
        world.plane.tick().await;
        world
            .ok(
                "StopAutomationExecution",
                json!({"AutomationExecutionId": id, "Type": "Complete"}),
            )
            .await;
        world.plane.tick().await;
        assert_eq!(told(&world, &id).await["AutomationExecutionStatus"], "Waiting");
        signal(&world, &id, "Approve", json!({})).await;
        assert_eq!(
            told_ended(&world, &id).await["AutomationExecutionStatus"],
            "Success"
        );
    })
    .await;
}

//! Documents that need other documents: what goes with a command, and commands that refresh associations.

use crate::agent::{Agent, serve};
use crate::world::{Node, World};
use muster_store::test_database::on_both;
use serde_json::{Value, json};

async fn document(world: &World, name: &str, steps: Value) {
    let content = json!({"schemaVersion": "2.2", "parameters": {"who": {"type": "String", "default": "you"}},
        "mainSteps": steps});
    let input = json!({"Name": name, "DocumentType": "Command", "Content": content.to_string()});
    world.ok("CreateDocument", input).await;
}

fn greet(word: &str) -> Value {
    json!([{"action": "aws:runShellScript", "name": "greet", "inputs": {"runCommand": [format!("echo {word} {{{{ who }}}}")]}}])
}

fn runs(path: &str) -> Value {
    json!([{"action": "aws:runDocument", "name": "run", "inputs": {"documentType": "SSMDocument", "documentPath": path,
        "documentParameters": {"who": "{{ who }}"}}}])
}

async fn send(world: &World, name: &str, nodes: &[&Node]) -> String {
    let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
    let sent = world
        .ok("SendCommand", json!({"DocumentName": name, "InstanceIds": ids}))
        .await;
    sent["Command"]["CommandId"].as_str().unwrap().to_owned()
}

async fn content(agent: &mut Agent) -> Value {
    let message = agent.receive_long("agent_job").await;
    let job: Value = serde_json::from_slice(&message.payload).unwrap();
    serde_json::from_str(job["Content"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn which_version_runs_is_decided_when_the_command_is_sent() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        document(&world, "Greet", greet("hello")).await;
        document(&world, "Middle", runs("Greet")).await;
        document(&world, "Outer", runs("{{ who }}")).await;
        // The name comes from a parameter, and the document within has one within it.
        let input = json!({"DocumentName": "Outer", "InstanceIds": [node.id], "Parameters": {"who": ["Middle"]}});
        world.ok("SendCommand", input).await;
        let changed = json!({"schemaVersion": "2.2", "parameters": {"who": {"type": "String", "default": "you"}},
            "mainSteps": greet("later")});
        let update = json!({"Name": "Greet", "Content": changed.to_string(), "DocumentVersion": "$LATEST"});
        world.ok("UpdateDocument", update).await;
        let default = json!({"Name": "Greet", "DocumentVersion": "2"});
        world.ok("UpdateDocumentDefaultVersion", default).await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        world.plane.tick().await;
        let sent = content(&mut agent).await;
        let middle = &sent["DocumentContent"]["mainSteps"][0]["inputs"]["musterDocument"];
        let inner = &middle["mainSteps"][0]["inputs"]["musterDocument"];
        assert_eq!(inner["mainSteps"], greet("hello"), "{sent}");
        // A document that somebody calls like ours is not taken for it.
        let forged = json!([{"action": "aws:runDocument", "name": "run", "inputs": {"documentType": "LocalPath",
            "documentPath": "x.json", "musterDocument": {"schemaVersion": "2.2", "mainSteps": greet("forged")}}}]);
        document(&world, "Forged", forged).await;
        send(&world, "Forged", &[&node]).await;
        world.plane.tick().await;
        let sent = content(&mut agent).await;
        let inputs = &sent["DocumentContent"]["mainSteps"][0]["inputs"];
        assert!(inputs.get("musterDocument").is_none(), "{sent}");
    })
    .await;
}

#[tokio::test]
async fn what_is_within_is_checked_and_has_its_time() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        let shell = |parameters: Value| {
            json!([{"action": "aws:runDocument", "name": "run", "inputs": {"documentType": "SSMDocument",
                "documentPath": "AWS-RunShellScript", "documentParameters": parameters}}])
        };
        document(
            &world,
            "Long",
            shell(json!({"commands": ["true"], "executionTimeout": "36000"})),
        )
        .await;
        let command = send(&world, "Long", &[&node]).await;
        let told = world.ok("ListCommands", json!({"CommandId": command})).await;
        let command = &told["Commands"][0];
        let lasts =
            command["ExpiresAfter"].as_f64().unwrap() - command["RequestedDateTime"].as_f64().unwrap();
        assert_eq!(lasts, 36_000.0 + 3_600.0);
        for (name, parameters) in [
            ("Unknown", json!({"commands": ["true"], "x": "y"})),
            ("Missing", json!({})),
            ("Pattern", json!({"commands": ["true"], "executionTimeout": "0"})),
        ] {
            document(&world, name, shell(parameters)).await;
            let input = json!({"DocumentName": name, "InstanceIds": [node.id]});
            world.refused("SendCommand", input, "InvalidParameters").await;
        }
        // Each one runs the next one twenty times: together they would be 8,000.
        document(&world, "Last", greet("d")).await;
        for (name, next) in [("Third", "Last"), ("Second", "Third"), ("First", "Second")] {
            let steps: Vec<Value> = (0..20)
                .map(|at| {
                    let mut step = runs(next)[0].clone();
                    step["name"] = format!("run{at}").into();
                    step
                })
                .collect();
            document(&world, name, Value::Array(steps)).await;
        }
        let input = json!({"DocumentName": "First", "InstanceIds": [node.id]});
        let told = world.refused("SendCommand", input, "InvalidDocument").await;
        assert!(told.contains("more than 100"), "{told}");
        // One that is only downloaded cannot bring others with it.
        document(&world, "Needs", runs("Last")).await;
        let input = json!({"DocumentName": "AWS-RunDocument", "InstanceIds": [node.id], "Parameters": {
            "sourceType": ["SSMDocument"], "sourceInfo": [r#"{"name": "Needs"}"#]}});
        let told = world.refused("SendCommand", input, "InvalidDocument").await;
        assert!(
            told.contains("Needs has the step run of aws:runDocument"),
            "{told}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_baseline_goes_with_a_document_that_patches_within_another() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let patch = json!([{"action": "aws:runDocument", "name": "patch", "inputs": {"documentType": "SSMDocument",
            "documentPath": "AWS-RunPatchBaseline", "documentParameters": {"Operation": "Scan"}}}]);
        document(&world, "Patch", patch).await;
        send(&world, "Patch", &[&node]).await;
        let (plane, stop) = (std::sync::Arc::clone(&world.plane), tokio_util::sync::CancellationToken::new());
        let background = tokio::spawn(plane.run_background(stop.clone()));
        let sent = content(&mut agent).await;
        let inner = &sent["DocumentContent"]["mainSteps"][0]["inputs"]["musterDocument"]["mainSteps"][0]["inputs"];
        assert!(inner["musterPatchSnapshot"]["Baseline"].is_object(), "{sent}");
        stop.cancel();
        background.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_association_that_refreshes_within_another_document_has_an_end() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let _agent = Agent::connect(&world, &node, address, &[]).await;
        document(&world, "Greet", greet("hello")).await;
        let within = json!([{"action": "aws:runDocument", "name": "run", "inputs": {"documentType": "SSMDocument",
            "documentPath": "AWS-RefreshAssociation"}}]);
        document(&world, "Within", within).await;
        let mut ids = Vec::new();
        for name in ["Greet", "Within"] {
            let input = json!({"Name": name, "Targets": [{"Key": "InstanceIds", "Values": [node.id]}]});
            let made = world.ok("CreateAssociation", input).await;
            ids.push(made["AssociationDescription"]["AssociationId"].clone());
        }
        let runs = async |id: &Value| {
            let found = world
                .ok("DescribeAssociationExecutions", json!({"AssociationId": id}))
                .await;
            found["AssociationExecutions"].as_array().unwrap().len()
        };
        world
            .until("the other one is run once more", || async {
                world.plane.tick().await;
                runs(&ids[0]).await == 2
            })
            .await;
        for _ in 0..5 {
            world.plane.tick().await;
        }
        assert_eq!((runs(&ids[0]).await, runs(&ids[1]).await), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn associations_are_refreshed_on_the_nodes_of_the_command_alone() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let address = serve(&world).await;
        let (one, two) = (world.node("one").await, world.node("two").await);
        let mut agent = Agent::connect(&world, &one, address, &[]).await;
        document(&world, "Greet", greet("hello")).await;
        let association = |name: &str| {
            json!({"Name": name, "Targets": [{"Key": "InstanceIds", "Values": [one.id, two.id]}]})
        };
        let made = world.ok("CreateAssociation", association("Greet")).await;
        let id = made["AssociationDescription"]["AssociationId"].as_str().unwrap().to_owned();
        let endless = world.ok("CreateAssociation", association("AWS-RefreshAssociation")).await;
        let endless = endless["AssociationDescription"]["AssociationId"].as_str().unwrap().to_owned();
        let runs = |id: String| {
            let world = &world;
            async move {
                let found = world
                    .ok("DescribeAssociationExecutions", json!({"AssociationId": id}))
                    .await;
                found["AssociationExecutions"].as_array().unwrap().len()
            }
        };
        // The one that refreshes is sent: it runs the other one once more, and not itself.
        let until = async |count: usize| {
            world
                .until("it runs", || async {
                    world.plane.tick().await;
                    runs(id.clone()).await >= count
                })
                .await;
            for _ in 0..3 {
                world.plane.tick().await;
            }
            assert_eq!((runs(id.clone()).await, runs(endless.clone()).await), (count, 1));
        };
        until(2).await;
        let command = send(&world, "AWS-RefreshAssociation", &[&one]).await;
        until(3).await;
        let commands = world.ok("ListCommands", json!({})).await;
        let newest = commands["Commands"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|command| command["DocumentName"] == "Greet")
            .map(|command| command["TargetCount"].as_i64().unwrap())
            .min();
        assert_eq!(newest, Some(1), "{commands}");
        // Only those that are named.
        let other = json!({"DocumentName": "AWS-RefreshAssociation", "InstanceIds": [one.id],
            "Parameters": {"associationIds": [endless]}});
        let other = world.ok("SendCommand", other).await;
        let (command, other) = (command.as_str(), other["Command"]["CommandId"].as_str().unwrap());
        // Both have come to the node, with all that they were to start.
        let mut seen = Vec::new();
        while !(seen.contains(&command.to_owned()) && seen.contains(&other.to_owned())) {
            world.plane.tick().await;
            seen.push(content(&mut agent).await["CommandId"].as_str().unwrap().to_owned());
        }
        assert_eq!(runs(id.clone()).await, 3);
    })
    .await;
}

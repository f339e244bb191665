//! The runbooks that come with the control plane. Their scripts are really run, by a shell of the test in the node's place.

use crate::agent::{Agent, serve, step};
use crate::automation::{start, statuses, told, told_ended};
use crate::world::{Node, World};
use muster_agent_protocol::control::SendCommandContent;
use muster_store::Sql;
use muster_store::test_database::on_both;
use serde_json::{Value, json};
use std::path::Path;

async fn ticks(world: &World, count: usize) {
    for _ in 0..count {
        world.plane.tick().await;
    }
}

/// Runs what a node was sent; gives exit status and output.
async fn run(content: &SendCommandContent) -> (i32, String, String) {
    let lines = content.parameters["commands"].as_array().unwrap();
    let script: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    let output = tokio::process::Command::new("sh")
        .args(["-c", &script.join("\n")])
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A node that runs so many scripts.
async fn runs(world: &World, agent: &mut Agent, count: usize) -> Vec<(i32, String, String)> {
    let mut all = Vec::new();
    for _ in 0..count {
        ticks(world, 3).await;
        let (message, job, content) = agent.job().await;
        agent.ack(&message, &job.job_id, "200").await;
        let (code, stdout, stderr) = run(&content).await;
        let status = if code == 0 { "Success" } else { "Failed" };
        agent
            .end(&content.command_id, status, code, &stdout, &stderr)
            .await;
        all.push((code, stdout, stderr));
        ticks(world, 3).await;
    }
    all
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let made = std::process::Command::new("chmod").arg("755").arg(path).status();
    assert!(made.unwrap().success());
}

/// A program that looks after services, and writes down what it was asked.
fn services(folder: &Path) -> String {
    let path = folder.join("services");
    let log = folder.join("log");
    write(
        &path,
        &format!("#!/bin/sh\necho \"$1 $2\" >> {}\n", log.display()),
    );
    path.to_str().unwrap().to_owned()
}

fn log(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

async fn connected(world: &World) -> (Node, Agent) {
    let address = serve(world).await;
    let node = world.node("one").await;
    let agent = Agent::connect(world, &node, address, &[]).await;
    (node, agent)
}

#[tokio::test]
async fn services_are_restarted_one_after_the_other() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (node, mut agent) = connected(&world).await;
        let folder = tempfile::tempdir().unwrap();
        let given = json!({"InstanceIds": [node.id], "ServiceNames": ["web", "worker"], "WaitSeconds": ["0"],
            "ServiceCommand": [services(folder.path())]});
        let id = start(&world, "Muster-RestartServices", given).await;
        runs(&world, &mut agent, 6).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
        assert_eq!(
            log(folder.path()),
            [
                "stop web",
                "start web",
                "status web",
                "stop worker",
                "start worker",
                "status worker"
            ]
        );
        // What cannot be stopped everywhere is started again everywhere, and the rest is left alone.
        let stubborn = folder.path().join("stubborn");
        let written = folder.path().join("log");
        write(
            &stubborn,
            &format!(
                "#!/bin/sh\necho \"$1 $2\" >> {}\ntest $1 != stop\n",
                written.display()
            ),
        );
        std::fs::remove_file(&written).unwrap();
        let given = json!({"InstanceIds": [node.id], "ServiceNames": ["web", "worker"], "WaitSeconds": ["0"],
            "ServiceCommand": [stubborn.to_str().unwrap()]});
        let id = start(&world, "Muster-RestartServices", given).await;
        runs(&world, &mut agent, 2).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Failed", "{ended}");
        let message = ended["FailureMessage"].as_str().unwrap();
        assert!(message.contains("Step StopService failed"), "{message}");
        assert_eq!(log(folder.path()), ["stop web", "start web"]);
        let odd = json!({"InstanceIds": [node.id], "ServiceNames": ["web; reboot"]});
        let input = json!({"DocumentName": "Muster-RestartServices", "Parameters": odd});
        let code = "InvalidAutomationExecutionParametersException";
        world.refused("StartAutomationExecution", input, code).await;
        let listed = json!({"Filters": [{"Key": "DocumentType", "Values": ["Automation"]}]});
        let listed = world.ok("ListDocuments", listed).await["DocumentIdentifiers"].clone();
        let names: Vec<&Value> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["Name"])
            .collect();
        assert_eq!(
            names,
            [
                "AWS-PatchInstanceWithRollback",
                "Muster-DeployApplication",
                "Muster-RestartServices"
            ]
        );
        assert_eq!(listed[0]["Owner"], "Amazon");
    })
    .await;
}

fn archive(folder: &Path, version: &str, is_well: bool) {
    let content = folder.join(format!("content-{version}"));
    std::fs::create_dir_all(&content).unwrap();
    std::fs::write(content.join("version"), version).unwrap();
    if is_well {
        std::fs::write(content.join("well"), "yes").unwrap();
    }
    let made = std::process::Command::new("tar")
        .arg("-czf")
        .arg(folder.join(format!("app-{version}.tar.gz")))
        .arg("-C")
        .arg(&content)
        .arg(".")
        .status();
    assert!(made.unwrap().success());
}

#[tokio::test]
async fn an_application_is_deployed_and_goes_back_when_it_is_not_well() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let (node, mut agent) = connected(&world).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        archive(path, "1.0", true);
        archive(path, "2.0", false);
        let app = path.join("app");
        let given = |version: &str| {
            json!({"InstanceIds": [node.id], "ApplicationName": ["web"], "Version": [version],
                "Source": [format!("file://{}/app-VERSION.tar.gz", path.display())], "Folder": [app.to_str().unwrap()],
                "HealthCheckUrl": [format!("file://{}/well", app.display())], "HealthCheckSeconds": ["1"],
                "ServiceCommand": [services(path)]})
        };
        let version = || std::fs::read_to_string(app.join("version")).unwrap();
        let id = start(&world, "Muster-DeployApplication", given("1.0")).await;
        let outputs = runs(&world, &mut agent, 5).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended} {outputs:?}");
        assert_eq!((version().as_str(), log(path)), ("1.0", vec!["start web".to_owned()]));
        let id = start(&world, "Muster-DeployApplication", given("2.0")).await;
        runs(&world, &mut agent, 6).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Failed");
        let message = ended["FailureMessage"].as_str().unwrap();
        assert!(message.contains("Step HealthCheck failed"), "{message}");
        let rolled = statuses(&ended).into_iter().find(|(name, _)| name == "RollBack").unwrap();
        assert_eq!((rolled.1.as_str(), version().as_str()), ("Success", "1.0"));
        assert_eq!(log(path)[1..], ["stop web", "start web", "stop web", "start web"]);
        // A version that is not there changes nothing.
        let id = start(&world, "Muster-DeployApplication", given("3.0")).await;
        runs(&world, &mut agent, 1).await;
        assert_eq!(told_ended(&world, &id).await["AutomationExecutionStatus"], "Failed");
        assert_eq!((version().as_str(), log(path).len()), ("1.0", 5));
        // Nor does one that is not what was released; the one that is is deployed.
        archive(path, "4.0", true);
        let with = |sha256: &str| {
            let mut given = given("4.0");
            given["Sha256"] = json!([sha256]);
            given
        };
        let id = start(&world, "Muster-DeployApplication", with(&"0".repeat(64))).await;
        let said = runs(&world, &mut agent, 1).await;
        assert!(said[0].2.contains("not what was released"), "{said:?}");
        assert_eq!(told_ended(&world, &id).await["AutomationExecutionStatus"], "Failed");
        assert_eq!((version().as_str(), log(path).len()), ("1.0", 5));
        let bytes = std::fs::read(path.join("app-4.0.tar.gz")).unwrap();
        let sha256 = muster_agent_protocol::signing::sha256_hex(&bytes).to_uppercase();
        let id = start(&world, "Muster-DeployApplication", with(&sha256)).await;
        runs(&world, &mut agent, 5).await;
        assert_eq!(told_ended(&world, &id).await["AutomationExecutionStatus"], "Success");
        assert_eq!(version(), "4.0");
    })
    .await;
}

/// Takes the next job, whatever it is, and ends it so.
async fn answer(world: &World, agent: &mut Agent, document: &str, step_name: &str, status: &str) {
    ticks(world, 3).await;
    let (message, job, content) = agent.job().await;
    assert_eq!(content.document_name, document);
    agent.ack(&message, &job.job_id, "200").await;
    let code = i32::from(status != "Success");
    agent
        .reply(
            &content.command_id,
            status,
            &[(step_name, step(status, code, "", ""))],
        )
        .await;
    ticks(world, 3).await;
}

#[tokio::test]
async fn a_node_is_patched_after_a_snapshot_and_rolled_back_when_it_is_not_well() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let (node, mut agent) = connected(&world).await;
        let mut sql = Sql::new("update ssm_nodes set snapshots = 'command' where node_id = ");
        sql.text(&node.id);
        sql.run(db.writer()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let program = path.join("rollback");
        let ill = path.join("ill");
        let given = |snapshots: Value| {
            json!({"InstanceId": [node.id.replace("mi-", "i-")], "SnapshotId": snapshots, "Operation": ["Install"],
                "RebootOption": ["RebootIfNeeded"], "HealthCheckCommands": [format!("test ! -e {}", ill.display())],
                "RollbackCommand": [program.to_str().unwrap()]})
        };
        // As the guide's script starts it, with a snapshot of its own making.
        let id = start(&world, "AWS-PatchInstanceWithRollback", given(json!([]))).await;
        answer(&world, &mut agent, "Muster-CreateSnapshot", "createSnapshot", "Success").await;
        world.clock.advance(2_000);
        runs(&world, &mut agent, 1).await;
        answer(&world, &mut agent, "AWS-RunPatchBaseline", "PatchLinux", "Success").await;
        runs(&world, &mut agent, 1).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Success", "{ended}");
        let taken = ended["Variables"]["Snapshots"][0].as_str().unwrap().to_owned();
        assert!(taken.starts_with("snap-"), "{taken}");
        // One that was given is taken; what is not well afterwards is rolled back.
        write(&program, &format!("#!/bin/sh\necho \"$@\" >> {}\n", path.join("log").display()));
        let id = start(&world, "AWS-PatchInstanceWithRollback", given(json!([taken]))).await;
        runs(&world, &mut agent, 1).await;
        std::fs::write(&ill, "").unwrap();
        answer(&world, &mut agent, "AWS-RunPatchBaseline", "PatchLinux", "Success").await;
        runs(&world, &mut agent, 2).await;
        let ended = told_ended(&world, &id).await;
        assert_eq!(ended["AutomationExecutionStatus"], "Failed");
        assert!(ended["FailureMessage"].as_str().unwrap().contains("Step HealthCheck failed"), "{ended}");
        assert_eq!(log(path), std::slice::from_ref(&taken));
        // Nobody who could: it says so.
        std::fs::remove_file(&ill).unwrap();
        std::fs::remove_file(&program).unwrap();
        let id = start(&world, "AWS-PatchInstanceWithRollback", given(json!([taken]))).await;
        runs(&world, &mut agent, 1).await;
        answer(&world, &mut agent, "AWS-RunPatchBaseline", "PatchLinux", "Failed").await;
        let said = runs(&world, &mut agent, 1).await;
        assert!(said[0].2.contains("not rolled back") && said[0].2.contains(&taken), "{said:?}");
        let told = told(&world, &id).await;
        assert_eq!(told["AutomationExecutionStatus"], "Failed");
        // A node that is not well to begin with is not patched.
        std::fs::write(&ill, "").unwrap();
        let id = start(&world, "AWS-PatchInstanceWithRollback", given(json!([taken]))).await;
        runs(&world, &mut agent, 1).await;
        let ended = told_ended(&world, &id).await;
        assert!(ended["FailureMessage"].as_str().unwrap().contains("Step HealthCheckBefore failed"), "{ended}");
    })
    .await;
}

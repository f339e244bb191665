//! Webhooks in runbooks: called through their integration, whose address nobody is told, and never twice without knowing.

use crate::automation::{document, start, told, told_ended};
use crate::webhook::Receiver;
use crate::world::World;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

const PLACE: &str = "/d9d01087-4a3f-49e0-b0b4-d568d7826553/ssm/integrations/webhook/";

async fn integration(world: &World, name: &str, kind: &str, value: Value) {
    let input = json!({"Name": format!("{PLACE}{name}"), "Type": kind, "Value": value.to_string(),
        "DataType": "aws:ssm:integration"});
    world.ok("PutParameter", input).await;
}

async fn ended(world: &World, name: &str, inputs: Value, more: Value) -> Value {
    let mut step = json!({"name": "Tell", "action": "aws:invokeWebhook", "inputs": inputs});
    for (key, value) in more.as_object().unwrap() {
        step[key] = value.clone();
    }
    document(world, name, json!([step]), json!({})).await;
    let id = start(world, name, json!({})).await;
    for _ in 0..3 {
        world.plane.tick().await;
        world.plane.settled().await;
    }
    told_ended(world, &id).await
}

#[tokio::test]
async fn a_webhook_is_told_and_its_address_is_not() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let receiver = Receiver::default();
        let url = format!("{}?key=hidden-key", receiver.listen().await);
        let held = json!({"url": url, "headers": {"x-team": "ops"}, "payload": {"text": "deployed"},
            "description": "for tests"});
        integration(&world, "deploys", "SecureString", held).await;
        let inputs = json!({"IntegrationName": "deploys", "Body": "{\"at\": \"{{ global:REGION }}\"}"});
        let told = ended(&world, "Tells", inputs, json!({})).await;
        assert_eq!(told["AutomationExecutionStatus"], "Success", "{told}");
        let outputs = &told["StepExecutions"][0]["Outputs"];
        assert_eq!(
            (&outputs["Response"], &outputs["ResponseCode"]),
            (&json!(["taken"]), &json!(["200"]))
        );
        let taken = receiver.taken();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].1, "{\"at\": \"eu-west-1\"}");
        assert_eq!(taken[0].0["x-team"], "ops");
        assert_eq!(taken[0].0["content-type"], "application/json");
        let told_all = told.to_string();
        let log = format!("{:?}", world.audit.0.lock().unwrap());
        assert!(log.contains("ssm.InvokeWebhook") && log.contains("deploys"));
        assert!(!told_all.contains("hidden-key") && !log.contains("hidden-key"));

        // What is sent where a step says nothing; and what answers badly is tried again as the step says.
        receiver.answers.lock().unwrap().extend([200, 503]);
        let told = ended(
            &world,
            "Default",
            json!({"IntegrationName": "deploys"}),
            json!({"maxAttempts": 2}),
        )
        .await;
        assert_eq!(told["AutomationExecutionStatus"], "Success", "{told}");
        let bodies: Vec<String> = receiver.taken().into_iter().map(|(_, body)| body).collect();
        assert_eq!(bodies, ["{\"text\":\"deployed\"}", "{\"text\":\"deployed\"}"]);
        receiver.answers.lock().unwrap().push(404);
        let told = ended(&world, "Gone", json!({"IntegrationName": "deploys"}), json!({})).await;
        assert!(
            told["FailureMessage"].as_str().unwrap().contains("answered 404"),
            "{told}"
        );
        assert_eq!(
            told["StepExecutions"][0]["Outputs"]["ResponseCode"],
            json!(["404"])
        );
    })
    .await;
}

#[tokio::test]
async fn what_an_integration_lacks_is_told_and_an_unknown_end_is_not_tried_again() {
    on_both(|db| async move {
        let world = World::new(db).await;
        integration(&world, "plain", "String", json!({"url": "https://h.test/hidden-key"})).await;
        integration(&world, "odd", "SecureString", json!({"url": "ftp://h.test/hidden-key"})).await;
        integration(&world, "more", "SecureString", json!({"url": "https://h.test/hidden-key", "x": 1})).await;
        for (name, says) in [
            ("none", "is not there"),
            ("plain", "not kept as a secret"),
            ("odd", "no http or https address"),
            ("more", "does not hold what it should"),
        ] {
            let told = ended(&world, &format!("Lacks-{name}"), json!({"IntegrationName": name}), json!({})).await;
            let message = told["FailureMessage"].as_str().unwrap();
            assert!(message.contains(says) && message.contains(PLACE) && !message.contains("hidden-key"), "{message}");
        }
        // Somebody who listens and never answers: it may have been taken.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hidden-key", silent.local_addr().unwrap());
        integration(&world, "silent", "SecureString", json!({"url": url})).await;
        let step = json!({"name": "Tell", "action": "aws:invokeWebhook", "maxAttempts": 3, "timeoutSeconds": 5,
            "inputs": {"IntegrationName": "silent"}});
        document(&world, "Silent", json!([step]), json!({})).await;
        let late = start(&world, "Silent", json!({})).await;
        world.plane.tick().await;
        world.clock.advance(5_000);
        world.plane.tick().await;
        let ended = told_ended(&world, &late).await;
        assert_eq!((&ended["AutomationExecutionStatus"], ended["StepExecutions"].as_array().unwrap().len()), (&json!("TimedOut"), 1));
        let cut = start(&world, "Silent", json!({})).await;
        world.plane.tick().await;
        assert_eq!(told(&world, &cut).await["StepExecutions"][0]["StepStatus"], "InProgress");
        let world = world.restarted().await;
        world.plane.tick().await;
        let ended = told_ended(&world, &cut).await;
        assert!(ended["FailureMessage"].as_str().unwrap().contains("is not known"), "{ended}");
    })
    .await;
}

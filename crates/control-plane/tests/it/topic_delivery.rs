//! Messages on their way to webhooks: what is tried again, what is given up, who is forgotten, and what commands tell.

use crate::agent::{Agent, serve};
use crate::webhook::{ALERTS, Receiver, SNS, confirm, subscribe, told, waiting};
use crate::world::World;
use axum::http::HeaderMap;
use muster_store::test_database::on_both;
use serde_json::{Value, json};

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_rest_is_given_up() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let receiver = told(&world).await;
        let publish = format!("Action=Publish&TopicArn={ALERTS}&Message=m");
        *receiver.answers.lock().unwrap() = vec![200, 429, 503];
        SNS.ok(&world, &publish).await;
        world.plane.deliver().await;
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1, "it waits before it tries again");
        world.clock.advance(1_000);
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1);
        world.clock.advance(1_000);
        // A restart forgets nothing.
        let world = world.restarted().await;
        world.plane.deliver().await;
        assert!(receiver.taken().is_empty());
        world.clock.advance(4_000);
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1);
        assert_eq!(waiting(&world).await, (0, 0));

        *receiver.answers.lock().unwrap() = vec![404];
        SNS.ok(&world, &publish).await;
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1);
        assert_eq!(waiting(&world).await, (0, 0));

        // Nobody answers for a day: then it is over, also for what waits behind the first one.
        *receiver.answers.lock().unwrap() = vec![500; 1_000];
        SNS.ok(&world, &publish).await;
        world.plane.deliver().await;
        SNS.ok(&world, &publish).await;
        world.plane.deliver().await;
        assert_eq!(
            receiver.taken().len(),
            1,
            "a new message waits with the first one"
        );
        for _ in 0..23 {
            world.clock.advance(3_600_000);
            world.plane.deliver().await;
        }
        assert_eq!(waiting(&world).await, (2, 2));
        assert!(receiver.taken().len() >= 20);
        world.clock.advance(3_600_001);
        world.plane.deliver().await;
        assert_eq!(waiting(&world).await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn many_are_told_and_one_that_does_not_answer_holds_up_nobody() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let dead = told(&world).await;
        let mut others = Vec::new();
        for _ in 0..9 {
            let receiver = Receiver::default();
            let endpoint = receiver.listen().await;
            subscribe(&world, &endpoint, "").await;
            world.plane.deliver().await;
            assert_eq!(confirm(&world, &receiver.taken()[0].1).await.0, 200);
            others.push(receiver);
        }
        *dead.answers.lock().unwrap() = vec![503; 100];
        for at in 0..12 {
            SNS.ok(&world, &format!("Action=Publish&TopicArn={ALERTS}&Message=m{at}"))
                .await;
        }
        world.plane.deliver().await;
        for receiver in &others {
            let told = receiver.taken();
            let texts: Vec<Value> = told
                .iter()
                .map(|(_, letter)| serde_json::from_str(letter).unwrap())
                .collect();
            assert_eq!(texts.len(), 12);
        }
        // It is tried with one message, not with each of them, and nothing is forgotten.
        assert_eq!(dead.taken().len(), 1);
        assert_eq!(waiting(&world).await, (12, 12));
        dead.answers.lock().unwrap().clear();
        world.clock.advance(1_000);
        world.plane.deliver().await;
        assert_eq!(dead.taken().len(), 12);
        assert_eq!(waiting(&world).await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn who_does_not_confirm_is_forgotten() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let told = told(&world).await;
        let receiver = Receiver::default();
        let endpoint = receiver.listen().await;
        subscribe(&world, &endpoint, "").await;
        world.plane.deliver().await;
        let letter = receiver.taken().remove(0).1;
        world.clock.advance(3 * 86_400_000 + 1);
        let (status, answer) = confirm(&world, &letter).await;
        assert_eq!(status, 400, "{answer}");
        SNS.ok(&world, &format!("Action=Publish&TopicArn={ALERTS}&Message=m"))
            .await;
        world.plane.deliver().await;
        assert_eq!(told.taken().len(), 1);
        let listed = SNS.ok(&world, "Action=ListSubscriptions").await;
        assert_eq!(listed.matches("<member>").count(), 1, "{listed}");
        // Somebody may ask for it anew, also when the last time was long ago and nothing has happened since.
        subscribe(&world, &endpoint, "").await;
        world.plane.deliver().await;
        receiver.taken();
        world.clock.advance(4 * 86_400_000);
        subscribe(&world, &endpoint, "").await;
        world.plane.deliver().await;
        assert_eq!(confirm(&world, &receiver.taken()[0].1).await.0, 200);
        // Deleting the topic takes what is on its way with it.
        *receiver.answers.lock().unwrap() = vec![500];
        SNS.ok(&world, &format!("Action=Publish&TopicArn={ALERTS}&Message=m"))
            .await;
        SNS.ok(&world, &format!("Action=DeleteTopic&TopicArn={ALERTS}"))
            .await;
        assert_eq!(waiting(&world).await, (0, 0));
        assert!(
            !SNS.ok(&world, "Action=ListSubscriptions")
                .await
                .contains("<member>")
        );
    })
    .await;
}

#[tokio::test]
async fn commands_tell_how_they_stand() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let receiver = told(&world).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let wish = |kind: &str, events: Value| {
            json!({"NotificationConfig": {"NotificationArn": ALERTS, "NotificationEvents": events,
                "NotificationType": kind}, "ServiceRoleArn": "arn:aws:iam::123456789012:role/sns"})
        };
        let statuses = |told: Vec<(HeaderMap, String)>| {
            let mut found: Vec<(String, Value)> = told
                .into_iter()
                .map(|(_, letter)| {
                    let letter: Value = serde_json::from_str(&letter).unwrap();
                    assert_eq!(letter["Subject"], "EC2 Run Command Notification eu-west-1");
                    let text: Value = serde_json::from_str(letter["Message"].as_str().unwrap()).unwrap();
                    (text["status"].as_str().unwrap().to_owned(), text)
                })
                .collect();
            found.sort_by(|one, two| one.0.cmp(&two.0));
            found
        };
        for (kind, events, expected) in [
            ("Command", json!(["All"]), vec!["Failed", "InProgress"]),
            ("Invocation", json!(["All"]), vec!["Failed", "InProgress"]),
            ("Command", json!(["Success", "TimedOut"]), vec![]),
            ("Command", json!(["Failed"]), vec!["Failed"]),
        ] {
            let command = world.run(&[&node], wish(kind, events)).await;
            world.plane.tick().await;
            let message = agent.receive_long("agent_job").await;
            let job: Value = serde_json::from_slice(&message.payload).unwrap();
            agent.ack(&message, job["JobId"].as_str().unwrap(), "200").await;
            world
                .until("the node has it", || async {
                    world.detail(&command, &node).await == "InProgress"
                })
                .await;
            agent.end(&command, "Failed", 1, "", "").await;
            world
                .until("the command has ended", || async {
                    world.details(&command).await == "Failed"
                })
                .await;
            world.plane.deliver().await;
            let told = statuses(receiver.taken());
            let found: Vec<&str> = told.iter().map(|(status, _)| status.as_str()).collect();
            assert_eq!(found, expected, "{kind}");
            for (_, text) in told {
                assert_eq!(text["commandId"], command.as_str());
                assert_eq!(text["documentName"], "AWS-RunShellScript");
                if kind == "Invocation" {
                    assert_eq!(text["instanceId"], node.id.as_str());
                } else {
                    assert_eq!(text["instanceIds"], json!([node.id]));
                }
            }
        }
        // A command that nobody gets, and one that is cancelled.
        let away = world.node("away").await;
        let command = world.run(&[&away], wish("Command", json!(["All"]))).await;
        world.ok("CancelCommand", json!({"CommandId": command})).await;
        world.plane.deliver().await;
        assert_eq!(statuses(receiver.taken())[0].0, "Cancelled");
        for arn in [
            "arn:aws:sns:eu-west-1:123456789012:none",
            "arn:aws:sns:us-east-1:123456789012:patch-alerts",
            "x",
        ] {
            let mut input = json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": [node.id],
                "Parameters": {"commands": ["id"]}});
            input["NotificationConfig"] = json!({"NotificationArn": arn, "NotificationEvents": ["All"]});
            world
                .refused("SendCommand", input, "InvalidNotificationConfig")
                .await;
        }
    })
    .await;
}

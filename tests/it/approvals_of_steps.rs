//! Steps of runbooks in the queue of approvals: approved, rejected and stopped, also those that ask Systems Manager for more
//! than one approver.

use crate::approvals::{SOON, decide, person, request, until_state, world};
use crate::runbooks::{make, stands, start};
use muster_tests::Client;
use muster_tests::api::Api;
use serde_json::json;

/// The open request of an execution's step, once it is in somebody's queue.
async fn step_request(client: &Client, execution: &str) -> String {
    client
        .until("the step is in the queue", SOON, async |client| {
            let (_, page) = client.call("approvals/list", &[("query", "tab=waiting")]).await?;
            let ids: Vec<String> = page["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|item| item["act"] == "runbooks.signal")
                .filter_map(|item| item["request_id"].as_str().map(str::to_owned))
                .collect();
            for id in ids {
                let found = request(client, &id).await;
                if found["outcome"]["href"] == format!("/executions/{execution}") {
                    return Ok(Some(id));
                }
            }
            Ok(None)
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn steps_of_runbooks_wait_in_the_same_queue() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let api = Api::of(&world.portal).unwrap();
    let gate = json!({"schemaVersion": "0.3", "mainSteps": [
        {"name": "Ask", "action": "aws:approve",
            "inputs": {"Approvers": ["portal"], "Message": "May it go on?", "MinRequiredApprovals": 1}},
        {"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]});
    make(&api, "Own-Gate", &gate).await;
    let fields = [("document", "Own-Gate"), ("reason", "a step asks")];
    let approved = start(&world.olga, &fields).await;
    let id = step_request(&world.bob, &approved).await;
    let found = request(&world.bob, &id).await;
    assert_eq!(found["plan"]["subject"]["message"], "May it go on?");
    let (status, answer) = decide(&world.olga, &id, "approve").await;
    assert_eq!(status, 403, "who started it does not decide: {answer}");
    let (status, answer) = decide(&world.bob, &id, "approve").await;
    assert_eq!(status, 200, "{answer}");
    stands(&world.olga, &approved, "Success").await;
    until_state(&world.bob, &id, "Done").await;

    let rejected = start(&world.olga, &fields).await;
    let id = step_request(&world.bob, &rejected).await;
    let (status, answer) = decide(&world.bob, &id, "reject").await;
    assert_eq!(status, 200, "{answer}");
    let failed = stands(&world.olga, &rejected, "Failed").await;
    assert!(
        failed.to_string().contains("bob"),
        "the comment says who: {failed}"
    );
    assert_eq!(request(&world.bob, &id).await["summary"]["state"], "Rejected");

    // One that is stopped does not wait in the queue any more.
    let stopped = start(&world.olga, &fields).await;
    let id = step_request(&world.bob, &stopped).await;
    let stop = [("execution_id", stopped.as_str()), ("kind", "cancel")];
    assert_eq!(world.olga.call("runbooks/stop", &stop).await.unwrap().0 / 100, 2);
    until_state(&world.bob, &id, "Withdrawn").await;
}

#[tokio::test]
async fn a_step_that_asks_for_two_is_answered_once_and_says_so_before_anybody_decides() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let eve = person(&world.portal, &world.admin, "eve", "approver").await;
    let api = Api::of(&world.portal).unwrap();
    let gate = json!({"schemaVersion": "0.3", "mainSteps": [
        {"name": "Ask", "action": "aws:approve", "inputs": {"Approvers": ["portal", "operator"],
            "Message": "May it go on?", "MinRequiredApprovals": 2}}]});
    make(&api, "Own-Gate-Of-Two", &gate).await;
    let fields = [("document", "Own-Gate-Of-Two"), ("reason", "a step asks for two")];
    let execution = start(&world.olga, &fields).await;
    let id = step_request(&world.bob, &execution).await;
    let found = request(&world.bob, &id).await;
    let ssm = found["plan"]["subject"]["execution"].as_str().unwrap().to_owned();
    let caution = found["caution"].as_str().unwrap();
    assert!(
        caution.contains("counts the portal as one approver") && caution.contains(&ssm),
        "{caution}"
    );
    // Two people decide here, as the step asks for two.
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    assert_eq!(request(&world.bob, &id).await["summary"]["state"], "Waiting");
    assert_eq!(decide(&eve, &id, "approve").await.0, 200);
    let done = until_state(&world.bob, &id, "Done").await;
    let last = done["history"].as_array().unwrap().last().unwrap().clone();
    assert!(
        last["what"]
            .as_str()
            .unwrap()
            .contains("as one of the 2 approvers"),
        "{last}"
    );
    // That is one approver, and the request goes on saying so.
    assert!(
        done["caution"].as_str().unwrap().contains("still waits"),
        "{}",
        done["caution"]
    );
    stands(&world.olga, &execution, "Waiting").await;
    let signal = json!({"AutomationExecutionId": ssm, "SignalType": "Approve"});
    api.call("SendAutomationSignal", signal).await.unwrap();
    stands(&world.olga, &execution, "Success").await;
    assert_eq!(request(&world.bob, &id).await["caution"], "");
}

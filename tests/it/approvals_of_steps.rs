//! Steps of runbooks in the queue of approvals, that ask Systems Manager for more than one approver.

use crate::approvals::{decide, person, request, step_request, until_state, world};
use crate::runbooks::{make, stands, start};
use muster_tests::api::Api;
use serde_json::json;

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

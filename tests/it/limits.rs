//! Much of everything: output of ten megabytes, output that is no text, selections that take many calls, and
//! nodes that vanish in the middle.

use crate::support;
use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_tests::sim::{SimNodes, TAG};
use muster_tests::{Client, Portal};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Nodes of the large selection: twelve calls of fifty.
const MANY: usize = 600;

#[tokio::test]
async fn ten_megabytes_of_output_and_bytes_that_are_no_text_arrive_whole() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;

    let id = support::run_script(&admin, &node, "seq 1 1450000").await;
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Success");
    let expected = (1..=1_450_000_u32).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "{number}");
        text
    });
    assert!(expected.len() > 10_000_000, "{}", expected.len());
    // Not with `assert_eq`, which would print both.
    assert!(
        support::output(&events, "stdout") == expected,
        "the stream has it all, once"
    );
    let path = format!("/download/commands/{id}/{node}/stdout");
    let (status, _, body) = admin.get(&path).await.unwrap();
    assert!(status == 200 && body == expected, "the download has it all");
    let (_, _, page) = admin.get(&format!("/commands/{id}")).await.unwrap();
    assert!(
        page.contains("1450000") && page.len() < 1_000_000,
        "the page shows the end of it"
    );

    let id = support::run_script(&admin, &node, r"head -c 300000 /dev/zero | tr '\0' '\377'").await;
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Success");
    let answer = admin
        .open(&format!("/download/commands/{id}/{node}/stdout"))
        .await
        .unwrap();
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.len() == 300_000 && bytes.iter().all(|byte| *byte == 0xff));
    assert_eq!(admin.get(&format!("/commands/{id}")).await.unwrap().0, 200);
}

/// What simulated nodes saw: when each command began on each of them.
type Seen = Arc<Mutex<HashMap<String, Vec<(usize, Instant)>>>>;

/// Nodes that take `delay` for anything; every tenth fails what says so.
fn behaviour(seen: &Seen, delay: Duration) -> SimBehaviour {
    let seen = Arc::clone(seen);
    SimBehaviour::Each(Arc::new(move |job| {
        let script = format!("{:?}", job.content);
        let word = ["steady", "failing", "cancelled"]
            .into_iter()
            .find(|word| script.contains(word))
            .unwrap_or("other");
        let mut seen = seen.lock().unwrap();
        seen.entry(word.to_owned())
            .or_default()
            .push((job.number, Instant::now()));
        SimAnswer {
            delay,
            stdout: format!("{word} on node\n").into_bytes(),
            stderr: Vec::new(),
            code: i32::from(word == "failing" && job.number % 10 == 3),
        }
    }))
}

#[tokio::test]
async fn a_selection_of_many_calls_stays_within_its_rate_and_can_be_stopped_and_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let seen = Seen::default();
    let delay = Duration::from_millis(100);
    let nodes = SimNodes::start(&portal, MANY, behaviour(&seen, delay))
        .await
        .unwrap();
    nodes.shown(&admin, MANY).await.unwrap();
    // With a property besides the tag, Systems Manager cannot resolve it: the portal does, into several calls.
    let filter = format!("tag:{TAG};status=Online");

    let id = support::run_on(&admin, &filter, "echo steady", &[("max_concurrency", "100")]).await;
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Success");
    let all = support::invocations(&admin, &id).await;
    let names: HashSet<&str> = all.iter().filter_map(|one| one["node_id"].as_str()).collect();
    assert_eq!(
        (all.len(), names.len()),
        (MANY, MANY),
        "every node once, over all pages"
    );
    assert!(all.iter().all(|one| one["status"] == "Success"));
    let begun = seen.lock().unwrap().remove("steady").unwrap();
    assert_eq!(begun.len(), MANY, "each ran once");
    let most = begun
        .iter()
        .map(|(_, at)| {
            let during = |other: &Instant| *other <= *at && *at < *other + delay;
            begun.iter().filter(|(_, other)| during(other)).count()
        })
        .max();
    assert!(
        most.unwrap() <= 100,
        "never more than asked for at once, but {most:?}"
    );
    let (_, detail) = admin.call("commands/get", &[("command_id", &id)]).await.unwrap();
    assert_eq!(detail["ssm_command_ids"].as_array().unwrap().len(), MANY / 50);
    let (_, groups) = admin
        .call("commands/output_groups", &[("command_id", &id)])
        .await
        .unwrap();
    assert_eq!(groups.as_array().unwrap().len(), 1, "all wrote the same");
    assert_eq!(groups[0]["nodes"], MANY);

    // Sixty of them would fail: it stops soon after the fifth error. Which nodes the first fifty are is chance, and
    // so whether more than five of those fail.
    let rate = [("max_concurrency", "50"), ("max_errors", "5")];
    let id = support::run_on(&admin, &filter, "echo failing", &rate).await;
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Failed");
    let ran = seen.lock().unwrap().remove("failing").unwrap().len();
    assert!((50..=200).contains(&ran), "{ran} nodes ran it");
    let all = support::invocations(&admin, &id).await;
    assert_eq!(all.len(), MANY, "those that were left out are listed too");
    let of = |status: &str| all.iter().filter(|one| one["status"] == status).count();
    assert!((6..=20).contains(&of("Failed")), "{} failed", of("Failed"));
    assert_eq!(of("Failed") + of("Success") + of("Cancelled"), MANY);
    let again = [("command_id", id.as_str()), ("only_failed", "true")];
    let (_, input) = admin.call("commands/again", &again).await.unwrap();
    let wanted = of("Failed") + of("Cancelled");
    assert_eq!(
        input["selection"]["nodes"].as_array().map(Vec::len),
        Some(wanted),
        "again on those that did not do it: {}",
        input["selection"]
    );

    let id = support::run_on(&admin, &filter, "echo cancelled", &[("max_concurrency", "50")]).await;
    let patience = Duration::from_secs(60);
    admin
        .until("some nodes to have run it", patience, async |_| {
            let seen = seen.lock().unwrap();
            Ok(seen
                .get("cancelled")
                .is_some_and(|begun| begun.len() > 60)
                .then_some(()))
        })
        .await
        .unwrap();
    let (status, answer) = admin
        .call("commands/cancel", &[("command_id", &id)])
        .await
        .unwrap();
    assert!((200..400).contains(&status), "{status} {answer}");
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Cancelled");
    let ran = seen.lock().unwrap().remove("cancelled").unwrap().len();
    assert!(ran < MANY / 2, "{ran} nodes ran it all the same");
    let all = support::invocations(&admin, &id).await;
    assert_eq!(all.len(), MANY);
    assert!(
        all.iter()
            .all(|one| one["status"] == "Cancelled" || one["status"] == "Success")
    );
}

#[tokio::test]
async fn nodes_that_vanish_in_the_middle_end_as_timed_out() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let seen = Seen::default();
    let nodes = SimNodes::start(&portal, 3, behaviour(&seen, Duration::from_secs(3_600)))
        .await
        .unwrap();
    nodes.shown(&admin, 3).await.unwrap();
    let limit = [("parameters[executionTimeout]", "6")];
    let id = support::run_on(&admin, &format!("tag:{TAG}"), "echo steady", &limit).await;
    admin
        .until("all to have begun", Duration::from_secs(30), async |_| {
            let seen = seen.lock().unwrap();
            Ok(seen
                .get("steady")
                .is_some_and(|begun| begun.len() == 3)
                .then_some(()))
        })
        .await
        .unwrap();
    nodes.vanish().await;
    // While it goes on, it is said when they were heard last, and when they will be given up.
    let glance = admin
        .until(
            "the nodes to have begun",
            Duration::from_secs(5),
            async |client| {
                let (_, glance) = client.call("commands/glance", &[("command_id", &id)]).await?;
                let begun = |one: &serde_json::Value| one["invocation"]["started_at"].is_i64();
                let all = glance["unfinished"]
                    .as_array()
                    .is_some_and(|all| all.iter().all(begun));
                Ok(all.then_some(glance))
            },
        )
        .await
        .unwrap();
    assert_eq!(glance["unfinished_count"], 3);
    for one in glance["unfinished"].as_array().unwrap() {
        let begun = one["invocation"]["started_at"].as_i64().unwrap();
        assert_eq!(one["given_up_at"].as_i64(), Some(begun + 6_000), "{one}");
        assert!(one["heard_at"].is_i64(), "{one}");
    }
    let (_, _, page) = admin.get(&format!("/commands/{id}")).await.unwrap();
    assert!(
        page.contains("Not done on 3 nodes") && page.contains("given up"),
        "{page}"
    );
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "TimedOut");
    let all = support::invocations(&admin, &id).await;
    assert_eq!(all.len(), 3);
    for one in &all {
        assert_eq!(one["status"], "TimedOut");
        assert_eq!(one["status_details"], "ExecutionTimedOut");
    }
    let (status, _, page) = admin.get(&format!("/commands/{id}?tab=nodes")).await.unwrap();
    assert!(status == 200 && page.contains("Timed out"));
}

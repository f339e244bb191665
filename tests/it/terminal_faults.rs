//! Terminals when something goes wrong beside them: an agent that is killed, a wall clock that is set, and very many of them at
//! once, none of which may get a byte of another's.

use crate::support::Agent;
use crate::terminal_ends::{children, ends};
use muster_agent::sim::{SimAnswer, SimBehaviour};
use muster_domain::sessions::{EndReason, RecordingState};
use muster_tests::one_node::{OneNode, online_node};
use muster_tests::sim::SimNodes;
use muster_tests::terminal::{Terminal, start};
use muster_tests::{Client, Portal};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The session as its page and the history have it.
async fn summary(client: &Client, id: &str) -> Value {
    let (status, detail) = client.call("sessions/get", &[("session_id", id)]).await.unwrap();
    assert_eq!(status, 200, "{detail}");
    detail["summary"].clone()
}

/// The id of a shell, which it says itself.
async fn shell_of(page: &mut Terminal) -> String {
    page.type_in("echo shell-$$-here\r").await.unwrap();
    let id = |page: &Terminal| {
        let text = page.text();
        let mut parts = text.split("shell-").filter_map(|part| part.split_once("-here"));
        let found = parts.find(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        found.map(|(id, _)| id.to_owned())
    };
    page.until("the shell's id", |page| id(page).is_some())
        .await
        .unwrap();
    id(page).unwrap()
}

/// Whether a process runs; one that has ended and that nobody has asked about yet does not.
fn runs(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    status.contains("State:") && !status.contains("State:\tZ")
}

async fn ended_by_the_agents_death(admin: &Client, id: &str) {
    let row = summary(admin, id).await;
    assert_eq!(row["end_reason"], "EndedThere", "{row}");
    assert!(
        row["end_message"]
            .as_str()
            .unwrap()
            .contains("ended unexpectedly"),
        "{row}"
    );
    assert_eq!(row["recording"], "Signed", "{row}");
    let rows = ends(admin, id).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    for word in ["EndedThere", "Signed", "ended unexpectedly"] {
        assert!(rows[0].contains(word), "{word} is not in {rows:?}");
    }
}

#[tokio::test]
async fn an_agent_that_is_killed_takes_its_sessions_with_it_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let world = OneNode::start(folder.path(), &[]).await.unwrap();
    let (id, mut page) = world.terminal().await.unwrap();
    let shell = shell_of(&mut page).await;
    assert!(runs(&shell));
    for agent in children(&world.portal) {
        Command::new("kill").args(["-9", &agent]).status().unwrap();
    }
    // The portal starts it again; the new one ends what was left, and tells it.
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(page.session.end_reason, Some(EndReason::EndedThere));
    assert_eq!(page.session.recording, RecordingState::Signed);
    assert!(!runs(&shell), "its shell is gone");
    ended_by_the_agents_death(&world.admin, &id).await;
    let (_, _, html) = world.admin.get(&format!("/terminals/{id}")).await.unwrap();
    assert!(html.contains("Ended by Session Manager"), "{html}");
    let (code, text) = world.portal.command(&["recording", "verify", &id]).unwrap();
    assert_eq!(code, 0, "{text}");
    let (again, _page) = world.terminal().await.unwrap();
    assert_ne!(again, id);
}

#[tokio::test]
async fn while_a_killed_agent_is_away_that_is_said_and_the_session_can_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("agent");
    let portal = Portal::start(&folder.path().join("data"), &["--local-node", "false"], &[]).unwrap();
    Agent::register(&portal, &state, &[]);
    let mut agent = Agent::run(&state);
    let world = OneNode::of(portal).await.unwrap();
    let (kept, mut page) = world.terminal().await.unwrap();
    let (ended, mut other) = world.terminal().await.unwrap();
    agent.kill();
    page.type_in("echo nobody he''ars\r").await.unwrap();
    page.until("that the node is away", |page| {
        page.notices.iter().any(|line| line.contains("does not answer"))
    })
    .await
    .unwrap();
    assert!(!page.ended && !page.text().contains("nobody hears"));
    let row = summary(&world.admin, &kept).await;
    assert!(row["ended_at"].is_null(), "it may come back: {row}");
    let (status, answer) = world
        .admin
        .call("sessions/end", &[("session_id", &ended)])
        .await
        .unwrap();
    assert!(status < 400, "{answer}");
    other.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(other.session.end_reason, Some(EndReason::EndedByOwner));

    let _agent = Agent::run(&state);
    page.until("the end", |page| page.ended).await.unwrap();
    ended_by_the_agents_death(&world.admin, &kept).await;
    assert_eq!(ends(&world.admin, &ended).await.len(), 1);
    world.terminal().await.unwrap();
}

/// A library that sets the wall clock of those who load it, and the file in which a test says how far.
fn settable_clock(folder: &Path) -> (String, String) {
    let library = folder.join("wall_clock.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/wall_clock.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(made.success());
    let file = folder.join("ahead");
    std::fs::write(&file, 0_i64.to_ne_bytes()).unwrap();
    (library.display().to_string(), file.display().to_string())
}

fn set_clock(file: &str, ahead: i64) {
    use std::os::unix::fs::FileExt as _;
    // In place: it is mapped.
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&ahead.to_ne_bytes(), 0).unwrap();
}

#[tokio::test]
async fn a_wall_clock_that_is_set_neither_ends_a_session_nor_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let (library, file) = settable_clock(folder.path());
    let variables = [("LD_PRELOAD", library.as_str()), ("MUSTER_TEST_CLOCK", &file)];
    let flags = [
        "--terminal-max-minutes",
        "1",
        "--terminal-idle-minutes",
        "1",
        "--terminal-more-minutes",
        "30",
        "--terminal-limit-minutes",
        "100",
        // Who is signed in stays so.
        "--idle-timeout-minutes",
        "600",
    ];
    let portal = Portal::start(&folder.path().join("data"), &flags, &variables).unwrap();
    let world = OneNode::of(portal).await.unwrap();
    let began = Instant::now();
    let (used, mut page) = world.terminal().await.unwrap();
    let (idle, mut other) = world.terminal().await.unwrap();
    page.type_in("while sleep 1; do echo used; done\r").await.unwrap();
    let used_times = |page: &Terminal| page.text().matches("used\r\n").count();
    page.until("it is used", |page| used_times(page) >= 2)
        .await
        .unwrap();

    let hour = 3_600;
    let mut last = Instant::now();
    for ahead in [hour, -hour] {
        set_clock(&file, ahead);
        let (before, seen) = (page.session.ends_at, used_times(&page));
        page.until("it goes on", |page| used_times(page) >= seen + 5)
            .await
            .unwrap();
        assert!(!page.ended && page.session.ends_at == before);
        let more_before = other.session.ends_at.unwrap();
        let (status, answer) = world
            .admin
            .call("sessions/more_time", &[("session_id", &idle)])
            .await
            .unwrap();
        last = Instant::now();
        assert!(status < 400, "{answer}");
        other
            .until("more time", |page| page.session.ends_at.unwrap() != more_before)
            .await
            .unwrap();
        let more = other.session.ends_at.unwrap().since_ms(more_before);
        assert_eq!(more, 30 * 60_000, "half an hour, whatever the clock says");
    }
    // What is signed goes by the wall's clock, on both sides of the endpoint: set back, too, it opens new terminals.
    world.terminal().await.unwrap();
    page.until("the end", |page| page.ended).await.unwrap();
    let took = began.elapsed().as_secs();
    assert_eq!(page.session.end_reason, Some(EndReason::TimeUp));
    assert!((58..75).contains(&took), "after a minute, not after {took} s");
    other.until("the end", |page| page.ended).await.unwrap();
    let took = last.elapsed().as_secs();
    assert_eq!(other.session.end_reason, Some(EndReason::IdleTimeout));
    assert!((58..75).contains(&took), "after a minute, not after {took} s");

    for id in [&used, &idle] {
        assert_eq!(ends(&world.admin, id).await.len(), 1);
        let (code, text) = world.portal.command(&["recording", "verify", id]).unwrap();
        assert_eq!(code, 0, "{text}");
    }
    let (_, played) = world
        .admin
        .call("sessions/recording", &[("session_id", &used)])
        .await
        .unwrap();
    let lasts = played["duration_ms"].as_u64().unwrap();
    assert!(
        (50_000..80_000).contains(&lasts),
        "the recording lasts {lasts} ms"
    );
    let (_, report) = world.admin.call("audit/verify", &[]).await.unwrap();
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report}");
}

/// Terminals at once. `muster-bench terminals` does the same with a thousand.
const MANY: usize = 200;
/// Nodes that they are on.
const NODES: usize = 10;

/// What a terminal types in a round: nobody else types a byte of it at the same place.
fn said(terminal: usize, round: usize) -> String {
    format!(
        "{terminal:04}:{round}:{}\n",
        format!("{terminal:04x}").repeat(1 + (terminal + round) % 40)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_terminals_get_each_their_own_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--local-node",
        "false",
        "--terminals-per-person",
        "1000",
        "--terminals-at-most",
        "1000",
    ];
    let portal = Portal::start(folder.path(), &flags, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let answer = SimAnswer {
        delay: Duration::ZERO,
        stdout: Vec::new(),
        stderr: Vec::new(),
        code: 0,
    };
    let nodes = SimNodes::start(&portal, NODES, SimBehaviour::Alike(answer))
        .await
        .unwrap();
    nodes.shown(&admin, NODES).await.unwrap();
    online_node(&admin).await.unwrap();
    let (_, _, body) = admin.get("/export/fleet.json").await.unwrap();
    let ids: Vec<String> = body
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["node_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let mut open = Vec::new();
    for at in 0..MANY {
        let id = start(&admin, &ids[at % ids.len()]).await.unwrap();
        let page = Terminal::attach(&admin, &id, "one", None).await.unwrap();
        open.push((at, id, page));
    }
    // All at once, so that what goes through the portal at a time is a mixture of all.
    let mut tasks = tokio::task::JoinSet::new();
    for (at, id, mut page) in open {
        tasks.spawn(async move {
            let mut wanted = String::new();
            for round in 0..10 {
                let line = said(at, round);
                wanted.push_str(&line);
                page.type_in(&line).await.unwrap();
                // The shells of simulated nodes say back what they are told, and nothing else.
                page.until("its own line", |page| page.output.len() >= wanted.len())
                    .await
                    .unwrap();
                assert_eq!(page.text(), wanted, "terminal {at}");
            }
            (at, id, wanted)
        });
    }
    let mut checked = 0;
    while let Some(done) = tasks.join_next().await {
        let (at, id, wanted) = done.unwrap();
        checked += 1;
        // What is recorded is each one's own, too.
        if at % 20 == 0 {
            let (_, _, cast) = admin
                .get(&format!("/download/sessions/{id}/recording.cast"))
                .await
                .unwrap();
            let output: String = cast
                .lines()
                .skip(1)
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .filter(|event| event[1] == "o")
                .map(|event| event[2].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(output, wanted, "the recording of terminal {at}");
        }
    }
    assert_eq!(checked, MANY);
}

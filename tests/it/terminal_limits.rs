//! Terminals that end although nobody ended them: for want of use, at the end of their time, and because what they
//! show can no longer be recorded. Minutes are the smallest time that can be set, so two of these take one.

use crate::full_disk::{fill, small_disk};
use crate::terminal_ends::{comes_to_be_written, rows_of};
use muster_domain::sessions::{EndReason, RecordingState};
use muster_tests::one_node::OneNode;
use muster_tests::terminal::{Terminal, start};
use muster_tests::{Client, Portal};
use std::path::PathBuf;
use std::time::Duration;

async fn audit_has(admin: &Client, id: &str, words: &[&str]) {
    let (_, _, acts) = admin.get("/export/audit.csv").await.unwrap();
    let row = acts
        .lines()
        .find(|row| row.contains("sessions.ended") && row.contains(id))
        .unwrap_or_else(|| panic!("the end of {id} is not in the audit log"));
    for word in words {
        assert!(row.contains(word), "{word} is not in {row}");
    }
}

#[tokio::test]
async fn a_terminal_that_nobody_uses_warns_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let world = OneNode::start(folder.path(), &["--terminal-idle-minutes", "1"])
        .await
        .unwrap();
    let (id, mut page) = world.terminal().await.unwrap();
    let admin = &world.admin;
    page.until("a warning", |page| page.warned).await.unwrap();
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(page.session.end_reason, Some(EndReason::IdleTimeout));
    assert_eq!(page.session.recording, RecordingState::Signed);
    audit_has(admin, &id, &[EndReason::IdleTimeout.as_str()]).await;
}

#[tokio::test]
async fn a_terminal_ends_with_its_time_and_more_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let limits = [
        "--terminal-max-minutes",
        "1",
        "--terminal-more-minutes",
        "30",
        "--terminal-limit-minutes",
        "20",
    ];
    let world = OneNode::start(folder.path(), &limits).await.unwrap();
    let OneNode {
        portal: _portal,
        admin,
        node,
    } = world;
    let (longer, ends) = (
        start(&admin, &node).await.unwrap(),
        start(&admin, &node).await.unwrap(),
    );
    let mut page = Terminal::attach(&admin, &ends, "one", None).await.unwrap();
    let mut other = Terminal::attach(&admin, &longer, "one", None).await.unwrap();
    // It is used all the time: that is no reason to go on.
    page.type_in("while sleep 1; do echo used; done\r").await.unwrap();
    other.until("a warning", |page| page.warned).await.unwrap();
    let before = other.session.ends_at;
    let (status, until) = admin
        .call("sessions/more_time", &[("session_id", &longer)])
        .await
        .unwrap();
    assert!(status < 400, "{until}");
    other
        .until("more time", |page| page.session.ends_at > before)
        .await
        .unwrap();
    let given = other.session.ends_at.unwrap().since_ms(other.session.started_at);
    assert!(
        (19 * 60_000..=20 * 60_000 + 5_000).contains(&given),
        "not beyond the limit of 20 minutes: {given} ms"
    );
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(page.session.end_reason, Some(EndReason::TimeUp));
    assert_eq!(page.session.recording, RecordingState::Signed);
    audit_has(&admin, &ends, &[EndReason::TimeUp.as_str()]).await;
    other.type_in("echo still he''re\r").await.unwrap();
    other.shows("still here").await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_shown_and_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = small_disk(folder.path(), &disk).unwrap();
    let portal = Portal::start_program(&script, &disk.join("data"), &[]).unwrap();
    let world = OneNode::of(portal).await.unwrap();
    let (id, mut page) = world.terminal().await.unwrap();
    let (waits, mut other) = world.terminal().await.unwrap();
    let OneNode { portal, admin, node } = world;

    let inside = PathBuf::from(format!("/proc/{}/root", portal.pid())).join(disk.strip_prefix("/").unwrap());
    let ballast = inside.join("ballast");
    fill(&ballast).unwrap();
    // More than fits in what the recorder may have left.
    page.type_in("head -c 3000000 /dev/urandom | base64\r")
        .await
        .unwrap();
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(page.session.end_reason, Some(EndReason::RecorderFailed));
    assert!(
        page.session.end_message.contains("disk is full"),
        "{}",
        page.session.end_message
    );
    // What the recorder let go of may be enough for another one: until nothing is left.
    let mut fillings = 0;
    let refused = loop {
        match start(&admin, &node).await {
            Ok(_) => {
                fillings += 1;
                fill(&inside.join(format!("ballast-{fillings}"))).unwrap();
                assert!(fillings < 50, "the disk is never full");
            }
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        refused.contains("disk") || refused.contains("No space is left"),
        "{refused}"
    );
    // Nor can it be written down that another one ends, once the database has no space left in its own files either.
    let mut looks = 0;
    while admin.get("/export/audit.csv").await.unwrap().0 == 200 {
        looks += 1;
        fill(&inside.join(format!("ballast-for-{looks}"))).unwrap();
        assert!(looks < 500, "the disk is never full");
    }
    other.type_in("exit\r").await.unwrap();
    other.until("its end", |page| page.ended).await.unwrap();
    let (_, shown) = admin
        .call("sessions/get", &[("session_id", &waits)])
        .await
        .unwrap();
    assert_eq!(shown["summary"]["status"], "Ended", "{shown}");
    for entry in std::fs::read_dir(&inside).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("ballast") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let ended = other.session.end_reason.unwrap();
    comes_to_be_written(&admin, &waits, ended).await;
    comes_to_be_written(&admin, &id, EndReason::RecorderFailed).await;
    // So is that their pages have left.
    for id in [&waits, &id] {
        let left = admin
            .until(
                "who left in the audit log",
                Duration::from_secs(120),
                async |client| {
                    let rows = rows_of(client, "sessions.detached", id).await;
                    Ok((!rows.is_empty()).then_some(rows))
                },
            )
            .await
            .unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
    }
    let again = admin
        .until(
            "a terminal with space again",
            Duration::from_secs(30),
            async |client| Ok(start(client, &node).await.ok()),
        )
        .await
        .unwrap();
    let mut page = Terminal::attach(&admin, &again, "one", None).await.unwrap();
    page.type_in("echo ag''ain\r").await.unwrap();
    page.shows("again").await.unwrap();
}

//! That a session has ended is written down, once, in audit log and list: also when it could not be when it ended, and
//! when the portal was killed before, and when a portal that was restarted cannot go on with it.

use muster_domain::sessions::EndReason;
use muster_store::db::Address;
use muster_store::{Db, RowExt as _, Sql};
use muster_tests::one_node::OneNode;
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::{Client, Portal};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Rows of the audit log that say how a session ended.
pub(crate) async fn ends(admin: &Client, id: &str) -> Vec<String> {
    rows_of(admin, "sessions.ended", id).await
}

/// Rows of the audit log about a session.
pub(crate) async fn rows_of(admin: &Client, action: &str, id: &str) -> Vec<String> {
    let (status, _, acts) = admin
        .get(&format!("/export/audit.csv?action={action}"))
        .await
        .unwrap();
    assert_eq!(status, 200, "{acts}");
    let rows = acts.lines().filter(|row| row.contains(id));
    rows.map(str::to_owned).collect()
}

/// Why the session is over, as the database has it; nothing while it goes on there.
async fn kept(database: &Path, id: &str) -> Option<String> {
    let db = Db::open(&Address::File(database.to_owned())).await.unwrap();
    let mut sql = Sql::new("select end_reason from sessions where is_over = 1 and session_id = ");
    sql.text(id);
    let row = sql.first(db.reader()).await.unwrap();
    db.close().await;
    row.map(|row| row.text("end_reason").unwrap())
}

/// Processes that the portal has started.
pub(crate) fn children(portal: &Portal) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", portal.pid())).unwrap();
    let lists = threads
        .flatten()
        .map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Kills the portal with whatever it has started.
pub(crate) fn kill(mut portal: Portal) {
    let children = children(&portal);
    portal.kill().unwrap();
    for child in children {
        Command::new("kill").args(["-9", &child]).status().unwrap();
    }
}

async fn again(data: &Path) -> (Portal, Client) {
    let portal = Portal::start(data, &["--local-node", "false"], &[]).unwrap();
    let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();
    (portal, admin)
}

#[tokio::test]
async fn an_end_that_could_not_be_written_down_is_written_by_the_next_portal_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let world = OneNode::start(&data, &[]).await.unwrap();
    let (id, mut page) = world.terminal().await.unwrap();

    // Nobody else can write while this is open.
    let database = data.join("muster.db");
    let db = Db::open(&Address::File(database.clone())).await.unwrap();
    let held = db.begin().await.unwrap();
    page.type_in("exit 7\r").await.unwrap();
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(page.session.end_reason, Some(EndReason::Exited));
    assert_eq!(kept(&database, &id).await, None, "it could not be written");
    let position = data.join(format!("sessions/{id}.position"));
    assert!(position.exists());
    // Nor can it be written that its page has gone.
    drop(page);
    kill(world.portal);
    drop(held);
    db.close().await;

    let (portal, admin) = again(&data).await;
    let rows = ends(&admin, &id).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(
        rows[0].contains("Exited") && rows[0].contains("Signed"),
        "{rows:?}"
    );
    assert_eq!(kept(&database, &id).await.as_deref(), Some("Exited"));
    assert!(!position.exists(), "it is not needed any more");
    let left = admin
        .until(
            "who left in the audit log",
            crate::approvals::SOON,
            async |client| {
                let rows = rows_of(client, "sessions.detached", &id).await;
                Ok((!rows.is_empty()).then_some(rows))
            },
        )
        .await
        .unwrap();
    assert!(
        left.len() == 1 && left[0].contains("Owner") && left[0].contains(ADMINISTRATOR.0),
        "{left:?}"
    );
    kill(portal);
    let (_portal, admin) = again(&data).await;
    assert_eq!(ends(&admin, &id).await.len(), 1, "nothing is written twice");
    assert_eq!(rows_of(&admin, "sessions.detached", &id).await.len(), 1);
    let (_, detail) = admin.call("sessions/get", &[("session_id", &id)]).await.unwrap();
    assert!(detail["participants"][0]["left_at"].is_number(), "{detail}");
    let (status, report) = admin.call("audit/verify", &[]).await.unwrap();
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report}");
}

#[tokio::test]
async fn a_session_that_a_restarted_portal_gives_up_is_in_the_audit_log_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let world = OneNode::start(&data, &[]).await.unwrap();
    let (id, _page) = world.terminal().await.unwrap();
    let OneNode { portal, admin, node } = world;
    let input = serde_json::json!({ "node": node, "port": 22, "host": "", "reason": "a test" });
    let (status, tunnel) = admin.post_json("/sessions/tunnels", &input).await.unwrap();
    assert_eq!(status, 200, "{tunnel}");
    let tunnel = tunnel["session_id"].as_str().unwrap().to_owned();
    kill(portal);
    std::fs::remove_file(data.join(format!("sessions/{id}.position"))).unwrap();

    let database = data.join("muster.db");
    for _ in 0..2 {
        let (portal, admin) = again(&data).await;
        for (id, recording) in [(&id, "Signed"), (&tunnel, "None")] {
            let rows = ends(&admin, id).await;
            assert_eq!(rows.len(), 1, "{rows:?}");
            for word in ["NodeLost", "The portal was restarted", recording] {
                assert!(rows[0].contains(word), "{word} is not in {rows:?}");
            }
            assert_eq!(kept(&database, id).await.as_deref(), Some("NodeLost"));
            // Its own page says who was there and where the rest is, whatever it was.
            let (status, _, page) = admin.get(&format!("/terminals/{id}")).await.unwrap();
            assert_eq!(status, 200, "{page}");
            for part in ["data-participants", "best effort", "/audit?resource=session"] {
                assert!(page.contains(part), "{part} is not on the page of {id}");
            }
            let is_tunnel = page.contains("A tunnel carries bytes: nothing is typed in it.");
            assert_eq!(is_tunnel, *id == tunnel);
        }
        kill(portal);
    }
    let left = std::fs::read_dir(data.join("sessions")).unwrap().count();
    assert_eq!(left, 0, "positions of sessions that are over");
}

/// What a full disk left out is written once there is space again.
pub(crate) async fn comes_to_be_written(admin: &Client, id: &str, reason: EndReason) {
    let rows = admin
        .until(
            "the end in the audit log",
            Duration::from_secs(120),
            async |client| Ok(Some(ends(client, id).await).filter(|rows| !rows.is_empty())),
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].contains(reason.as_str()), "{rows:?}");
    // Among those that have ended it is found when the database says so.
    let over = [("status", "Ended"), ("period", "all")];
    let row = admin
        .until(
            "the end in the database",
            Duration::from_secs(30),
            async |client| {
                let (_, page) = client.call("sessions/list", &over).await?;
                let mut rows = page["items"].as_array().cloned().unwrap_or_default().into_iter();
                Ok(rows.find(|row| row["session_id"] == id))
            },
        )
        .await
        .unwrap();
    assert_eq!(row["end_reason"], reason.as_str());
}

//! Terminals that were approved, when Systems Manager takes its time and the browser does not wait for it.

use crate::world::{World, people, world_with};
use muster_domain::approvals::{Approvals, Ask, ProposedAct, RequestState};
use muster_domain::audit::Outcome;
use muster_domain::ids::{NodeId, RequestId};
use muster_domain::sessions::{Sessions, StartSession};
use muster_domain::system::SystemClock;
use muster_domain::time::Clock;
use muster_store::test_database::on_both;
use muster_store::{Db, Sql};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const TERMINALS: &str = r#"
[[policy]]
name = "Terminals"
acts = ["sessions.start"]
os_users = ["root"]

[[policy.levels]]
of = ["role:approver"]
"#;

const REFUSED: &str = r#"{"__type":"TargetNotConnected","Message":"it is not connected"}"#;

async fn node(db: &Db) {
    Sql::new(
        "insert into nodes (connection_id, node_id, name, computer_name, ping_status, platform_type, platform_name, platform_version, \
         agent_version, ip_address, resource_type, synced_at, tags_synced_at, sweep, sort_name) values ('default', 'mi-1', 'n', \
         'n', 'Online', 'Linux', 'Debian', '12', '1', '10.0.0.1', 'ManagedInstance', 0, 0, 0, 'n')",
    )
    .run(db.writer())
    .await
    .unwrap();
}

fn terminal(request: Option<RequestId>) -> StartSession {
    StartSession {
        node: NodeId::new("mi-1"),
        document: String::new(),
        os_user: String::new(),
        reason: "the disk is full".into(),
        cols: 80,
        rows: 24,
        request,
    }
}

async fn refuse(asked: &mut TcpStream, body: &str) {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: \
         close\r\n\r\n{body}",
        body.len()
    );
    asked.write_all(answer.as_bytes()).await.unwrap();
    asked.shutdown().await.unwrap();
}

/// A Systems Manager whose account has saved no session preferences; whatever else it is asked waits for the test.
async fn systems_manager() -> (String, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut taken = vec![0; 65_536];
            let length = socket.read(&mut taken).await.unwrap();
            let head = String::from_utf8_lossy(&taken[..length]).to_lowercase();
            if head.contains("amazonssm.getdocument") {
                refuse(
                    &mut socket,
                    r#"{"__type":"InvalidDocument","Message":"it does not exist"}"#,
                )
                .await;
            } else if sender.send(socket).await.is_err() {
                return;
            }
        }
    });
    (endpoint, asked)
}

/// Waits for a state that another task brings about.
async fn until(world: &World, request: &RequestId, wanted: RequestState) {
    let looking = async {
        while world.state(request).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_leaves_leaves_no_approval_behind_that_is_neither_used_nor_free() {
    on_both(async |db: Db| {
        let (endpoint, mut asked) = systems_manager().await;
        let world = world_with(&db, TERMINALS, SystemClock.now(), &endpoint).await;
        let (rita, bob, _) = people(&world).await;
        node(&db).await;
        let ask = Ask {
            act: ProposedAct::Terminal {
                session: terminal(None),
                minutes: 30,
            },
            reason: "the disk is full".into(),
            ticket: String::new(),
            not_before: None,
            break_glass: false,
        };
        let request = world.service.ask(&rita, ask).await.unwrap();
        world.approve(&bob, &request).await.unwrap();
        let starting = {
            let (sessions, rita, input) = (
                world.service.sessions.clone(),
                rita.clone(),
                terminal(Some(request.clone())),
            );
            tokio::spawn(async move { sessions.start(&rita, input).await })
        };
        // Systems Manager is being asked; the browser leaves before it answers.
        let mut asked = asked.recv().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Running);
        starting.abort();
        assert!(starting.await.unwrap_err().is_cancelled());
        // A round of this portal, or of another one, does not take it for one that was forgotten.
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Running);
        refuse(&mut asked, REFUSED).await;
        // No terminal has come of it, so the approval can be used again; and the audit log says how it ended.
        until(&world, &request, RequestState::Approved).await;
        let ended = async {
            loop {
                let acts = world.acts("sessions.start").await;
                if acts.len() == 1 && acts[0].outcome == Outcome::Failure {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ended)
            .await
            .unwrap();
    })
    .await;
}

//! Terminals on a real shell, through browser protocol, portal, endpoint and agent: what is typed and shown, what
//! survives, who may look on and play back, and how sessions end.

use crate::support;
use muster_domain::sessions::wire::ClientMessage;
use muster_domain::sessions::{EndReason, RecordingState, SessionStatus};
use muster_tests::one_node::OneNode;
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::terminal::{Terminal, start};
use muster_tests::{Client, Portal};
use std::process::Command;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message as Frame;

async fn user(admin: &Client, portal: &Portal, name: &str, role: &str) -> Client {
    let password = format!("a long enough password of {}", name.len());
    let fields = [
        ("name", name),
        ("display_name", ""),
        ("password", password.as_str()),
        ("role", role),
        ("scope", "*"),
    ];
    assert_eq!(
        admin.call("access/create_user", &fields).await.unwrap().0 / 100,
        2
    );
    Client::sign_in(&portal.base, name, &password).await.unwrap()
}

async fn row(client: &Client, id: &str) -> serde_json::Value {
    let (status, answer) = client.call("sessions/get", &[("session_id", id)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["summary"].clone()
}

#[tokio::test]
async fn a_shell_is_used_reattached_recorded_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let OneNode { portal, admin, node } = OneNode::start(folder.path(), &[]).await.unwrap();
    let id = start(&admin, &node).await.unwrap();
    let mut page = Terminal::attach(&admin, &id, "one", None).await.unwrap();
    page.type_in("stty size; echo he''llo wörld; tput cols\r")
        .await
        .unwrap();
    page.shows("24 80").await.unwrap();
    page.shows("hello wörld").await.unwrap();
    assert!(page.may_type && page.session.status == SessionStatus::Connected);
    assert!(!page.session.os_user.is_empty(), "the node says who one is there");

    // What was shown can be played already, before it is sealed.
    let (status, playing) = admin
        .call("sessions/recording", &[("session_id", &id)])
        .await
        .unwrap();
    assert_eq!(status, 200, "{playing}");
    let chunks = playing["chunks"].as_array().unwrap().len();
    assert!(
        chunks > 0 && playing["unsealed_ms"].is_u64() && playing["is_signed"] == false,
        "{playing}"
    );
    let last = (chunks - 1).to_string();
    let (_, chunk) = admin
        .call("sessions/chunk", &[("session_id", &id), ("index", &last)])
        .await
        .unwrap();
    assert!(chunk["events"].to_string().contains("hello wörld"), "{chunk}");
    // Another page from nothing sees all of it; the same page with its cursor sees only what is new.
    let cursor = page.cursor();
    drop(page);
    let mut second = Terminal::attach(&admin, &id, "two", None).await.unwrap();
    second.shows("hello wörld").await.unwrap();
    second.type_in("echo af''ter\r").await.unwrap();
    second.shows("after").await.unwrap();
    let mut first = Terminal::attach(&admin, &id, "one", Some(cursor)).await.unwrap();
    assert_eq!(first.from, cursor);
    first.shows("after").await.unwrap();
    assert!(!first.text().contains("hello wörld"), "nothing comes twice");

    // A megabyte, byte for byte, through a shell that counts it.
    let paste: Vec<u8> = (0..1_000_000_u32)
        .map(|at| {
            if at % 61 == 60 {
                b'\r'
            } else {
                b'a' + u8::try_from(at % 26).unwrap()
            }
        })
        .collect();
    first
        .type_in("stty -echo; echo re''ady; cat > /tmp/muster-paste.$$; stty echo; sha256sum < /tmp/muster-paste.$$; rm /tmp/muster-paste.$$\r")
        .await
        .unwrap();
    first.shows("ready").await.unwrap();
    first.type_in(&paste).await.unwrap();
    first.type_in("\r\x04").await.unwrap();
    let mut arrived: Vec<u8> = paste
        .iter()
        .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
        .collect();
    arrived.push(b'\n');
    let digest = ring::digest::digest(&ring::digest::SHA256, &arrived);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    first.shows(&digest).await.unwrap();

    first.type_in("exit\r").await.unwrap();
    first.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(first.session.end_reason, Some(EndReason::Exited));
    assert_eq!(first.session.recording, RecordingState::Signed);
    let (status, _, cast) = admin
        .get(&format!("/download/sessions/{id}/recording.cast"))
        .await
        .unwrap();
    assert!(
        status == 200 && cast.starts_with("{\"") && cast.contains("hello wörld"),
        "{status}"
    );
    let (_, findings) = admin
        .call("sessions/verify", &[("session_id", &id)])
        .await
        .unwrap();
    assert_eq!(findings, serde_json::json!([]));
    let (_, hits) = admin
        .call("sessions/search", &[("session_id", &id), ("text", "hello")])
        .await
        .unwrap();
    assert!(!hits.as_array().unwrap().is_empty(), "{hits}");
    let (status, typed) = admin
        .call("sessions/commands", &[("session_id", &id)])
        .await
        .unwrap();
    assert!(status == 200 && typed.to_string().contains("wörld"), "{typed}");
    let (code, text) = portal.command(&["recording", "verify", &id]).unwrap();
    assert_eq!(code, 0, "{text}");
    let (_, _, acts) = admin.get("/export/audit.csv").await.unwrap();
    for act in [
        "sessions.start",
        "sessions.attach",
        "sessions.detached",
        "sessions.ended",
        "sessions.play",
        "sessions.verify",
    ] {
        assert!(acts.contains(act), "{act} is in the audit log");
    }
    assert!(!acts.contains("TokenValue"));
}

#[tokio::test]
async fn who_oversees_looks_on_from_the_first_byte_and_others_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let operator = user(&admin, &portal, "operator", "operator").await;
    let auditor = user(&admin, &portal, "auditor", "auditor").await;
    let viewer = user(&admin, &portal, "viewer", "viewer").await;
    let node = support::online_node(&admin).await;
    let id = start(&operator, &node).await.unwrap();
    let mut owner = Terminal::attach(&operator, &id, "o", None).await.unwrap();
    owner.type_in("echo fi''rst\r").await.unwrap();
    owner.shows("first").await.unwrap();

    let mut watcher = Terminal::attach(&auditor, &id, "w", None).await.unwrap();
    assert!(!watcher.may_type && watcher.from == 0);
    watcher.shows("first").await.unwrap();
    owner
        .until("the owner to see who looks on", |page| {
            page.session.watchers == ["auditor"]
        })
        .await
        .unwrap();
    watcher.type_in("echo for''bidden\r").await.unwrap();
    owner.type_in("echo sec''ond\r").await.unwrap();
    watcher.shows("second").await.unwrap();
    assert!(
        !watcher.text().contains("forbidden"),
        "who looks on does not type"
    );

    assert!(Terminal::attach(&viewer, &id, "v", None).await.is_err());
    let other = user(&admin, &portal, "other", "operator").await;
    assert!(
        Terminal::attach(&other, &id, "x", None).await.is_err(),
        "another's session"
    );
    let (status, _) = other
        .call("sessions/end", &[("session_id", &id), ("reason", "x")])
        .await
        .unwrap();
    assert_eq!(status, 403);
    let (status, _) = other
        .call("sessions/recording", &[("session_id", &id)])
        .await
        .unwrap();
    assert_eq!(status, 403, "operators play their own recordings");
    let (status, _) = admin
        .call("sessions/end", &[("session_id", &id), ("reason", "")])
        .await
        .unwrap();
    assert_eq!(status, 422, "another's session is ended for a reason");
    let (status, answer) = admin
        .call("sessions/end", &[("session_id", &id), ("reason", "maintenance")])
        .await
        .unwrap();
    assert!(status < 400, "{answer}");
    owner.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(owner.session.end_reason, Some(EndReason::EndedByOther));
    assert_eq!(
        (
            owner.session.ended_by.as_str(),
            owner.session.end_message.as_str()
        ),
        (ADMINISTRATOR.0, "maintenance")
    );
    watcher.until("the end", |page| page.ended).await.unwrap();
}

#[tokio::test]
async fn nothing_is_typed_where_somebody_must_look_on_until_somebody_does() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(
        folder.path(),
        &["--terminal-watched", "*", "--terminal-reason", "required"],
        &[],
    )
    .unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let auditor = user(&admin, &portal, "auditor", "auditor").await;
    let node = support::online_node(&admin).await;
    let id = start(&admin, &node).await.unwrap();
    let mut owner = Terminal::attach(&admin, &id, "o", None).await.unwrap();
    owner
        .until("the session to stand", |page| {
            page.session.status == SessionStatus::Connected
        })
        .await
        .unwrap();
    assert!(!owner.may_type);
    owner.type_in("echo too''soon\r").await.unwrap();
    let watcher = Terminal::attach(&auditor, &id, "w", None).await.unwrap();
    owner.until("leave to type", |page| page.may_type).await.unwrap();
    owner.type_in("echo not''late\r").await.unwrap();
    owner.shows("notlate").await.unwrap();
    assert!(!owner.text().contains("toosoon"));
    drop(watcher);
    owner
        .until("the leave to be gone", |page| !page.may_type)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_ends_with_its_owners_permission() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let operator = user(&admin, &portal, "operator", "operator").await;
    let node = support::online_node(&admin).await;
    let id = start(&operator, &node).await.unwrap();
    let mut owner = Terminal::attach(&operator, &id, "o", None).await.unwrap();
    owner
        .until("the session to stand", |page| {
            page.session.status == SessionStatus::Connected
        })
        .await
        .unwrap();
    let (_, users) = admin.call("access/users", &[]).await.unwrap();
    let found = users
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["name"] == "operator")
        .unwrap();
    let user_id = found["id"].as_str().unwrap().to_owned();
    let (status, _) = admin
        .call("access/disable_user", &[("user_id", &user_id)])
        .await
        .unwrap();
    assert!(status < 400);
    owner
        .until("the end", |page| page.ended || page.refused.is_some())
        .await
        .unwrap();
    admin
        .until("the session to be over", Duration::from_secs(20), async |admin| {
            Ok((row(admin, &id).await["end_reason"] == "PermissionEnded").then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_killed_portal_goes_on_with_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ssm_addr = support::free_address();
    let mut portal = Portal::start_at(&data, &ssm_addr, &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let id = start(&admin, &node).await.unwrap();
    let mut page = Terminal::attach(&admin, &id, "one", None).await.unwrap();
    page.type_in("for i in $(seq 1 400); do echo line $i; sleep 0.02; done; echo do''ne\r")
        .await
        .unwrap();
    page.shows("line 50\r\n").await.unwrap();
    let before = page.output.clone();
    portal.kill().unwrap();
    drop((portal, page));

    let portal = Portal::start_at(&data, &ssm_addr, &["--local-node", "false"], &[]).unwrap();
    let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();
    // Where the page stopped; what it had not worked off when the portal was killed comes again.
    let mut page = Terminal::attach(&admin, &id, "one", Some(before.len() as u64))
        .await
        .unwrap();
    page.shows("done\r\n").await.unwrap();
    let mut all = before;
    all.extend_from_slice(&page.output);
    let text = String::from_utf8_lossy(&all);
    for number in 1..=400 {
        assert_eq!(
            text.matches(&format!("line {number}\r\n")).count(),
            1,
            "line {number} came once"
        );
    }
    page.type_in("echo still he''re; exit\r").await.unwrap();
    page.shows("still here").await.unwrap();
    page.until("the end", |page| page.ended).await.unwrap();
    let (_, findings) = admin
        .call("sessions/verify", &[("session_id", &id)])
        .await
        .unwrap();
    assert_eq!(findings, serde_json::json!([]));
    drop(portal);
    let _ = Command::new("pkill")
        .args(["-f", &format!("agent run --state-dir {}", data.display())])
        .status();
}

#[tokio::test]
async fn a_flood_is_held_back_by_a_page_that_does_not_read_and_hostile_frames_end_only_their_page() {
    let folder = tempfile::tempdir().unwrap();
    let OneNode { portal, admin, node } = OneNode::start(folder.path(), &[]).await.unwrap();
    let id = start(&admin, &node).await.unwrap();
    let mut page = Terminal::attach(&admin, &id, "one", None).await.unwrap();
    page.type_in("head -c 20000000 /dev/zero | tr '\\0' x; echo; echo flo''od over\r")
        .await
        .unwrap();
    // This page reads nothing for a while: others keep their pace, and nothing piles up without bound.
    let other = start(&admin, &node).await.unwrap();
    let mut quick = Terminal::attach(&admin, &other, "two", None).await.unwrap();
    quick.type_in("echo qui''ck\r").await.unwrap();
    quick.shows("quick").await.unwrap();
    let mut bad = Terminal::attach(&admin, &other, "bad", None).await.unwrap();
    bad.raw(Frame::text("{nonsense")).await.unwrap();
    // It is told why, although it went on speaking meanwhile.
    for _ in 0..100 {
        let _ = bad.say(&ClientMessage::Consumed { offset: 0 }).await;
    }
    bad.until("to be sent away", |page| page.refused.is_some())
        .await
        .unwrap();
    quick.type_in("echo un''harmed\r").await.unwrap();
    quick.shows("unharmed").await.unwrap();

    page.shows("flood over").await.unwrap();
    let count = page.output.iter().filter(|byte| **byte == b'x').count();
    assert!(count >= 20_000_000, "{count}: nothing is lost");
    let status = std::fs::read_to_string(format!("/proc/{}/status", portal.pid())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").trim().parse().unwrap();
    assert!(peak < 700_000, "{peak} kB at most");
}

#[tokio::test]
async fn a_tunnel_carries_connections_to_a_port_of_the_node() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let folder = tempfile::tempdir().unwrap();
    let OneNode { portal, admin, node } = OneNode::start(folder.path(), &[]).await.unwrap();
    // A server that answers with what it got, reversed.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut all = Vec::new();
                let _ = stream.read_to_end(&mut all).await;
                all.reverse();
                let _ = stream.write_all(&all).await;
            });
        }
    });
    let (code, token) = portal.command(&["token", "create", ADMINISTRATOR.0]).unwrap();
    assert_eq!(code, 0, "{token}");
    let local = support::free_address();
    let local_port = local.rsplit_once(':').unwrap().1.to_owned();
    let mut tunnel = Command::new(muster_tests::portal::program().unwrap())
        .args([
            "tunnel",
            "--portal",
            &portal.base,
            "--node",
            &node,
            "--remote-port",
            &port,
        ])
        .args(["--local-port", &local_port])
        .env("MUSTER_TOKEN", token.trim())
        .spawn()
        .unwrap();
    let send = async |bytes: Vec<u8>| -> Vec<u8> {
        let mut answer = Vec::new();
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        let mut stream = loop {
            match tokio::net::TcpStream::connect(&local).await {
                Ok(stream) => break stream,
                Err(error) if std::time::Instant::now() > deadline => panic!("{error}"),
                Err(_) => tokio::task::yield_now().await,
            }
        };
        stream.write_all(&bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let bytes: Vec<u8> = (0..300_000_u32)
        .map(|at| at.to_le_bytes()[(at % 4) as usize])
        .collect();
    let mut reversed = bytes.clone();
    reversed.reverse();
    let (one, two) = tokio::join!(send(bytes.clone()), send(b"abc".to_vec()));
    assert!(one == reversed, "{} bytes came back", one.len());
    assert_eq!(two, b"cba");
    let wrong = Client::anonymous(&portal.base).unwrap();
    assert_ne!(wrong.get("/sessions/tunnels").await.unwrap().0, 200);
    let _ = Command::new("kill")
        .args(["-INT", &tunnel.id().to_string()])
        .status();
    assert!(tunnel.wait().unwrap().success());
    let (_, _, acts) = admin
        .get("/export/audit.csv?action=sessions.ended")
        .await
        .unwrap();
    assert!(acts.contains("EndedByOwner"), "{acts}");
}

//! What goes wrong in practice: power cuts, two servers at once, a newer database, an endpoint that is gone.

use crate::support;
use muster_store::Db;
use muster_store::Sql;
use muster_store::db::Address;
use muster_tests::portal::{ADMINISTRATOR, run};
use muster_tests::{Client, Portal};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A script that shows how often it ran, and takes a moment.
fn script(mark: &Path) -> String {
    format!("echo run >> {}\necho begun\nsleep 3\necho ended", mark.display())
}

/// The server is killed in the middle of a command and started again, with these variables.
pub async fn survives_a_power_cut(folder: &Path, variables: &[(&str, &str)]) {
    let data = folder.join("data");
    let mark = folder.join("mark");
    let ssm_addr = support::free_address();
    let mut portal = Portal::start_at(&data, &ssm_addr, &[], variables).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let id = support::run_script(&admin, &node, &script(&mark)).await;
    admin
        .until("the script to begin", Duration::from_secs(20), async |_| {
            Ok(mark.exists().then_some(()))
        })
        .await
        .unwrap();
    portal.kill().unwrap();
    drop(portal);

    let portal = Portal::start_at(&data, &ssm_addr, &[], variables).unwrap();
    let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Success");
    assert_eq!(support::output(&events, "stdout"), "begun\nended\n");
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "run\n", "it ran once");
    drop(portal);
    // The agent of the killed server outlived it, as it should; nobody needs it any more.
    let _ = Command::new("pkill")
        .args(["-f", &format!("agent run --state-dir {}", data.display())])
        .status();
}

#[tokio::test]
async fn a_power_cut_of_the_server_loses_nothing_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    survives_a_power_cut(folder.path(), &[]).await;
    let (code, text) = run(&folder.path().join("data"), &["audit", "verify"]).unwrap();
    assert_eq!(code, 0, "{text}");
}

#[tokio::test]
async fn a_killed_agent_loses_nothing_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mark = folder.path().join("mark");
    let portal = Portal::start(&data, &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let id = support::run_script(&admin, &node, &script(&mark)).await;
    admin
        .until("the script to begin", Duration::from_secs(20), async |_| {
            Ok(mark.exists().then_some(()))
        })
        .await
        .unwrap();
    let killed = Command::new("pkill")
        .args(["-9", "-f", &format!("agent run --state-dir {}", data.display())])
        .status()
        .unwrap();
    assert!(killed.success(), "the agent was there to be killed");
    let events = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Success");
    assert_eq!(support::output(&events, "stdout"), "begun\nended\n");
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "run\n", "it ran once");
}

#[tokio::test]
async fn a_second_server_and_a_newer_database_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let serve = ["serve", "--addr", "127.0.0.1:0", "--ssm-addr", "127.0.0.1:0"];
    let (code, text) = run(folder.path(), &serve).unwrap();
    assert_ne!(code, 0);
    assert!(
        text.contains("in use") && text.contains(&portal.pid().to_string()),
        "{text}"
    );
    drop(portal);

    let db = Db::open(&Address::File(folder.path().join("muster.db")))
        .await
        .unwrap();
    let sql =
        Sql::new("insert into schema_version (version, name, applied_at) values (999, 'later', 'later')");
    sql.run(db.writer()).await.unwrap();
    db.close().await;
    let (code, text) = run(folder.path(), &serve).unwrap();
    assert_ne!(code, 0);
    assert!(text.contains("999") && text.contains("newer"), "{text}");
}

#[tokio::test]
async fn settings_that_cannot_be_are_named_and_secrets_are_masked() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["serve", "--addr", "nowhere"][..], "addr"),
        (&["serve", "--ssm-mode", "gcp"][..], "ssm_mode"),
        (&["serve", "--session-hours", "0"][..], "session_hours"),
    ] {
        let (code, text) = run(folder.path(), arguments).unwrap();
        assert!(code != 0 && text.contains(part), "{arguments:?}: {text}");
    }
    std::fs::write(folder.path().join("muster.toml"), "adress = \"x\"\n").unwrap();
    let (code, text) = run(folder.path(), &["serve"]).unwrap();
    assert!(
        code != 0 && text.contains("adress") && text.contains("muster.toml"),
        "{text}"
    );
    std::fs::remove_file(folder.path().join("muster.toml")).unwrap();
    let (code, text) = run(
        folder.path(),
        &[
            "serve",
            "--print-config",
            "--database-url",
            "postgres://u:hunter2@h/d",
        ],
    )
    .unwrap();
    assert!(
        code == 0 && text.contains("connection_name") && !text.contains("hunter2"),
        "{text}"
    );
}

#[tokio::test]
async fn pages_stay_when_the_endpoint_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let plane_dir = folder.path().join("plane");
    let plane = support::Plane::start(&plane_dir, "127.0.0.1:0").unwrap();
    let (_, keys) = run(&plane_dir, &["keys", "--portal"]).unwrap();
    let key = |name: &str| {
        let line = keys.lines().find(|line| line.contains(name)).unwrap();
        line.split_once('=').unwrap().1.to_owned()
    };
    let endpoint = format!("http://{}", plane.address);
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    let arguments = [
        "--ssm-mode",
        "aws",
        "--ssm-endpoint",
        &endpoint,
        "--access-key-id",
        &id,
    ];
    let variables = [("MUSTER_SECRET_ACCESS_KEY", secret.as_str())];
    let portal = Portal::start(&folder.path().join("portal"), &arguments, &variables).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let state = async |wanted: &str| {
        admin
            .until(wanted, Duration::from_secs(60), async |client| {
                let (_, frame) = client.call("overview/frame", &[]).await?;
                Ok(frame.to_string().contains(wanted).then_some(()))
            })
            .await
            .unwrap();
    };
    state("Live").await;
    let address = plane.address.clone();
    drop(plane);
    state("Unreachable").await;
    for path in ["/", "/fleet", "/commands", "/audit"] {
        let (status, _, page) = admin.get(path).await.unwrap();
        assert_eq!(status, 200, "{path}");
        // What is shown is old, and each page says how old.
        assert!(
            page.contains("cannot be reached.") && page.contains("What you see is as of"),
            "{path} does not say that the control plane is away"
        );
    }
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "id"),
        ("filter", "status=Online"),
    ];
    let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
    assert!(
        (400..=503).contains(&status) && status != 500,
        "{status} {answer}"
    );
    let _plane = support::Plane::start(&plane_dir, &address).unwrap();
    state("Live").await;
}

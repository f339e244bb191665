//! The story of the first day, over HTTP: set up, sign in, run, watch, read the audit log.

use crate::support::{self, Event};
use muster_tests::portal::{ADMINISTRATOR, run};
use muster_tests::{Client, Portal};
use std::time::Duration;

#[tokio::test]
async fn a_new_user_gets_from_the_link_to_a_verified_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();

    // The link works once.
    let again = Client::first_administrator(&portal).await;
    assert!(again.is_err());
    // A wrong password and an unknown name read the same.
    let stranger = Client::anonymous(&portal.base).unwrap();
    let wrong = stranger
        .form(
            "/sign-in",
            &[("name", "admin"), ("password", "no"), ("next", "/")],
        )
        .await
        .unwrap();
    let unknown = stranger
        .form("/sign-in", &[("name", "eve"), ("password", "no"), ("next", "/")])
        .await
        .unwrap();
    assert_eq!(wrong, unknown);
    assert!(wrong.1.contains("error=wrong"));
    Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();

    let node = support::online_node(&admin).await;
    let id = support::run_script(&admin, &node, "echo one\nsleep 0.3\necho two >&2\necho three").await;
    let events = support::follow(&admin, &id, 0).await;
    let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(
        numbers,
        (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>(),
        "no gap, no duplicate"
    );
    assert_eq!(support::output(&events, "stdout"), "one\nthree\n");
    assert_eq!(support::output(&events, "stderr"), "two\n");
    assert_eq!(support::status(&events), "Success");
    // Who comes back in the middle gets exactly the rest.
    let rest = support::follow(&admin, &id, 2).await;
    assert_eq!(
        rest.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        &numbers[2..]
    );

    // Far beyond the API's 24,000 characters, and not even text: every byte is kept.
    let script = "head -c 3000000 /dev/urandom > /tmp/muster-story-$$\nsha256sum < /tmp/muster-story-$$ >&2\ncat /tmp/muster-story-$$\nrm /tmp/muster-story-$$";
    let id = support::run_script(&admin, &node, script).await;
    let events: Vec<Event> = support::follow(&admin, &id, 0).await;
    assert_eq!(support::status(&events), "Success");
    let mut answer = admin
        .open(&format!("/download/commands/{id}/{node}/stdout"))
        .await
        .unwrap();
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    let mut length = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        length += piece.len();
        digest.update(&piece);
    }
    let hash: String = digest
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(length, 3_000_000);
    assert!(support::output(&events, "stderr").starts_with(&hash));

    // Cancel what runs.
    let id = support::run_script(&admin, &node, "echo started\nsleep 300").await;
    admin
        .until("output", Duration::from_secs(20), async |client| {
            let (_, _, text) = client
                .get(&format!("/download/commands/{id}/{node}/stdout"))
                .await?;
            Ok(text.contains("started").then_some(()))
        })
        .await
        .unwrap();
    let (status, _) = admin
        .call("commands/cancel", &[("command_id", &id)])
        .await
        .unwrap();
    assert!((200..400).contains(&status), "{status}");
    assert_eq!(
        support::status(&support::follow(&admin, &id, 0).await),
        "Cancelled"
    );

    // The log has it all, and is intact, also for somebody who only has the files.
    let (_, _, log) = admin.get("/export/audit.csv").await.unwrap();
    for act in [
        "setup.create_administrator",
        "session.sign_in",
        "commands.run",
        "commands.cancel",
        "commands.download_output",
        "audit.export",
    ] {
        assert!(log.contains(act), "{act} is not in the audit log:\n{log}");
    }
    assert!(!log.contains(ADMINISTRATOR.1), "a password is in the audit log");
    drop(portal);
    let (code, text) = run(folder.path(), &["audit", "verify"]).unwrap();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("intact"), "{text}");
}

//! What is refused is refused in words that help: missing fields by name, filters that cannot be read, pages that are
//! not for everybody.

use crate::doors::cases;
use muster_tests::portal::Fallible;
use muster_tests::{Client, Portal};

/// A user with one role, signed in.
async fn somebody(admin: &Client, name: &str, role: &str) -> Fallible<Client> {
    let password = "somebody with a role";
    let fields = [
        ("name", name),
        ("display_name", ""),
        ("password", password),
        ("role", role),
        ("scope", "*"),
    ];
    let (status, answer) = admin.call("access/create_user", &fields).await?;
    assert_eq!(status / 100, 2, "{answer}");
    Client::sign_in(admin.base(), name, password).await
}

#[tokio::test]
async fn a_missing_field_is_named_by_every_server_function() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let viewer = somebody(&admin, "viewer", "viewer").await.unwrap();
    let stranger = Client::anonymous(&portal.base).unwrap();
    let mut named = 0;
    for (path, (_, arguments)) in cases() {
        if path == "/api/access/sign_out_everywhere" {
            continue;
        }
        for (left_out, _) in arguments {
            let rest: Vec<(&str, &str)> = arguments
                .iter()
                .copied()
                .filter(|(name, _)| name != left_out)
                .collect();
            let (status, answer) = viewer
                .call(path.trim_start_matches("/api/"), &rest)
                .await
                .unwrap();
            assert!(
                status < 500,
                "{path} without {left_out} answered {status}: {answer}"
            );
            let text = answer.to_string();
            if text.contains(" is missing: send it") {
                assert_eq!(status, 422, "{path} without {left_out}: {text}");
                assert!(
                    text.contains(&format!("\"field\":\"{left_out}\"")),
                    "{path} without {left_out} names another field: {text}"
                );
                named += 1;
            }
        }
    }
    assert!(named > 40, "only {named} missing fields were named");
    // A field of the wrong kind is no fault of the server, either.
    let fields = [("filter", ""), ("sort", "name"), ("descending", "perhaps")];
    let (status, answer) = viewer.call("fleet/list", &fields).await.unwrap();
    assert_eq!(status, 422, "{answer}");
    // Whoever is not signed in is told only that.
    let (status, answer) = stranger.call("fleet/get", &[]).await.unwrap();
    assert_eq!(status, 401, "{answer}");
    assert!(!answer.to_string().contains("node_id"), "{answer}");
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_not_taken_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    for (address, value) in [
        ("/audit?from=x&since=hello&actor=admin", "“hello”"),
        ("/audit?outcome=maybe", "“maybe”"),
        ("/audit?kind=some", "“some”"),
        ("/fleet?filter=status%3DOnline%3Bcolour%3Dred", "colour"),
        ("/commands?status=Fine", "“Fine”"),
        ("/commands?period=never", "“never”"),
        ("/terminals?status=Fine", "“Fine”"),
        ("/terminals?period=never", "“never”"),
    ] {
        let (_, _, page) = admin.get(address).await.unwrap();
        assert!(page.contains("Nothing was looked up"), "{address} was looked up");
        assert!(page.contains(value), "{address} does not say what is wrong");
    }
    // The other filters stay in the form.
    let (_, _, page) = admin.get("/audit?since=hello&actor=admin").await.unwrap();
    assert!(page.contains("value=\"admin\""), "{page}");
    assert!(
        !page.contains("/export/audit.csv"),
        "what cannot be read is not exported either"
    );
    for (function, fields) in [
        ("audit/list", ("query", "since=hello")),
        ("commands/list", ("status", "Fine")),
        ("commands/list", ("period", "never")),
        ("sessions/list", ("status", "Fine")),
        ("sessions/list", ("period", "never")),
        ("fleet/list", ("filter", "colour=red")),
    ] {
        let fields = [fields, ("sort", "name"), ("descending", "false")];
        let (status, answer) = admin.call(function, &fields).await.unwrap();
        assert_eq!(status, 422, "{function} {fields:?}: {answer}");
    }
    let (_, _, page) = admin.get("/audit?since=2020-01-01&kind=changes").await.unwrap();
    assert!(!page.contains("Nothing was looked up") && page.contains("setup.create_administrator"));
    let (_, _, reads) = admin.get("/export/audit.csv?kind=reads").await.unwrap();
    assert!(reads.contains("audit.read") && !reads.contains("setup.create_administrator"));
    assert_eq!(admin.get("/export/audit.csv?kind=some").await.unwrap().0, 422);
}

#[tokio::test]
async fn pages_that_are_not_for_everybody_say_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    for role in ["viewer", "auditor"] {
        let who = somebody(&admin, role, role).await.unwrap();
        for (path, permission, field) in [
            ("/commands/new", "commands.run", "max_concurrency"),
            ("/fleet/add", "fleet.create_activation", "registration_limit"),
            ("/terminals/new", "sessions.start", "id=\"find\""),
        ] {
            let (status, _, page) = who.get(path).await.unwrap();
            assert_eq!(status, 403, "{path} as {role}");
            assert!(page.contains(permission), "{path} as {role} names no permission");
            assert!(page.contains("An administrator of this portal can give it"));
            assert!(
                !page.contains(field),
                "{path} shows {role} a form that is refused at its end"
            );
            assert_eq!(admin.get(path).await.unwrap().0, 200, "{path} as administrator");
        }
    }
}

//! Every way into the portal is guarded: each server function and each route refuses strangers and those without the right, and
//! a new one without a case fails the test. The plain routes are listed in `doors_of_routes.rs`, the embedded endpoint's operations in
//! `doors_of_endpoint.rs`.

use crate::doors_of_routes::GUARDED;
use muster_tests::{Client, Portal};
use std::collections::BTreeMap;

/// Who may call a server function: nobody special, or not a viewer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Everybody who is signed in.
    SignIn,
    /// Any role; a viewer is enough.
    Viewer,
    /// More than a viewer.
    More,
}

pub type Case = (Needs, &'static [(&'static str, &'static str)]);

/// Every server function with arguments that can be read, and who may call it.
pub fn cases() -> BTreeMap<&'static str, Case> {
    use Needs::{More, SignIn, Viewer};
    const USER: (&str, &str) = ("user_id", "00000000-0000-4000-8000-000000000000");
    const COMMAND: (&str, &str) = ("command_id", "00000000-0000-4000-8000-000000000000");
    const EXECUTION: (&str, &str) = ("execution_id", "00000000-0000-4000-8000-000000000000");
    const RUNBOOK: (&str, &str) = ("name", "No-Such-Runbook");
    const SESSION: (&str, &str) = ("session_id", "00000000-0000-4000-8000-000000000000");
    const NODE: (&str, &str) = ("node_id", "mi-00000000000000000");
    let mut cases = crate::doors_of_approvals::cases();
    cases.extend(crate::doors_of_parameters::cases());
    cases.extend(crate::doors_of_patching::cases());
    cases.extend(crate::doors_of_deployments::cases());
    cases.extend(crate::doors_of_windows::cases());
    cases.extend(BTreeMap::from([
        ("/api/access/sessions", (SignIn, &[][..])),
        ("/api/access/revoke_session", (SignIn, &[("session_id", "x")][..])),
        (
            "/api/access/change_password",
            (SignIn, &[("current", "a"), ("new", "b"), ("repeat", "c")][..]),
        ),
        ("/api/access/tokens", (SignIn, &[][..])),
        (
            "/api/access/create_token",
            (SignIn, &[("name", "n"), ("days", "1")][..]),
        ),
        ("/api/access/revoke_token", (SignIn, &[("token_id", "x")][..])),
        ("/api/settings/theme", (SignIn, &[("theme", "dark")][..])),
        ("/api/overview/frame", (SignIn, &[][..])),
        ("/api/overview/get", (Viewer, &[][..])),
        ("/api/overview/search", (Viewer, &[("text", "x")][..])),
        (
            "/api/fleet/list",
            (
                Viewer,
                &[("filter", ""), ("sort", "name"), ("descending", "false")][..],
            ),
        ),
        ("/api/fleet/get", (Viewer, &[NODE][..])),
        ("/api/fleet/facets", (Viewer, &[][..])),
        ("/api/fleet/views", (Viewer, &[][..])),
        (
            "/api/fleet/save_view",
            (Viewer, &[("name", "n"), ("query", "q")][..]),
        ),
        ("/api/fleet/keep_nodes", (More, &[("nodes", "mi-1")][..])),
        ("/api/fleet/delete_view", (Viewer, &[("view_id", "x")][..])),
        (
            "/api/fleet/set_tag",
            (More, &[NODE, ("key", "k"), ("value", "v")][..]),
        ),
        ("/api/fleet/remove_tag", (More, &[NODE, ("key", "k")][..])),
        (
            "/api/fleet/create_activation",
            (
                More,
                &[
                    ("description", "d"),
                    ("default_instance_name", ""),
                    ("registration_limit", "1"),
                    ("expires_in_hours", "1"),
                    ("tags", ""),
                ][..],
            ),
        ),
        ("/api/commands/documents", (Viewer, &[][..])),
        (
            "/api/commands/document",
            (Viewer, &[("name", "AWS-RunShellScript")][..]),
        ),
        (
            "/api/commands/resolve",
            (Viewer, &[("nodes", "mi-00000000000000000")][..]),
        ),
        ("/api/commands/list", (Viewer, &[][..])),
        ("/api/commands/get", (Viewer, &[COMMAND][..])),
        ("/api/commands/glance", (Viewer, &[COMMAND][..])),
        ("/api/commands/again", (Viewer, &[COMMAND][..])),
        ("/api/commands/invocations", (Viewer, &[COMMAND][..])),
        (
            "/api/commands/output",
            (
                Viewer,
                &[COMMAND, NODE, ("stream", "stdout"), ("offset", "0")][..],
            ),
        ),
        ("/api/commands/output_groups", (Viewer, &[COMMAND][..])),
        (
            "/api/commands/compare",
            (
                Viewer,
                &[COMMAND, ("old", "mi-a"), ("new", "mi-b"), ("stream", "stdout")][..],
            ),
        ),
        (
            "/api/commands/run",
            (
                More,
                &[
                    ("document", "AWS-RunShellScript"),
                    ("parameters[commands]", "id"),
                    ("nodes", "mi-00000000000000000"),
                ][..],
            ),
        ),
        ("/api/commands/cancel", (More, &[COMMAND][..])),
        ("/api/runbooks/list", (Viewer, &[][..])),
        ("/api/runbooks/get", (Viewer, &[RUNBOOK][..])),
        (
            "/api/runbooks/diff",
            (Viewer, &[RUNBOOK, ("old", "1"), ("new", "2")][..]),
        ),
        (
            "/api/runbooks/resolve",
            (Viewer, &[RUNBOOK, ("nodes", "mi-00000000000000000")][..]),
        ),
        ("/api/runbooks/again", (Viewer, &[EXECUTION][..])),
        ("/api/runbooks/executions", (Viewer, &[][..])),
        ("/api/runbooks/execution", (Viewer, &[EXECUTION][..])),
        (
            "/api/runbooks/start",
            (More, &[("document", "No-Such-Runbook"), ("reason", "a test")][..]),
        ),
        ("/api/runbooks/schedules", (Viewer, &[][..])),
        (
            "/api/runbooks/schedule",
            (
                More,
                &[
                    ("document", "No-Such-Runbook"),
                    ("reason", "a test"),
                    ("schedule_name", "n"),
                    ("schedule", "rate(1 day)"),
                ][..],
            ),
        ),
        (
            "/api/runbooks/enable_schedule",
            (More, &[("schedule_id", "x"), ("enabled", "true")][..]),
        ),
        (
            "/api/runbooks/delete_schedule",
            (More, &[("schedule_id", "x")][..]),
        ),
        ("/api/runbooks/templates", (Viewer, &[][..])),
        ("/api/runbooks/template", (Viewer, &[("template_id", "x")][..])),
        (
            "/api/runbooks/save_template",
            (
                More,
                &[("document", "No-Such-Runbook"), ("template_name", "n")][..],
            ),
        ),
        (
            "/api/runbooks/rename_template",
            (More, &[("template_id", "x"), ("template_name", "n")][..]),
        ),
        (
            "/api/runbooks/delete_template",
            (More, &[("template_id", "x")][..]),
        ),
        ("/api/runbooks/retry", (More, &[EXECUTION, ("step", "s")][..])),
        ("/api/runbooks/stop", (More, &[EXECUTION, ("kind", "cancel")][..])),
        (
            "/api/runbooks/signal",
            (More, &[EXECUTION, ("step", "s"), ("signal", "approve")][..]),
        ),
        ("/api/sessions/options", (Viewer, &[NODE][..])),
        (
            "/api/sessions/start",
            (More, &[NODE, ("os_user", ""), ("reason", "a test")][..]),
        ),
        ("/api/sessions/live", (Viewer, &[][..])),
        ("/api/sessions/list", (Viewer, &[][..])),
        ("/api/sessions/get", (Viewer, &[SESSION][..])),
        ("/api/sessions/end", (More, &[SESSION, ("reason", "a test")][..])),
        ("/api/sessions/more_time", (More, &[SESSION][..])),
        ("/api/sessions/recording", (More, &[SESSION][..])),
        ("/api/sessions/chunk", (More, &[SESSION, ("index", "0")][..])),
        ("/api/sessions/commands", (More, &[SESSION][..])),
        ("/api/sessions/transcript", (More, &[SESSION][..])),
        ("/api/sessions/search", (More, &[SESSION, ("text", "x")][..])),
        ("/api/sessions/verify", (More, &[SESSION][..])),
        ("/api/audit/list", (More, &[("query", "")][..])),
        ("/api/audit/verify", (More, &[][..])),
        ("/api/access/users", (More, &[][..])),
        (
            "/api/access/create_user",
            (
                More,
                &[
                    ("name", "x1"),
                    ("display_name", ""),
                    ("password", "p"),
                    ("role", "viewer"),
                    ("scope", "*"),
                ][..],
            ),
        ),
        ("/api/access/disable_user", (More, &[USER][..])),
        ("/api/access/enable_user", (More, &[USER][..])),
        (
            "/api/access/reset_password",
            (More, &[USER, ("password", "p")][..]),
        ),
        (
            "/api/access/grant_role",
            (More, &[USER, ("role", "viewer"), ("scope", "*")][..]),
        ),
        ("/api/access/revoke_role", (More, &[("grant_id", "x")][..])),
        // Last: it ends the session that asks.
        ("/api/access/sign_out_everywhere", (SignIn, &[][..])),
    ]));
    cases
}

#[test]
fn every_server_function_has_a_case_here() {
    // Making the list of routes links every page, and with it every server function.
    let cases = cases();
    let known: Vec<String> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path.to_owned())
        .collect();
    assert!(
        known.len() > 20,
        "the server functions are not linked into this test: {known:?}"
    );
    for path in &known {
        assert!(
            cases.contains_key(path.as_str()),
            "{path} has no case in tests/it/doors.rs: say who may call it"
        );
    }
    for path in cases.keys() {
        assert!(
            known.iter().any(|known| known == path),
            "{path} has a case but is no server function any more"
        );
    }
}

#[tokio::test]
async fn strangers_and_the_powerless_are_refused_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let password = "somebody who only looks";
    let viewer = [
        ("name", "viewer"),
        ("display_name", ""),
        ("password", password),
        ("role", "viewer"),
        ("scope", "*"),
    ];
    assert_eq!(
        admin.call("access/create_user", &viewer).await.unwrap().0 / 100,
        2
    );
    let viewer = Client::sign_in(&portal.base, "viewer", password).await.unwrap();

    let stranger = Client::anonymous(&portal.base).unwrap();
    for (path, (_, arguments)) in cases() {
        let (status, answer) = stranger
            .call(path.trim_start_matches("/api/"), arguments)
            .await
            .unwrap();
        // A flood of strangers is turned away before anybody looks at who they are.
        assert!(
            status == 401 || status == 429,
            "{path} answered a stranger {status}: {answer}"
        );
    }
    for path in GUARDED {
        let (status, _, _) = stranger.get(path).await.unwrap();
        assert!(
            status == 401 || status == 303,
            "{path} answered a stranger {status}"
        );
    }

    // The plain routes that change something.
    for (who, wanted) in [(&stranger, 401), (&viewer, 403)] {
        let send = |request: reqwest::RequestBuilder| {
            let request = request.header("origin", who.base());
            match who.cookie_header() {
                Some(cookies) => request.header("cookie", cookies),
                None => request,
            }
        };
        let http = reqwest::Client::new();
        let tunnel = serde_json::json!({"node": "mi-00000000000000000", "port": 22});
        let start = send(http.post(format!("{}/sessions/tunnels", portal.base))).json(&tunnel);
        let status = start.send().await.unwrap().status().as_u16();
        // A flood of strangers is turned away before anybody looks at who they are.
        assert!(
            status == wanted || (wanted == 401 && status == 429),
            "a tunnel: {status}"
        );
        let end = send(http.delete(format!("{}/sessions/x", portal.base)));
        let status = end.send().await.unwrap().status().as_u16();
        assert!(
            status == wanted || (wanted == 401 && status == 429),
            "the end of a session: {status}"
        );
    }

    for (path, (needs, arguments)) in cases() {
        if path == "/api/access/sign_out_everywhere" {
            continue;
        }
        let (status, answer) = viewer
            .call(path.trim_start_matches("/api/"), arguments)
            .await
            .unwrap();
        match needs {
            Needs::More => assert_eq!(status, 403, "{path} answered a viewer: {answer}"),
            Needs::SignIn | Needs::Viewer => assert_ne!(status, 403, "{path} refused a viewer: {answer}"),
        }
        assert!(status < 500, "{path} answered {status}: {answer}");
    }
    assert_eq!(viewer.get("/export/audit.json").await.unwrap().0, 403);

    // Somebody whose only role was taken away sees nothing.
    let (_, users) = admin.call("access/users", &[]).await.unwrap();
    let users = users.as_array().unwrap();
    let grant = users.iter().find(|user| user["name"] == "viewer").unwrap()["grants"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        admin
            .call("access/revoke_role", &[("grant_id", &grant)])
            .await
            .unwrap()
            .0
            / 100,
        2
    );
    for (path, (needs, arguments)) in cases() {
        if needs == Needs::Viewer {
            let (status, answer) = viewer
                .call(path.trim_start_matches("/api/"), arguments)
                .await
                .unwrap();
            assert_eq!(status, 403, "{path} answered somebody without a role: {answer}");
        }
    }
    // Each refusal stands in the audit log.
    let (_, _, denied) = admin
        .get("/export/audit.csv?outcome=denied&actor=viewer")
        .await
        .unwrap();
    for act in [
        "commands.run",
        "commands.cancel",
        "runbooks.start",
        "runbooks.stop",
        "runbooks.decide",
        "parameters.reveal",
        "parameters.put",
        "parameters.delete",
        "baselines.change",
        "baselines.delete",
        "exceptions.grant",
        "windows.change",
        "deployments.change",
        "deployments.create_release",
        "deployments.deploy",
        "fleet.edit_tags",
        "users.create",
        "audit.read",
        "audit.export",
        "fleet.read",
    ] {
        assert!(
            denied.contains(act),
            "the refusal of {act} was not written down:\n{denied}"
        );
    }
}

#[tokio::test]
async fn nothing_changes_at_the_word_of_another_site() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    for path in [
        "/sign-in",
        "/setup",
        "/sign-out",
        "/api/commands/run",
        "/api/access/create_user",
    ] {
        let answer = http
            .post(format!("{}{path}", portal.base))
            .header("origin", "https://evil.example")
            .header("sec-fetch-site", "cross-site")
            .form(&[("name", "x")])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 403, "{path}");
    }
}

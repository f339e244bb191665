//! One server that speaks to several accounts and regions: what is seen and done at one's address is of that connection alone,
//! while people, policies and the audit log are those of the whole server.

use crate::approvals::{PASSWORD, POLICIES, SOON, ask, decide, person, until_state};
use crate::deployments::{make, parameters, release};
use crate::support::{self, Agent};
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::terminal::{Terminal, start};
use muster_tests::{Client, Portal};
use serde_json::Value;
use std::path::Path;

/// A second connection: another region of the embedded endpoint.
const LAB: [(&str, &str); 4] = [
    ("MUSTER_CONNECTIONS_LAB_ADDR", "127.0.0.1:0"),
    ("MUSTER_CONNECTIONS_LAB_REGION", "us-east-1"),
    ("MUSTER_CONNECTIONS_LAB_SSM_MODE", "embedded"),
    ("MUSTER_CONNECTIONS_LAB_PRODUCTION", "true"),
];

struct World {
    portal: Portal,
    /// The administrator at the first connection.
    here: Client,
    /// The same person at the second.
    there: Client,
    /// The first connection's node.
    node: String,
    /// The second's.
    other: String,
    _agent: Agent,
}

async fn world(folder: &Path, arguments: &[&str]) -> World {
    let data = folder.join("data");
    let portal = Portal::start_at(&data, &support::free_address(), arguments, &LAB).unwrap();
    let state = folder.join("agent");
    Agent::register(&portal, &state, &["--region", "us-east-1"]);
    let agent = Agent::run(&state);
    let here = Client::first_administrator(&portal).await.unwrap();
    // Signed in at one, signed in at all of that host.
    let there = here.at(&portal.connections["lab"]);
    World {
        node: support::online_node(&here).await,
        other: support::online_node(&there).await,
        portal,
        here,
        there,
        _agent: agent,
    }
}

async fn items(client: &Client, function: &str, fields: &[(&str, &str)]) -> Vec<Value> {
    let (status, page) = client.call(function, fields).await.unwrap();
    assert_eq!(status, 200, "{page}");
    page["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{page}"))
        .clone()
}

async fn status_of(client: &Client, path: &str) -> u16 {
    client.get(path).await.unwrap().0
}

#[tokio::test]
async fn nodes_and_commands_are_seen_and_run_at_their_own_connection_alone() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), &[]).await;
    assert_ne!(world.node, world.other);
    for (client, own, foreign) in [
        (&world.here, &world.node, &world.other),
        (&world.there, &world.other, &world.node),
    ] {
        let (_, _, fleet) = client.get("/export/fleet.json").await.unwrap();
        assert!(
            fleet.contains(own.as_str()) && !fleet.contains(foreign.as_str()),
            "{fleet}"
        );
        let (_, _, page) = client.get("/fleet").await.unwrap();
        assert!(page.contains(own.as_str()) && !page.contains(foreign.as_str()));
        assert_eq!(status_of(client, &format!("/fleet/{own}")).await, 200);
        assert_eq!(status_of(client, &format!("/fleet/{foreign}")).await, 404);
        let id = support::run_script(client, own, "echo from-$(id -un)").await;
        let events = support::follow(client, &id, 0).await;
        assert_eq!(support::status(&events), "Success");
        assert!(support::output(&events, "stdout").contains("from-"));
        // A node of the other account cannot even be named.
        let fields = [
            ("document", "AWS-RunShellScript"),
            ("parameters[commands]", "echo never"),
            ("nodes", foreign.as_str()),
        ];
        let (status, answer) = client.call("commands/run", &fields).await.unwrap();
        assert!((400..500).contains(&status), "{status} {answer}");
        let seen = items(client, "commands/list", &[("period", "all")]).await;
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!(seen[0]["command_id"], id.as_str());
    }
    // Neither is an application, nor anything of it.
    let application = make(&world.there, "far", &parameters(folder.path())).await;
    let release = release(&world.there, &application, "1.0", &"0".repeat(64)).await;
    for (function, fields) in [
        (
            "deployments/application",
            [("application_id", application.as_str())],
        ),
        ("deployments/release", [("release_id", release.as_str())]),
    ] {
        let (status, answer) = world.there.call(function, &fields).await.unwrap();
        assert_eq!(status, 200, "{function}: {answer}");
        let (status, answer) = world.here.call(function, &fields).await.unwrap();
        assert_eq!(status, 404, "{function}: {answer}");
    }
    let (_, _, page) = world
        .there
        .get(&format!("/deployments/{application}?tab=releases"))
        .await
        .unwrap();
    assert!(page.contains("1.0"));
    for tab in ["releases", "deployments"] {
        let path = format!("/deployments/{application}?tab={tab}");
        let (status, _, page) = world.here.get(&path).await.unwrap();
        assert!(status == 404 && !page.contains("1.0"), "{status} {page}");
    }
    // What is known at one is not at the other, whoever asks: neither its page, nor its stream, nor an act on it.
    let id = support::run_script(&world.there, &world.other, "sleep 600").await;
    for path in [
        format!("/commands/{id}"),
        format!("/events/commands/{id}?cursor=0"),
    ] {
        assert_eq!(status_of(&world.here, &path).await, 404, "{path}");
    }
    let cancel = [("command_id", id.as_str())];
    let (status, answer) = world.here.call("commands/cancel", &cancel).await.unwrap();
    assert_eq!(status, 404, "{answer}");
    let (status, answer) = world.there.call("commands/cancel", &cancel).await.unwrap();
    assert!(status < 400, "{answer}");
    let events = support::follow(&world.there, &id, 0).await;
    assert_eq!(support::status(&events), "Cancelled");
}

#[tokio::test]
async fn pages_say_where_they_are_and_lead_to_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), &[]).await;
    let (_, _, page) = world.there.get("/fleet").await.unwrap();
    assert!(
        page.contains("us-east-1") && page.contains(">Production<"),
        "it is marked"
    );
    assert!(
        page.contains(&format!("{}/fleet\"", world.portal.base)),
        "the way to the first"
    );
    let (_, _, page) = world.here.get("/commands").await.unwrap();
    let lab = &world.portal.connections["lab"];
    assert!(
        page.contains(&format!("{lab}/commands\"")),
        "the way to the second"
    );
    let (status, found) = world
        .here
        .call("overview/search", &[("text", "lab")])
        .await
        .unwrap();
    assert_eq!(status, 200, "{found}");
    let hits = found.as_array().unwrap();
    assert!(
        hits.iter()
            .any(|hit| hit["kind"] == "Connection" && hit["url"] == lab.as_str()),
        "{found}"
    );

    // The log is one, and says where each act was done.
    support::run_script(&world.there, &world.other, "true").await;
    support::run_script(&world.here, &world.node, "true").await;
    let (_, _, log) = world
        .here
        .get("/export/audit.json?action=commands.run")
        .await
        .unwrap();
    let rows: Vec<&str> = log.lines().collect();
    for (node, connection) in [(&world.other, "lab"), (&world.node, "default")] {
        let row = rows
            .iter()
            .find(|row| row.contains(node.as_str()))
            .unwrap_or_else(|| panic!("no row about {node}: {log}"))
            .replace('\\', "");
        let said = format!("\"connection\":\"{connection}\"");
        assert!(row.contains(&said), "{row}");
    }

    // Who signs out at one is signed out at all.
    world.here.form("/sign-out", &[]).await.unwrap();
    let (status, headers, _) = world.there.get("/fleet").await.unwrap();
    assert_eq!(status / 100, 3, "{headers:?}");
    assert!(headers["location"].starts_with("/sign-in"), "{headers:?}");
}

#[tokio::test]
async fn parameters_of_the_same_name_and_terminals_are_each_connections_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(folder.path(), &[]).await;
    for (client, value) in [(&world.here, "of the first"), (&world.there, "of the lab")] {
        let fields = [("name", "/app/greeting"), ("kind", "String"), ("value", value)];
        let (status, answer) = client.call("parameters/put", &fields).await.unwrap();
        assert_eq!(status / 100, 2, "{answer}");
    }
    for (client, value, other) in [
        (&world.here, "of the first", "of the lab"),
        (&world.there, "of the lab", "of the first"),
    ] {
        let (_, _, page) = client.get("/parameters/view?name=/app/greeting").await.unwrap();
        assert!(page.contains(value) && !page.contains(other));
    }

    let id = start(&world.there, &world.other).await.unwrap();
    let mut page = Terminal::attach(&world.there, &id, "one", None).await.unwrap();
    page.type_in("echo in-the''-lab\r").await.unwrap();
    page.shows("in-the-lab").await.unwrap();
    assert_eq!(status_of(&world.here, &format!("/terminals/{id}")).await, 404);
    assert!(Terminal::attach(&world.here, &id, "two", None).await.is_err());
    let (status, answer) = world
        .here
        .call("sessions/end", &[("session_id", &id), ("reason", "not mine")])
        .await
        .unwrap();
    assert_eq!(status, 404, "{answer}");

    // After a restart each connection takes up its own, with its own keys.
    world.portal.kill().unwrap();
    let address = world.portal.ssm.trim_start_matches("http://").to_owned();
    let again = Portal::start_at(&folder.path().join("data"), &address, &[], &LAB).unwrap();
    let (name, password) = ADMINISTRATOR;
    let here = Client::sign_in(&again.base, name, password).await.unwrap();
    let there = here.at(&again.connections["lab"]);
    let mut page = Terminal::attach(&there, &id, "one", None).await.unwrap();
    page.type_in("echo still-he''re\r").await.unwrap();
    page.shows("still-here").await.unwrap();
    assert!(Terminal::attach(&here, &id, "two", None).await.is_err());
}

#[tokio::test]
async fn what_waits_for_approval_is_decided_and_done_at_its_own_connection() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policies.toml");
    std::fs::write(&file, POLICIES).unwrap();
    let world = world(folder.path(), &["--approval-policies", file.to_str().unwrap()]).await;
    let tag = [
        ("node_id", world.other.as_str()),
        ("key", "Environment"),
        ("value", "Production"),
    ];
    let (status, answer) = world.there.call("fleet/set_tag", &tag).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let olga = person(&world.portal, &world.here, "olga", "operator")
        .await
        .at(world.there.base());
    let bob = person(&world.portal, &world.here, "bob", "approver").await;
    let marker = folder.path().join("ran");
    let script = format!("echo once >> {}", marker.display());
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", script.as_str()),
        ("nodes", world.other.as_str()),
        ("why", "the lab needs it"),
    ];
    let id = ask(&olga, "approvals/ask_command", &fields).await;
    assert_eq!(status_of(&bob, &format!("/approvals/{id}")).await, 404);
    assert!(
        items(&bob, "approvals/list", &[("query", "tab=waiting")])
            .await
            .is_empty()
    );
    let (status, answer) = bob
        .call(
            "approvals/decide",
            &[
                ("request_id", &id),
                ("digest", "0"),
                ("verdict", "approve"),
                ("comment", "from elsewhere"),
                ("password", PASSWORD),
            ],
        )
        .await
        .unwrap();
    assert_eq!(status, 404, "{answer}");
    let bob = bob.at(world.there.base());
    assert_eq!(
        items(&bob, "approvals/list", &[("query", "tab=waiting")])
            .await
            .len(),
        1
    );
    let (status, answer) = decide(&bob, &id, "approve").await;
    assert!(status < 400, "{answer}");
    let done = until_state(&olga, &id, "Done").await;
    let command = done["outcome"]["href"].as_str().unwrap();
    let events = support::follow(&olga, command.strip_prefix("/commands/").unwrap(), 0).await;
    assert_eq!(support::status(&events), "Success");
    assert_eq!(std::fs::read_to_string(&marker).unwrap(), "once\n");
    assert_eq!(status_of(&world.here, command).await, 404);
}

#[tokio::test]
async fn a_role_may_hold_at_one_connection_alone() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), &[]).await;
    let fields = [
        ("name", "lena"),
        ("display_name", ""),
        ("password", PASSWORD),
        ("role", "administrator"),
        ("scope", "muster:connection=lab"),
    ];
    let (status, answer) = world.here.call("access/create_user", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let here = Client::sign_in(&world.portal.base, "lena", PASSWORD)
        .await
        .unwrap();
    let there = here.at(world.there.base());
    let id = support::run_script(&there, &world.other, "echo here I may").await;
    let events = support::follow(&there, &id, 0).await;
    assert!(support::output(&events, "stdout").contains("here I may"));
    let fields = [("name", "/lena/may"), ("kind", "String"), ("value", "1")];
    let (status, answer) = there.call("parameters/put", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    // At the other connection it is none, and for the whole server neither.
    for (client, function, fields) in [
        (&here, "parameters/put", fields.as_slice()),
        (&here, "commands/list", &[("period", "all")]),
        (&here, "access/users", &[]),
        (&there, "access/users", &[]),
        (&there, "audit/list", &[("query", "")]),
    ] {
        let (status, answer) = client.call(function, fields).await.unwrap();
        assert_eq!(status, 403, "{} {function}: {answer}", client.base());
    }
    let (_, _, fleet) = here.get("/export/fleet.json").await.unwrap();
    assert!(!fleet.contains(&world.node), "{fleet}");
}

#[tokio::test]
async fn another_servers_endpoint_is_a_connection_too_and_may_be_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut far = Portal::start(&folder.path().join("far"), &[], &[]).unwrap();
    let keys = muster_control_plane::operator_credentials_in(far.data_dir())
        .unwrap()
        .unwrap();
    let variables = [
        ("MUSTER_CONNECTIONS_FAR_AWAY_ADDR", "127.0.0.1:0"),
        ("MUSTER_CONNECTIONS_FAR_AWAY_REGION", "eu-west-1"),
        ("MUSTER_CONNECTIONS_FAR_AWAY_SSM_ENDPOINT", far.ssm.as_str()),
        (
            "MUSTER_CONNECTIONS_FAR_AWAY_ACCESS_KEY_ID",
            keys.access_key_id.as_str(),
        ),
        (
            "MUSTER_CONNECTIONS_FAR_AWAY_SECRET_ACCESS_KEY",
            keys.secret_access_key.as_str(),
        ),
    ];
    let near = Portal::start(
        &folder.path().join("near"),
        &["--local-node", "false"],
        &variables,
    )
    .unwrap();
    let here = Client::first_administrator(&near).await.unwrap();
    let there = here.at(&near.connections["far-away"]);
    let node = support::online_node(&there).await;
    let id = support::run_script(&there, &node, "echo over there").await;
    let events = support::follow(&there, &id, 0).await;
    assert!(
        support::output(&events, "stdout").contains("over there"),
        "{events:?}"
    );
    assert!(
        items(&here, "commands/list", &[("period", "all")])
            .await
            .is_empty()
    );

    far.kill().unwrap();
    // Its own pages say so, and go on showing what is known; the other connection is not touched by it.
    there
        .until("the banner", SOON, async |client| {
            let (_, _, page) = client.get("/fleet").await?;
            Ok((page.contains("cannot be reached") && page.contains(&node)).then_some(()))
        })
        .await
        .unwrap();
    let (_, _, page) = here.get("/fleet").await.unwrap();
    assert!(!page.contains("cannot be reached."), "no banner at the other");
}

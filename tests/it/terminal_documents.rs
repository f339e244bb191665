//! Terminals with Session documents of the account: their shell profile runs on the node, their limits hold, what was opened is
//! written down with its version, and what is no document for a terminal is refused by its field.

use crate::approvals::{ask, decide, until_state, world};
use crate::support;
use muster_domain::sessions::SESSION_PREFERENCES;
use muster_tests::api::Api;
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::terminal::Terminal;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};

const WEB: &str = "Web-Shell";

/// A shell document whose profile says something that is not in its own text.
fn shell(word: &str, more: &Value) -> String {
    let mut inputs = json!({ "shellProfile": { "linux": format!("cd /usr; WORD={word}; echo profile-is-$WORD-in-$PWD") } });
    inputs
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"schemaVersion": "1.0", "description": "For the web servers", "sessionType": "Standard_Stream", "inputs": inputs})
        .to_string()
}

async fn create(api: &Api, name: &str, content: &str) {
    let input =
        json!({"Name": name, "DocumentType": "Session", "DocumentFormat": "JSON", "Content": content});
    api.call("CreateDocument", input).await.unwrap();
}

/// Another default version.
async fn change(api: &Api, name: &str, content: &str) {
    let input = json!({"Name": name, "Content": content, "DocumentVersion": "$LATEST"});
    let answer = api.call("UpdateDocument", input).await.unwrap();
    let version = answer["DocumentDescription"]["DocumentVersion"].clone();
    let input = json!({"Name": name, "DocumentVersion": version});
    api.call("UpdateDocumentDefaultVersion", input).await.unwrap();
}

/// What the portal says of a field that it refuses.
fn about<'a>(answer: &'a Value, field: &str) -> &'a str {
    let fields = answer["error"]["Invalid"]["fields"].as_array();
    let found = fields.into_iter().flatten().find(|one| one["field"] == field);
    found
        .and_then(|one| one["message"].as_str())
        .unwrap_or_else(|| panic!("nothing about {field} in {answer}"))
}

fn whoami() -> String {
    let answer = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_documents_profile_runs_and_its_limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    Client::first_administrator(&portal).await.unwrap();
    let api = Api::of(&portal).unwrap();
    let user = whoami();
    let limits = json!({"runAsEnabled": true, "runAsDefaultUser": user, "idleSessionTimeout": "7", "maxSessionDuration": "30"});
    create(&api, WEB, &shell("web", &limits)).await;
    let tail = json!({"schemaVersion": "1.0", "sessionType": "InteractiveCommands",
        "properties": {"linux": {"commands": "tail -f /var/log/syslog"}}});
    create(&api, "Tail-Log", &tail.to_string()).await;
    drop(portal);

    // What was made is copied when a portal starts, and every minute.
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::sign_in(&portal.base, ADMINISTRATOR.0, ADMINISTRATOR.1)
        .await
        .unwrap();
    let node = support::online_node(&admin).await;
    let options = admin
        .until("the documents", crate::approvals::SOON, async |client| {
            let (_, options) = client.call("sessions/options", &[("node_id", &node)]).await?;
            Ok((options["documents"].as_array().map(Vec::len) == Some(2)).then_some(options))
        })
        .await
        .unwrap();
    let names: Vec<&str> = options["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [SESSION_PREFERENCES, WEB],
        "the default first, and no other type"
    );

    // The form, as a browser without script gets it.
    let (status, _, page) = admin
        .get(&format!("/terminals/new?node={node}&document={WEB}"))
        .await
        .unwrap();
    assert_eq!(status, 200);
    assert!(
        page.contains(&format!("<option value=\"{WEB}\" selected")),
        "{page}"
    );
    for said in [
        "For the web servers",
        "profile-is-$WORD",
        &format!("as {user}"),
        "7 min without traffic",
        "ends after 30 min",
        "as the OS user that you name",
    ] {
        assert!(page.contains(said), "{said:?} is not on {page}");
    }

    let with = |document: &str, more: &[(&'static str, &str)]| {
        let mut fields = vec![("node_id", node.clone()), ("document", document.to_owned())];
        fields.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        fields
    };
    let start = async |fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        admin.call("sessions/start", &fields).await.unwrap()
    };
    for (document, more, field, said) in [
        ("Tail-Log", &[][..], "document", "InteractiveCommands"),
        (
            "No-Such-Shell",
            &[],
            "document",
            "There is no Session document No-Such-Shell.",
        ),
        ("AWS-RunShellScript", &[], "document", "no Session document"),
        ("a b", &[], "document", "by its name"),
        (WEB, &[("os_user", "daemon")], "os_user", "runAsDefaultUser"),
    ] {
        let (status, answer) = start(&with(document, more)).await;
        assert_eq!(status, 422, "{document}: {answer}");
        assert!(about(&answer, field).contains(said), "{document}: {answer}");
    }

    let (status, id) = start(&with(WEB, &[("reason", "look at the web")])).await;
    assert!(status < 400, "{id}");
    let id = id.as_str().unwrap().to_owned();
    let mut terminal = Terminal::attach(&admin, &id, "one", None).await.unwrap();
    terminal.shows("profile-is-web-in-/usr").await.unwrap();
    let session = &terminal.session;
    assert_eq!(
        (session.document.as_str(), session.document_version.as_str()),
        (WEB, "1")
    );
    assert_eq!(session.os_user, user);
    let lasts = session.ends_at.unwrap().since_ms(session.started_at);
    assert_eq!(
        lasts,
        30 * 60_000,
        "the document is shorter than what the portal allows"
    );
    let (status, answer) = admin
        .call("sessions/more_time", &[("session_id", &id)])
        .await
        .unwrap();
    assert!(
        status == 409 && answer.to_string().contains("30 minutes"),
        "{answer}"
    );

    let (_, _, page) = admin.get(&format!("/terminals/{id}")).await.unwrap();
    assert!(page.contains("Web-Shell version 1"), "{page}");
    terminal.type_in("exit\r").await.unwrap();
    terminal.until("the end", |page| page.ended).await.unwrap();
    let (_, _, page) = admin.get(&format!("/terminals/{id}")).await.unwrap();
    let again = format!("/terminals/new?node={node}&amp;document={WEB}");
    assert!(page.contains(&again), "{again} is not on {page}");
    let (_, _, page) = admin.get("/terminals?period=all").await.unwrap();
    assert!(page.contains("with Web-Shell"), "{page}");
    let (_, _, acts) = admin
        .get("/export/audit.csv?action=sessions.start")
        .await
        .unwrap();
    let row = acts.lines().find(|row| row.contains(&id)).unwrap();
    for word in [WEB, "document_version", "document_sha256"] {
        assert!(row.contains(word), "{word} is not in {row}");
    }

    // The endpoint's own preferences let one say as whom, and have no profile.
    let (status, id) = start(&with("", &[("os_user", &user)])).await;
    assert!(status < 400, "{id}");
    let mut terminal = Terminal::attach(&admin, id.as_str().unwrap(), "one", None)
        .await
        .unwrap();
    terminal.type_in("echo I am $(id -un).\r").await.unwrap();
    terminal.shows(&format!("I am {user}.")).await.unwrap();
    assert_eq!(terminal.session.document, SESSION_PREFERENCES);
    assert!(!terminal.text().contains("profile-is"));
}

#[tokio::test]
async fn an_approval_is_for_the_document_as_it_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let api = Api::of(&world.portal).unwrap();
    create(&api, WEB, &shell("first", &json!({}))).await;
    let fields = [
        ("node_id", world.node.as_str()),
        ("document", WEB),
        ("reason", "look at the web"),
    ];
    let (status, answer) = world.olga.call("sessions/start", &fields).await.unwrap();
    assert_eq!(status, 428, "{answer}");
    let asked = [fields.as_slice(), &[("minutes", "10")]].concat();
    let id = ask(&world.olga, "approvals/ask_terminal", &asked).await;
    let (_, _, page) = world.bob.get(&format!("/approvals/{id}")).await.unwrap();
    for said in ["Terminal with Web-Shell", " version 1 "] {
        assert!(page.contains(said), "{said} is not on {page}");
    }
    assert_eq!(decide(&world.bob, &id, "approve").await.0, 200);
    let (_, _, page) = world.olga.get(&format!("/approvals/{id}")).await.unwrap();
    assert!(page.contains("document=Web-Shell"), "the way to use it: {page}");

    let with = [fields.as_slice(), &[("request", id.as_str())]].concat();
    let default = [
        ("node_id", world.node.as_str()),
        ("reason", "x"),
        ("request", &id),
    ];
    let (status, answer) = world.olga.call("sessions/start", &default).await.unwrap();
    assert!(
        status == 409 && answer.to_string().contains("is another than was approved"),
        "{answer}"
    );
    change(&api, WEB, &shell("second", &json!({}))).await;
    let (status, answer) = world.olga.call("sessions/start", &with).await.unwrap();
    assert!(
        status == 409
            && answer
                .to_string()
                .contains("version 1 was approved, version 2 would be opened"),
        "{answer}"
    );
    let first = json!({"Name": WEB, "DocumentVersion": "1"});
    api.call("UpdateDocumentDefaultVersion", first).await.unwrap();
    let session = ask(&world.olga, "sessions/start", &with).await;
    let mut terminal = Terminal::attach(&world.olga, &session, "one", None)
        .await
        .unwrap();
    terminal.shows("profile-is-first-in-/usr").await.unwrap();
    until_state(&world.olga, &id, "Done").await;
}

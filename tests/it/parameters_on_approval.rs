//! Parameters where a policy wants a second pair of eyes: written, restored and deleted as it was approved or not at all,
//! and a secret written unseen and shown once.

use crate::parameters::{PASSWORD, SECRET, SOON, get, live, person, put, reveal};
use muster_store::db::Address;
use muster_store::{Db, RowExt, Sql};
use muster_tests::api::Api;
use muster_tests::portal::ADMINISTRATOR;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::path::Path;

const POLICIES: &str = r#"
[[policy]]
name = "Production parameters"
acts = ["parameters.*"]
parameters = ["/prod/*"]
reason = true

[[policy.levels]]
approvals = 1
of = ["role:approver"]
"#;

struct World {
    portal: Portal,
    admin: Client,
    olga: Client,
    bob: Client,
}

async fn world(folder: &Path) -> World {
    let file = folder.join("policies.toml");
    std::fs::write(&file, POLICIES).unwrap();
    let arguments = [
        "--approval-policies",
        file.to_str().unwrap(),
        "--local-node",
        "false",
    ];
    let portal = Portal::start(&folder.join("data"), &arguments, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    World {
        olga: person(&portal, &admin, "olga", "operator", "*").await,
        bob: person(&portal, &admin, "bob", "approver", "*").await,
        portal,
        admin,
    }
}

async fn ask(client: &Client, function: &str, fields: &[(&str, &str)]) -> String {
    let (status, answer) = client.call(function, fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    answer
        .as_str()
        .unwrap_or_else(|| panic!("no id in {answer}"))
        .to_owned()
}

async fn request(client: &Client, id: &str) -> Value {
    let (status, answer) = client.call("approvals/get", &[("request_id", id)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn approve(client: &Client, id: &str) -> (u16, Value) {
    let digest = request(client, id).await["digest"].as_str().unwrap().to_owned();
    let fields = [
        ("request_id", id),
        ("digest", &digest),
        ("verdict", "approve"),
        ("comment", ""),
        ("password", PASSWORD),
    ];
    client.call("approvals/decide", &fields).await.unwrap()
}

async fn until_state(client: &Client, id: &str, wanted: &str) -> Value {
    client
        .until(&format!("{id} is {wanted}"), SOON, async |client| {
            let found = request(client, id).await;
            Ok((found["summary"]["state"] == wanted).then_some(found))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_protected_parameter_is_written_as_it_was_approved_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let World {
        portal,
        admin,
        olga,
        bob,
    } = world(folder.path()).await;
    // What no policy is about is written at once; what one is about is not, by an administrator neither.
    let text = [("kind", "String"), ("value", "8080")];
    assert_eq!(put(&olga, "/dev/port", &text).await.0 / 100, 2);
    for client in [&olga, &admin] {
        let (status, answer) = put(client, "/prod/port", &text).await;
        assert_eq!(status, 428, "{answer}");
    }
    let (status, answer) = olga
        .call(
            "approvals/test_policies",
            &[("act", "parameters.put"), ("parameter", "/prod/x")],
        )
        .await
        .unwrap();
    assert_eq!((status, &answer["effect"]), (200, &json!("approve")), "{answer}");

    let make = [&[("name", "/prod/port"), ("why", "the new port")], &text[..]].concat();
    let id = ask(&olga, "parameters/ask_put", &make).await;
    let asked = request(&bob, &id).await;
    assert_eq!(
        asked["summary"]["title"], "Make the parameter /prod/port",
        "{asked}"
    );
    assert_eq!(
        asked["plan"]["subject"]["parameter"]["becomes"]["value"], "8080",
        "{asked}"
    );
    assert_eq!(approve(&olga, &id).await.0, 403, "her own");
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;
    assert_eq!(live(&get(&olga, "/prod/port").await)["value"], "8080");

    // The approver sees what is there and what would be; what changes meanwhile voids the approval.
    let change = [
        ("name", "/prod/port"),
        ("kind", "String"),
        ("value", "9090"),
        ("replaces", "1"),
        ("why", "once more"),
    ];
    let id = ask(&olga, "parameters/ask_put", &change).await;
    let asked = request(&bob, &id).await;
    let planned = &asked["plan"]["subject"]["parameter"];
    assert_eq!(
        (&planned["now"]["value"], &planned["becomes"]["value"]),
        (&json!("8080"), &json!("9090"))
    );
    let api = Api::of(&portal).unwrap();
    let outside = json!({"Name": "/prod/port", "Value": "7070", "Overwrite": true});
    api.call("PutParameter", outside).await.unwrap();
    assert_eq!(approve(&bob, &id).await.0, 200);
    olga.until("the approval is void", SOON, async |client| {
        let found = request(client, &id).await;
        Ok((found["generation"] == 2).then_some(()))
    })
    .await
    .unwrap();
    let void = request(&bob, &id).await;
    assert!(void["changed"].to_string().contains("version 2 now"), "{void}");
    assert_eq!(
        live(&get(&olga, "/prod/port").await)["value"],
        "7070",
        "nothing was replaced"
    );
    // Approved anew, it replaces what is there now.
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;
    assert_eq!(live(&get(&olga, "/prod/port").await)["value"], "9090");

    // Restoring, labels and deleting are protected, too.
    let restore = [
        ("name", "/prod/port"),
        ("kind", "String"),
        ("version", "1"),
        ("replaces", "3"),
    ];
    assert_eq!(olga.call("parameters/restore", &restore).await.unwrap().0, 428);
    let id = ask(
        &olga,
        "parameters/ask_restore",
        &[&restore[..], &[("why", "back")]].concat(),
    )
    .await;
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;
    assert_eq!(live(&get(&olga, "/prod/port").await)["value"], "8080");
    let label = [("name", "/prod/port"), ("version", "1"), ("labels", "live")];
    assert_eq!(olga.call("parameters/label", &label).await.unwrap().0, 428);
    let id = ask(
        &olga,
        "parameters/ask_label",
        &[&label[..], &[("why", "readers of live get the first")]].concat(),
    )
    .await;
    let asked = request(&bob, &id).await;
    assert_eq!(
        asked["summary"]["title"], "Set the label live on version 1 of /prod/port",
        "{asked}"
    );
    assert_eq!(asked["plan"]["subject"]["parameter"]["labels"]["value"], "8080");
    // It was set elsewhere meanwhile: what was approved does not hold any more.
    let elsewhere = json!({"Name": "/prod/port", "ParameterVersion": 2, "Labels": ["live"]});
    api.call("LabelParameterVersion", elsewhere).await.unwrap();
    assert_eq!(approve(&bob, &id).await.0, 200);
    olga.until("the approval of the label is void", SOON, async |client| {
        let found = request(client, &id).await;
        Ok((found["generation"] == 2).then_some(()))
    })
    .await
    .unwrap();
    let void = request(&bob, &id).await;
    assert!(
        void["changed"]
            .to_string()
            .contains("label live of /prod/port is at version 2 now"),
        "{void}"
    );
    assert_eq!(void["plan"]["subject"]["parameter"]["labels"]["replaced"], "7070");
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;
    let labelled = api
        .call("GetParameter", json!({"Name": "/prod/port:live"}))
        .await
        .unwrap();
    assert_eq!(labelled["Parameter"]["Value"], "8080", "{labelled}");
    let away = [("name", "/prod/port"), ("version", "1"), ("label", "live")];
    assert_eq!(olga.call("parameters/unlabel", &away).await.unwrap().0, 428);
    let wrong = [("name", "/prod/port"), ("version", "2"), ("label", "live")];
    let (status, answer) = olga
        .call(
            "parameters/ask_unlabel",
            &[&wrong[..], &[("why", "not there")]].concat(),
        )
        .await
        .unwrap();
    assert_eq!(status, 409, "{answer}");
    let id = ask(
        &olga,
        "parameters/ask_unlabel",
        &[&away[..], &[("why", "nobody reads it")]].concat(),
    )
    .await;
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;
    assert!(
        api.call("GetParameter", json!({"Name": "/prod/port:live"}))
            .await
            .is_err()
    );
    let delete = [
        ("name", "/prod/port"),
        ("version", "4"),
        ("confirmation", "/prod/port"),
    ];
    assert_eq!(olga.call("parameters/delete", &delete).await.unwrap().0, 428);
    let id = ask(
        &olga,
        "parameters/ask_delete",
        &[&delete[..], &[("why", "gone")]].concat(),
    )
    .await;
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;
    assert_eq!(
        olga.call("parameters/get", &[("name", "/prod/port")])
            .await
            .unwrap()
            .0,
        404
    );
    // What it stands on is in the audit log, with who approved.
    let (_, _, audit) = admin.get("/export/audit.json").await.unwrap();
    let row = audit
        .lines()
        .find(|line| line.contains("\"parameters.delete\"") && line.contains("approved_by"))
        .unwrap();
    assert!(row.contains("bob") && row.contains(&id), "{row}");
}

#[tokio::test]
async fn a_protected_secret_is_written_unseen_and_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let World {
        portal,
        admin,
        olga,
        bob,
    } = world(folder.path()).await;
    let secret = [
        ("name", "/prod/password"),
        ("kind", "SecureString"),
        ("secret_value", SECRET),
        ("why", "the first one"),
    ];
    let id = ask(&olga, "parameters/ask_put", &secret).await;
    let asked = request(&bob, &id).await;
    assert!(!asked.to_string().contains(SECRET), "{asked}");
    let reference = asked["plan"]["subject"]["parameter"]["becomes"]["value_reference"].clone();
    assert_eq!(reference.as_str().unwrap().len(), 64, "{asked}");
    let (_, _, page) = bob.get(&format!("/approvals/{id}")).await.unwrap();
    assert!(
        page.contains("A new secret value") && !page.contains(SECRET),
        "{page}"
    );
    let unwanted = [&[("name", "/prod/unwanted")], &secret[1..]].concat();
    let other = ask(&olga, "parameters/ask_put", &unwanted).await;
    olga.call("approvals/withdraw", &[("request_id", &other)])
        .await
        .unwrap();
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;

    // To see it takes an approval, for that version, once.
    let (status, answer) = reveal(&olga, "/prod/password", PASSWORD).await;
    assert_eq!(status, 428, "{answer}");
    let (status, answer) = reveal(&admin, "/prod/password", "not even asked for").await;
    assert_eq!(status, 428, "{answer}");
    let kept = [("kind", "SecureString"), ("replaces", "1"), ("description", "d")];
    let id = ask(
        &olga,
        "parameters/ask_put",
        &[&kept[..], &[("name", "/prod/password"), ("why", "described")]].concat(),
    )
    .await;
    assert_eq!(approve(&bob, &id).await.0, 200);
    until_state(&olga, &id, "Done").await;
    let compared = [("name", "/prod/password"), ("old", "1"), ("new", "2")];
    let (_, found) = olga.call("parameters/compare", &compared).await.unwrap();
    assert_eq!(
        found["is"], "hidden",
        "whether two secrets are the same is something about them: {found}"
    );
    let wish = [("name", "/prod/password"), ("why", "the database is down")];
    let id = ask(&olga, "parameters/ask_reveal", &wish).await;
    let looking = [
        ("name", "/prod/password"),
        ("password", PASSWORD),
        ("request", id.as_str()),
    ];
    let look = async |client: &Client| client.call("parameters/reveal", &looking).await.unwrap();
    assert_eq!(look(&olga).await.0, 409, "not approved yet");
    assert_eq!(approve(&bob, &id).await.0, 200);
    let approved = request(&olga, &id).await;
    assert_eq!(approved["may_use"], true, "{approved}");
    assert_eq!(look(&bob).await.0, 403, "an approver may not see secrets");
    let hers = [
        ("name", "/prod/password"),
        ("password", ADMINISTRATOR.1),
        ("request", id.as_str()),
    ];
    let (status, answer) = admin.call("parameters/reveal", &hers).await.unwrap();
    assert_eq!(status, 404, "it is olga's: {answer}");
    let other = [&looking[..], &[("version", "1")]].concat();
    assert_eq!(
        olga.call("parameters/reveal", &other).await.unwrap().0,
        409,
        "another version"
    );
    let (status, answer) = look(&olga).await;
    assert_eq!((status, &answer["value"]), (200, &json!(SECRET)), "{answer}");
    until_state(&olga, &id, "Done").await;
    assert_eq!(look(&olga).await.0, 409, "once");

    // An approval for what was replaced since shows nothing.
    let id = ask(&olga, "parameters/ask_reveal", &wish).await;
    assert_eq!(approve(&bob, &id).await.0, 200);
    let api = Api::of(&portal).unwrap();
    let outside = json!({"Name": "/prod/password", "Value": "another", "Overwrite": true});
    api.call("PutParameter", outside).await.unwrap();
    let late = [
        ("name", "/prod/password"),
        ("password", PASSWORD),
        ("request", id.as_str()),
    ];
    let (status, answer) = olga.call("parameters/reveal", &late).await.unwrap();
    assert_eq!(status, 409, "{answer}");
    assert!(answer.to_string().contains("version 3 now"), "{answer}");

    let (_, _, audit) = admin.get("/export/audit.json").await.unwrap();
    assert!(!audit.contains(SECRET), "the audit log holds the secret");
    let (_, _, evidence) = admin.get(&format!("/export/requests/{id}")).await.unwrap();
    assert!(!evidence.contains(SECRET), "the evidence holds the secret");
    drop(portal);
    let database = std::fs::read(folder.path().join("data/muster.db")).unwrap();
    let found = database
        .windows(SECRET.len())
        .any(|bytes| bytes == SECRET.as_bytes());
    assert!(!found, "the database holds the secret in the clear");
    // What was written and what never will be: neither is kept, not even sealed.
    let db = Db::open(&Address::File(folder.path().join("data/muster.db")))
        .await
        .unwrap();
    let sql = Sql::new("select proposed from approval_requests where act = 'parameters.put' order by number");
    let rows = sql.all(db.reader()).await.unwrap();
    let sealed: Vec<Value> = rows
        .iter()
        .map(|row| serde_json::from_str(&row.text("proposed").unwrap()).unwrap())
        .filter(|act: &Value| act.to_string().contains("\"sealed\""))
        .collect();
    assert_eq!(sealed.len(), 2, "{sealed:?}");
    for act in sealed {
        assert!(act.to_string().contains("\"sealed\":\"\""), "{act}");
    }
    db.close().await;
}

//! Parameters end to end, with the real control plane: written against the version that was seen, brought back, labelled,
//! deleted; a secret shown only to whom may see it, and in no page, file or row of the audit log.

use muster_tests::api::Api;
use muster_tests::portal::program;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const PASSWORD: &str = "two grey geese fly south";
pub const SECRET: &str = "correct-horse-battery-staple";
pub const SOON: Duration = Duration::from_secs(60);

pub async fn person(portal: &Portal, admin: &Client, name: &str, role: &str, scope: &str) -> Client {
    let fields = [
        ("name", name),
        ("display_name", ""),
        ("password", PASSWORD),
        ("role", role),
        ("scope", scope),
    ];
    let (status, answer) = admin.call("access/create_user", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    Client::sign_in(&portal.base, name, PASSWORD).await.unwrap()
}

pub async fn put(client: &Client, name: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let fields = [&[("name", name)], more].concat();
    client.call("parameters/put", &fields).await.unwrap()
}

/// The program that logs all that it has to say into a file.
fn talkative(folder: &Path) -> PathBuf {
    let script = folder.join("muster");
    let text = format!(
        "#!/bin/sh\nMUSTER_LOG=debug exec '{}' \"$@\" 2>'{}'\n",
        program().unwrap().display(),
        folder.join("log").display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

pub async fn get(client: &Client, name: &str) -> Value {
    let (status, answer) = client.call("parameters/get", &[("name", name)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

pub fn live(detail: &Value) -> &Value {
    &detail["live"]["Ok"]
}

pub async fn reveal(client: &Client, name: &str, password: &str) -> (u16, Value) {
    let fields = [("name", name), ("password", password)];
    client.call("parameters/reveal", &fields).await.unwrap()
}

#[tokio::test]
async fn a_parameter_is_written_compared_brought_back_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let text = [("kind", "String"), ("value", "5432\n"), ("tier", "Standard")];
    let (status, answer) = put(&olga, "/app/prod/port", &text).await;
    assert_eq!((status / 100, &answer["version"]), (2, &json!(1)), "{answer}");
    // It is in the list at once, without waiting for a round.
    let (_, page) = olga
        .call("parameters/list", &[("path", "app/prod")])
        .await
        .unwrap();
    assert_eq!(page["page"]["items"][0]["name"], "/app/prod/port", "{page}");
    let (status, answer) = put(&olga, "/app/prod/port", &text).await;
    assert_eq!(status, 422, "made twice: {answer}");
    let (status, answer) = put(&olga, "port", &text).await;
    assert_eq!(status / 100, 2, "{answer}");
    let (status, answer) = put(&olga, "/port", &text).await;
    assert_eq!(status, 422, "the same with the other spelling: {answer}");

    // Two who saw version 1: the second one loses nothing and replaces nothing.
    let next = |value| [("kind", "String"), ("value", value), ("replaces", "1")];
    assert_eq!(put(&olga, "/app/prod/port", &next("5433")).await.0 / 100, 2);
    let (status, answer) = put(&admin, "/app/prod/port", &next("9999")).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer.to_string().contains("version 2"), "{answer}");
    let detail = get(&olga, "/app/prod/port").await;
    assert_eq!(live(&detail)["value"], "5433");
    let (status, answer) = put(
        &admin,
        "/app/prod/port",
        &[("kind", "SecureString"), ("secret_value", "x"), ("replaces", "2")],
    )
    .await;
    assert_eq!(status, 422, "another type: {answer}");

    let compared = [("name", "/app/prod/port"), ("old", "1"), ("new", "2")];
    let (_, found) = olga.call("parameters/compare", &compared).await.unwrap();
    assert_eq!(
        (&found["is"], &found["diff"]["added"]),
        (&json!("text"), &json!(1)),
        "{found}"
    );
    let restore = [
        ("name", "/app/prod/port"),
        ("kind", "String"),
        ("version", "1"),
        ("replaces", "2"),
    ];
    let (status, answer) = olga.call("parameters/restore", &restore).await.unwrap();
    assert_eq!((status / 100, &answer["version"]), (2, &json!(3)), "{answer}");
    assert_eq!(live(&get(&olga, "/app/prod/port").await)["value"], "5432\n");

    // Labels and tags.
    let label = |version, labels| {
        [
            ("name", "/app/prod/port"),
            ("version", version),
            ("labels", labels),
        ]
    };
    assert_eq!(
        olga.call("parameters/label", &label("2", "live, tested"))
            .await
            .unwrap()
            .0
            / 100,
        2
    );
    assert_eq!(
        olga.call("parameters/label", &label("3", "live"))
            .await
            .unwrap()
            .0
            / 100,
        2
    );
    assert_eq!(
        olga.call("parameters/label", &label("3", "1st")).await.unwrap().0,
        422
    );
    let detail = get(&olga, "/app/prod/port").await;
    assert_eq!(live(&detail)["versions"][0]["labels"], json!(["live"]));
    assert_eq!(live(&detail)["versions"][1]["labels"], json!(["tested"]));
    let (_, page) = olga
        .call("parameters/list", &[("label", "tested")])
        .await
        .unwrap();
    assert_eq!(page["page"]["items"].as_array().unwrap().len(), 1, "{page}");
    let away = [("name", "/app/prod/port"), ("version", "2"), ("label", "tested")];
    assert_eq!(olga.call("parameters/unlabel", &away).await.unwrap().0 / 100, 2);
    assert_eq!(olga.call("parameters/unlabel", &away).await.unwrap().0, 409);
    let tag = [("name", "/app/prod/port"), ("key", "Team"), ("value", "web")];
    assert_eq!(olga.call("parameters/tag", &tag).await.unwrap().0 / 100, 2);
    let detail = get(&olga, "/app/prod/port").await;
    assert_eq!(live(&detail)["tags"], json!([{"key": "Team", "value": "web"}]));

    // What was written past the portal is seen, and is not replaced unseen.
    let api = Api::of(&portal).unwrap();
    let input = json!({"Name": "/app/prod/port", "Value": "outside", "Overwrite": true});
    api.call("PutParameter", input).await.unwrap();
    let (status, answer) = put(
        &olga,
        "/app/prod/port",
        &[("kind", "String"), ("value", "mine"), ("replaces", "3")],
    )
    .await;
    assert_eq!(status, 409, "{answer}");

    // The files hold what each is.
    let (status, _, csv) = olga.get("/export/parameters.csv?path=/app").await.unwrap();
    assert_eq!((status, csv.lines().count()), (200, 2), "{csv}");
    assert!(csv.contains("/app/prod/port,String,Standard,text,4,"), "{csv}");
    assert_eq!(
        olga.get("/export/parameters.json?type=Nothing").await.unwrap().0,
        422
    );

    let delete = |version, typed| {
        [
            ("name", "/app/prod/port"),
            ("version", version),
            ("confirmation", typed),
        ]
    };
    let (status, answer) = olga
        .call("parameters/delete", &delete("4", "port"))
        .await
        .unwrap();
    assert_eq!(status, 422, "{answer}");
    let (status, answer) = olga
        .call("parameters/delete", &delete("3", "/app/prod/port"))
        .await
        .unwrap();
    assert_eq!(status, 409, "{answer}");
    let (status, answer) = olga
        .call("parameters/delete", &delete("4", "/app/prod/port"))
        .await
        .unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    assert_eq!(
        olga.call("parameters/get", &[("name", "/app/prod/port")])
            .await
            .unwrap()
            .0,
        404
    );
    let (_, page) = olga.call("parameters/list", &[]).await.unwrap();
    assert_eq!(
        (&page["total"], page["folders"].as_array().unwrap().len()),
        (&json!(1), 0),
        "{page}"
    );

    // What comes and goes outside is found by the next round.
    let input = json!({"Name": "/later/x", "Value": "1", "Type": "String"});
    api.call("PutParameter", input).await.unwrap();
    api.call("DeleteParameter", json!({"Name": "port"}))
        .await
        .unwrap();
    olga.until("the copy is up to date", SOON, async |client| {
        let (_, page) = client.call("parameters/list", &[]).await?;
        Ok((page["total"] == 1 && page["folders"][0]["path"] == "later").then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_secret_is_shown_to_whom_may_see_it_and_stands_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let program = talkative(folder.path());
    let data = folder.path().join("data");
    let portal = Portal::start_program(&program, &data, &["--local-node", "false"]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let vera = person(&portal, &admin, "vera", "viewer", "*").await;
    let paul = person(&portal, &admin, "paul", "operator", "Environment=Staging").await;
    let secret = [
        ("kind", "SecureString"),
        ("secret_value", SECRET),
        ("description", "of the database"),
    ];
    let (status, answer) = put(&olga, "/app/password", &secret).await;
    assert_eq!(status / 100, 2, "{answer}");
    // Refused for its value: the complaint does not repeat it.
    let (status, answer) = put(
        &olga,
        "/app/other",
        &[
            ("kind", "SecureString"),
            ("secret_value", SECRET),
            ("allowed_pattern", "[0-9]+"),
        ],
    )
    .await;
    assert_eq!(status, 422, "{answer}");
    assert!(!answer.to_string().contains(SECRET), "{answer}");
    // Its description changes, and the secret stays.
    let kept = [
        ("kind", "SecureString"),
        ("replaces", "1"),
        ("description", "of the new database"),
    ];
    assert_eq!(put(&olga, "/app/password", &kept).await.0 / 100, 2);
    let compared = [("name", "/app/password"), ("old", "1"), ("new", "2")];
    let (_, found) = olga.call("parameters/compare", &compared).await.unwrap();
    assert_eq!(
        (&found["is"], &found["is_same"]),
        (&json!("secret"), &json!(true)),
        "{found}"
    );
    let (_, found) = vera.call("parameters/compare", &compared).await.unwrap();
    assert_eq!(found["is"], "hidden", "{found}");

    let (status, answer) = reveal(&olga, "/app/password", "not the password").await;
    assert_eq!(status, 422, "{answer}");
    let (status, answer) = reveal(&olga, "/app/password", PASSWORD).await;
    assert_eq!((status, &answer["value"]), (200, &json!(SECRET)), "{answer}");
    for (client, who) in [(&vera, "a viewer"), (&paul, "an operator of a part of the fleet")] {
        let (status, answer) = reveal(client, "/app/password", PASSWORD).await;
        assert_eq!(status, 403, "{who}: {answer}");
        assert!(answer.to_string().contains("everywhere"), "{answer}");
        assert_eq!(put(client, "/app/password", &kept).await.0, 403, "{who}");
        let seen = get(client, "/app/password").await;
        assert_eq!(
            (&live(&seen)["value"], &seen["may_reveal"]),
            (&Value::Null, &json!(false)),
            "{who}"
        );
    }

    // Nowhere else.
    for path in [
        "/parameters",
        "/parameters?path=app",
        "/parameters/view?name=/app/password",
        "/parameters/view?name=/app/password&old=1&new=2",
        "/parameters/edit?name=/app/password",
        "/export/parameters.csv",
        "/export/parameters.json",
    ] {
        let (status, _, page) = olga.get(path).await.unwrap();
        assert_eq!(status, 200, "{path}");
        assert!(!page.contains(SECRET), "{path} holds the secret");
    }
    let (_, _, audit) = admin.get("/export/audit.json").await.unwrap();
    assert!(!audit.contains(SECRET), "the audit log holds the secret");
    let revealed = |outcome: &str| {
        let is_one = |line: &&str| {
            line.contains("\"parameters.reveal\"")
                && line.contains("parameter:/app/password")
                && line.contains(outcome)
        };
        audit.lines().filter(is_one).count()
    };
    assert_eq!(revealed("\"success\""), 1, "{audit}");
    assert_eq!(
        (revealed("\"failure\""), revealed("\"denied\"")),
        (1, 2),
        "{audit}"
    );
    drop(portal);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains(SECRET), "the log holds the secret");
    let database = std::fs::read(data.join("muster.db")).unwrap();
    let found = database
        .windows(SECRET.len())
        .any(|bytes| bytes == SECRET.as_bytes());
    assert!(!found, "the database holds the secret in the clear");
}

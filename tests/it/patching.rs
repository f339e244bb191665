//! Patching end to end, with the real control plane: how a node stands that was really scanned, and baselines that are changed
//! as they were looked at or not at all, at once or on approval.

use crate::parameters::{PASSWORD, SOON, person};
use crate::support::online_node;
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};
use std::path::Path;

const POLICIES: &str = r#"
[[policy]]
name = "Protected baselines"
acts = ["baselines.*"]
documents = ["prod-*"]
reason = true

[[policy.levels]]
approvals = 1
of = ["role:approver"]
"#;

const RULE: [(&str, &str); 4] = [
    ("operating_system", "DEBIAN"),
    ("filters[0]", "PRODUCT=*\nPRIORITY=Required, Important"),
    ("days[0]", "7"),
    ("levels[0]", "HIGH"),
];

pub async fn call(client: &Client, function: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    client
        .call(&format!("patching/{function}"), fields)
        .await
        .unwrap()
}

pub async fn good(client: &Client, function: &str, fields: &[(&str, &str)]) -> Value {
    let (status, answer) = call(client, function, fields).await;
    assert_eq!(status / 100, 2, "{function}: {answer}");
    answer
}

pub async fn make(client: &Client, name: &str) -> String {
    let fields = [&[("name", name)], &RULE[..]].concat();
    let answer = good(client, "put_baseline", &fields).await;
    answer.as_str().unwrap().to_owned()
}

pub async fn baseline(client: &Client, id: &str) -> Value {
    good(client, "baseline", &[("baseline_id", id)]).await
}

pub fn seen(detail: &Value) -> String {
    detail["summary"]["sha256"].as_str().unwrap().to_owned()
}

pub async fn there(api: &Api, id: &str) -> Value {
    api.call("GetPatchBaseline", json!({"BaselineId": id}))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_baseline_is_made_changed_as_it_was_looked_at_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let api = Api::of(&portal).unwrap();
    // What is wrong is named by its field.
    let wrong = [
        ("name", "a b"),
        ("operating_system", "DEBIAN"),
        ("filters[3]", "COLOUR=red"),
    ];
    let (status, answer) = call(&olga, "put_baseline", &wrong).await;
    assert_eq!(status, 422, "{answer}");
    let text = answer.to_string();
    assert!(text.contains("\"name\"") && text.contains("filters.3"), "{text}");

    let id = make(&olga, "web-servers").await;
    let found = there(&api, &id).await;
    let rule = &found["ApprovalRules"]["PatchRules"][0];
    assert_eq!(
        (&rule["ApproveAfterDays"], &rule["ComplianceLevel"]),
        (&json!(7), &json!("HIGH"))
    );
    let filters = rule["PatchFilterGroup"]["PatchFilters"].as_array().unwrap();
    assert_eq!(filters[1]["Values"], json!(["Required", "Important"]), "{found}");
    let detail = baseline(&olga, &id).await;
    assert_eq!(detail["versions"][0]["changed_by"], "olga", "{detail}");
    let first = seen(&detail);

    // Somebody else changes it past the portal: what was typed against the old one is refused, with the difference.
    let outside = json!({"BaselineId": id, "RejectedPatches": ["openssl*"]});
    api.call("UpdatePatchBaseline", outside).await.unwrap();
    let edit = |seen: &str| -> Vec<(String, String)> {
        let mut fields = vec![
            ("baseline_id".to_owned(), id.clone()),
            ("seen".to_owned(), seen.to_owned()),
            ("name".to_owned(), "web-servers".to_owned()),
            ("approved_patches".to_owned(), "curl*\r\n".to_owned()),
        ];
        fields.extend(
            RULE.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        fields
    };
    let send = async |seen: &str| {
        let fields = edit(seen);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        call(&olga, "put_baseline", &fields).await
    };
    let (status, answer) = send(&first).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer.to_string().contains("Rejected: openssl*"), "{answer}");
    assert_eq!(
        there(&api, &id).await["ApprovedPatches"],
        json!([]),
        "nothing was changed"
    );
    // On what is there now it is changed; the history has all three, and who did the last.
    let second = seen(&baseline(&olga, &id).await);
    assert_eq!(send(&second).await.0 / 100, 2);
    let found = there(&api, &id).await;
    assert_eq!(found["ApprovedPatches"], json!(["curl*"]));
    assert_eq!(found["RejectedPatches"], json!([]), "the form said none");
    let detail = baseline(&olga, &id).await;
    let by: Vec<&str> = detail["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["changed_by"].as_str().unwrap())
        .collect();
    assert_eq!(by, ["olga", "", "olga"]);
    let compare = [("baseline_id", id.as_str()), ("old", "1"), ("new", "3")];
    let compared = good(&olga, "compare_baseline", &compare).await;
    assert!(
        compared["new_lines"]
            .as_str()
            .unwrap()
            .contains("Approved: curl*"),
        "{compared}"
    );

    // For what it holds.
    let seen = seen(&detail);
    let apply = |what: &'static str, group: &'static str| {
        vec![
            ("baseline_id", id.clone()),
            ("seen", seen.clone()),
            ("what", what.to_owned()),
            ("group", group.to_owned()),
        ]
    };
    let apply = async |what: &'static str, group: &'static str| {
        let fields = apply(what, group);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        call(&olga, "apply_baseline", &fields).await
    };
    assert_eq!(apply("group", "Web Servers").await.0 / 100, 2);
    assert_eq!(apply("default", "").await.0 / 100, 2);
    let (status, answer) = apply("group", "\u{7}").await;
    assert_eq!(status, 422, "{answer}");
    assert_eq!(there(&api, &id).await["PatchGroups"], json!(["Web Servers"]));
    let system = json!({"OperatingSystem": "DEBIAN"});
    let default = api.call("GetDefaultPatchBaseline", system.clone()).await.unwrap();
    assert_eq!(default["BaselineId"], json!(id));
    let list = good(&olga, "baselines", &[("system", "DEBIAN")]).await;
    let items = list["items"].as_array().unwrap();
    let defaults: Vec<&Value> = items.iter().filter(|one| one["is_default"] == true).collect();
    assert_eq!(defaults.len(), 1, "{list}");
    assert_eq!(defaults[0]["name"], "web-servers");

    // What comes with Systems Manager stays, and can be the default again.
    let given = items.iter().find(|one| one["is_given"] == true).unwrap();
    let given_id = given["baseline_id"].as_str().unwrap();
    let given_seen = given["sha256"].as_str().unwrap();
    let mut fields = vec![
        ("baseline_id", given_id),
        ("seen", given_seen),
        ("name", given["name"].as_str().unwrap()),
    ];
    fields.extend(RULE);
    let (status, answer) = call(&olga, "put_baseline", &fields).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer.to_string().contains("baseline of your own"), "{answer}");
    // One that is in use is not deleted.
    let remove = |confirmation: &'static str| {
        vec![
            ("baseline_id", id.clone()),
            ("seen", seen.clone()),
            ("name", "web-servers".to_owned()),
            ("confirmation", confirmation.to_owned()),
        ]
    };
    let remove = async |confirmation: &'static str| {
        let fields = remove(confirmation);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        call(&olga, "delete_baseline", &fields).await
    };
    assert_eq!(remove("web").await.0, 422, "the name has to be typed");
    assert_eq!(remove("web-servers").await.0, 409, "it is in use");
    let back = [
        ("baseline_id", given_id),
        ("seen", given_seen),
        ("what", "default"),
    ];
    good(&olga, "apply_baseline", &back).await;
    assert_eq!(apply("ungroup", "Web Servers").await.0 / 100, 2);
    assert_eq!(remove("web-servers").await.0 / 100, 2);
    let gone = api.call("GetPatchBaseline", json!({"BaselineId": id})).await;
    assert!(gone.is_err(), "{gone:?}");
    assert_eq!(call(&olga, "baseline", &[("baseline_id", &id)]).await.0, 404);
    // All of it is in the audit log, and nobody without the right did any of it.
    let (_, _, rows) = admin.get("/export/audit.csv?actor=olga").await.unwrap();
    assert!(
        rows.contains("baselines.change") && rows.contains("baselines.delete"),
        "{rows}"
    );
    let vera = person(&portal, &admin, "vera", "viewer", "*").await;
    let make = [&[("name", "other")], &RULE[..]].concat();
    assert_eq!(call(&vera, "put_baseline", &make).await.0, 403);
}

pub async fn request(client: &Client, id: &str) -> Value {
    let (status, answer) = client.call("approvals/get", &[("request_id", id)]).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

pub async fn approve(client: &Client, id: &str) -> u16 {
    let digest = request(client, id).await["digest"].as_str().unwrap().to_owned();
    let fields = [
        ("request_id", id),
        ("digest", &digest),
        ("verdict", "approve"),
        ("comment", ""),
        ("password", PASSWORD),
    ];
    client.call("approvals/decide", &fields).await.unwrap().0
}

pub async fn until_state(client: &Client, id: &str, wanted: &str) -> Value {
    client
        .until(&format!("{id} is {wanted}"), SOON, async |client| {
            let found = request(client, id).await;
            Ok((found["summary"]["state"] == wanted).then_some(found))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_protected_baseline_is_changed_as_it_was_approved_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policies.toml");
    std::fs::write(&file, POLICIES).unwrap();
    let arguments = [
        "--approval-policies",
        file.to_str().unwrap(),
        "--local-node",
        "false",
    ];
    let portal = Portal::start(&folder.path().join("data"), &arguments, &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let bob = person(&portal, &admin, "bob", "approver", "*").await;
    let api = Api::of(&portal).unwrap();
    // What no policy is about is made at once; what one is about is not, by an administrator neither.
    make(&olga, "test-web").await;
    let fields = [&[("name", "prod-web")], &RULE[..]].concat();
    for client in [&olga, &admin] {
        let (status, answer) = call(client, "put_baseline", &fields).await;
        assert_eq!(status, 428, "{answer}");
    }
    let ask = [&[("why", "the new servers")], &fields[..]].concat();
    let id = good(&olga, "ask_put_baseline", &ask).await;
    let id = id.as_str().unwrap();
    let asked = request(&bob, id).await;
    assert_eq!(
        asked["summary"]["title"], "Make the patch baseline prod-web",
        "{asked}"
    );
    let planned = &asked["plan"]["subject"]["baseline"];
    assert_eq!(
        planned["becomes"]["rules"][0]["approve_after_days"], 7,
        "{planned}"
    );
    assert_eq!(approve(&olga, id).await, 403, "her own");
    assert_eq!(approve(&bob, id).await, 200);
    until_state(&olga, id, "Done").await;
    let list = good(&olga, "baselines", &[("text", "prod-web")]).await;
    let made = list["items"][0]["baseline_id"].as_str().unwrap().to_owned();
    assert_eq!(there(&api, &made).await["Name"], "prod-web");
    let detail = baseline(&olga, &made).await;
    assert_eq!(detail["versions"][0]["request_id"], json!(id), "{detail}");

    // The approver sees both; what is changed meanwhile voids the approval, and nothing is replaced.
    let now = seen(&detail);
    let mut change = vec![
        ("baseline_id", made.as_str()),
        ("seen", now.as_str()),
        ("name", "prod-web"),
        ("rejected_patches", "curl*"),
        ("why", "curl breaks the proxy"),
    ];
    change.extend(RULE);
    let id = good(&olga, "ask_put_baseline", &change).await;
    let id = id.as_str().unwrap();
    let planned = &request(&bob, id).await["plan"]["subject"]["baseline"];
    assert_eq!(planned["now"]["sha256"], json!(now));
    assert_eq!(planned["becomes"]["rejected_patches"], json!(["curl*"]));
    let outside = json!({"BaselineId": made, "ApprovedPatches": ["openssl*"]});
    api.call("UpdatePatchBaseline", outside).await.unwrap();
    assert_eq!(approve(&bob, id).await, 200);
    let void = olga
        .until("the approval is void", SOON, async |client| {
            let found = request(client, id).await;
            Ok((found["generation"] == 2).then_some(found))
        })
        .await
        .unwrap();
    assert!(
        void["changed"].to_string().contains("says something else now"),
        "{void}"
    );
    let found = there(&api, &made).await;
    assert_eq!(found["RejectedPatches"], json!([]), "nothing was done");
    // Approved as it is now, it is done, on what is there now.
    assert_eq!(approve(&bob, id).await, 200);
    until_state(&olga, id, "Done").await;
    let found = there(&api, &made).await;
    assert_eq!(found["RejectedPatches"], json!(["curl*"]));

    // Deleting waits, too, and so does for what it holds.
    let now = seen(&baseline(&olga, &made).await);
    let apply = [
        ("baseline_id", made.as_str()),
        ("seen", now.as_str()),
        ("what", "default"),
        ("why", "everywhere"),
    ];
    assert_eq!(call(&olga, "apply_baseline", &apply[..3]).await.0, 428);
    let id = good(&olga, "ask_apply_baseline", &apply).await;
    let planned = &request(&bob, id.as_str().unwrap()).await["plan"]["subject"]["baseline"];
    assert!(
        planned["displaces"].as_str().unwrap().contains("pb-"),
        "{planned}"
    );
    let delete = [
        ("baseline_id", made.as_str()),
        ("seen", now.as_str()),
        ("name", "prod-web"),
        ("confirmation", "prod-web"),
        ("why", "not needed"),
    ];
    assert_eq!(call(&olga, "delete_baseline", &delete[..4]).await.0, 428);
    let id = good(&olga, "ask_delete_baseline", &delete).await;
    let id = id.as_str().unwrap();
    assert_eq!(approve(&bob, id).await, 200);
    until_state(&olga, id, "Done").await;
    assert!(
        api.call("GetPatchBaseline", json!({"BaselineId": made}))
            .await
            .is_err()
    );
}

/// A small root for dpkg and apt with a repository of its own, so that nothing of this machine is looked at or changed; none
/// where there is no python or no dpkg.
fn packages(folder: &Path) -> Option<Vec<(String, String)>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/apt_root.py");
    let made = std::process::Command::new("python3")
        .arg(script)
        .arg(folder)
        .output()
        .ok()
        .filter(|made| made.status.success())?;
    let text = String::from_utf8(made.stdout).ok()?;
    Some(
        text.lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    )
}

#[tokio::test]
async fn a_node_that_was_scanned_is_shown_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let Some(variables) = packages(&folder.path().join("packages")) else {
        return;
    };
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let portal = Portal::start(&folder.path().join("data"), &[], &variables).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    let before = admin
        .until("the node is listed", SOON, async |client| {
            let found = good(client, "states", &[]).await;
            Ok((found["totals"]["nodes"] == 1).then_some(found))
        })
        .await
        .unwrap();
    assert_eq!(before["totals"]["never"], 1, "{before}");
    assert_eq!(before["page"]["items"][0]["scan"], Value::Null);
    let fields = [
        ("document", "AWS-RunPatchBaseline"),
        ("parameters[Operation]", "Scan"),
        ("nodes", node.as_str()),
    ];
    let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
    assert_eq!(status / 100, 2, "{answer}");
    let after = admin
        .until("the scan is copied", SOON * 2, async |client| {
            let found = good(client, "states", &[]).await;
            Ok((found["totals"]["never"] == 0).then_some(found))
        })
        .await
        .unwrap();
    let scan = &after["page"]["items"][0]["scan"];
    assert_eq!(scan["operation"], "Scan", "{after}");
    assert!(scan["missing"].as_u64().unwrap() >= 2, "two have updates: {scan}");
    assert_eq!(after["totals"]["missing"], 1, "{after}");
    let missing = good(&admin, "states", &[("state", "missing")]).await;
    assert_eq!(missing["page"]["items"].as_array().unwrap().len(), 1);
    let compliant = good(&admin, "states", &[("state", "compliant")]).await;
    assert_eq!(compliant["page"]["items"].as_array().unwrap().len(), 0);
    assert_eq!(compliant["totals"]["nodes"], 1, "the denominator stays");
    let one = good(&admin, "node", &[("node_id", &node)]).await;
    assert_eq!(one["scan"]["missing"], scan["missing"]);
    let (status, answer) = call(&admin, "states", &[("state", "fine"), ("tag", "Team")]).await;
    assert_eq!(status, 422, "{answer}");
}

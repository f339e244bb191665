//! Exceptions: a patch that a baseline rejects for a time, on approval where a policy asks, taken out again by itself, or when
//! somebody ends it before its day.

use crate::parameters::{SOON, person};
use crate::patching::{approve, baseline, call, good, make, request, seen, there, until_state};
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use muster_tests::api::Api;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};

const POLICIES: &str = r#"
[[policy]]
name = "Exceptions are seen by two"
acts = ["exceptions.grant"]
documents = ["prod-*"]

[[policy.levels]]
approvals = 1
of = ["role:approver"]
"#;

const WHY: [(&str, &str); 2] = [
    ("because", "The vendor freezes openssl until spring."),
    ("control", "A proxy ends TLS before these nodes."),
];

async fn register(client: &Client, fields: &[(&str, &str)]) -> Vec<Value> {
    let found = good(client, "exceptions", fields).await;
    found["page"]["items"].as_array().unwrap().clone()
}

async fn until_ended(client: &Client, patch: &str) -> Value {
    client
        .until(
            &format!("the exception of {patch} has ended"),
            SOON,
            async |client| {
                let all = register(client, &[("state", "ended")]).await;
                Ok(all.into_iter().find(|one| one["patch"] == patch))
            },
        )
        .await
        .unwrap()
}

#[tokio::test]
async fn an_exception_holds_until_its_time_and_is_taken_out_by_itself() {
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
    let id = make(&olga, "web").await;
    let now = seen(&baseline(&olga, &id).await);
    let soon = SystemClock.now().plus_ms(25_000).rfc3339();
    let fields = |seen: &str, patch: &str, until: &str| -> Vec<(String, String)> {
        let mut all = vec![
            ("baseline_id".to_owned(), id.clone()),
            ("seen".to_owned(), seen.to_owned()),
            ("patch".to_owned(), patch.to_owned()),
            ("expires".to_owned(), until.to_owned()),
        ];
        all.extend(WHY.map(|(name, value)| (name.to_owned(), value.to_owned())));
        all
    };
    let grant = async |seen: &str, patch: &str, until: &str| {
        let all = fields(seen, patch, until);
        let all: Vec<(&str, &str)> = all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        call(&olga, "grant_exception", &all).await
    };
    // What is wrong is named by its field.
    let (status, answer) = grant(&now, "", "tomorrow").await;
    assert_eq!(status, 422, "{answer}");
    let text = answer.to_string();
    assert!(
        text.contains("\"patch\"") && text.contains("\"expires\""),
        "{text}"
    );
    assert_eq!(grant(&now, "openssl*", "2020-01-01").await.0, 422, "long ago");

    let (status, answer) = grant(&now, "openssl*", &soon).await;
    assert_eq!(status / 100, 2, "{answer}");
    assert_eq!(there(&api, &id).await["RejectedPatches"], json!(["openssl*"]));
    let holding = register(&olga, &[("state", "holding")]).await;
    assert_eq!(holding[0]["control"], WHY[1].1, "{holding:?}");
    assert_eq!(
        grant(&now, "curl*", &soon).await.0,
        409,
        "the baseline says something else now"
    );
    let now = seen(&baseline(&olga, &id).await);
    assert_eq!(
        grant(&now, "openssl*", &soon).await.0,
        422,
        "it is excepted already"
    );
    // By itself it is taken out again, and what else was changed meanwhile stays.
    let outside = json!({"BaselineId": id, "ApprovedPatches": ["vim*"]});
    api.call("UpdatePatchBaseline", outside).await.unwrap();
    let ended = until_ended(&olga, "openssl*").await;
    assert_eq!(ended["ended_because"], "It expired.", "{ended}");
    let found = there(&api, &id).await;
    assert_eq!(found["RejectedPatches"], json!([]));
    assert_eq!(found["ApprovedPatches"], json!(["vim*"]));
    let versions = baseline(&olga, &id).await["versions"].clone();
    assert!(
        versions[0]["changed_by"].as_str().unwrap().contains("expired"),
        "{versions}"
    );
    let (_, _, rows) = admin
        .get("/export/audit.csv?action=exceptions.end")
        .await
        .unwrap();
    assert!(rows.contains("exceptions.end"), "{rows}");
    // One that somebody took out by hand ends as that.
    let now = seen(&baseline(&olga, &id).await);
    let soon = SystemClock.now().plus_ms(15_000).rfc3339();
    assert_eq!(grant(&now, "nano", &soon).await.0 / 100, 2);
    let by_hand = json!({"BaselineId": id, "RejectedPatches": []});
    api.call("UpdatePatchBaseline", by_hand).await.unwrap();
    let ended = until_ended(&olga, "nano").await;
    assert!(
        ended["ended_because"].as_str().unwrap().contains("taken out"),
        "{ended}"
    );

    // Where a policy asks, it is granted on approval, by somebody else.
    let id = make(&olga, "prod-web").await;
    let now = seen(&baseline(&olga, &id).await);
    let mut fields = vec![
        ("baseline_id", id.as_str()),
        ("seen", now.as_str()),
        ("patch", "kernel*"),
        ("expires", "2027-06-30"),
    ];
    fields.extend(WHY);
    let (status, answer) = call(&admin, "grant_exception", &fields).await;
    assert_eq!(status, 428, "{answer}");
    let asked = good(&olga, "ask_exception", &fields).await;
    let asked = asked.as_str().unwrap();
    let shown = request(&bob, asked).await;
    assert_eq!(
        shown["plan"]["subject"]["exception"]["control"], WHY[1].1,
        "{shown}"
    );
    assert_eq!(approve(&olga, asked).await, 403, "her own");
    assert_eq!(approve(&bob, asked).await, 200);
    until_state(&olga, asked, "Done").await;
    assert_eq!(there(&api, &id).await["RejectedPatches"], json!(["kernel*"]));
    let holding = register(&olga, &[("state", "holding")]).await;
    assert_eq!(holding[0]["request_id"], json!(asked), "{holding:?}");
}

#[tokio::test]
async fn an_exception_is_ended_before_its_day_once_and_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let vic = person(&portal, &admin, "vic", "viewer", "*").await;
    let api = Api::of(&portal).unwrap();
    let id = make(&olga, "web").await;
    let now = seen(&baseline(&olga, &id).await);
    let mut fields = vec![
        ("baseline_id", id.as_str()),
        ("seen", now.as_str()),
        ("patch", "openssl*"),
        ("expires", "2027-06-30"),
    ];
    fields.extend(WHY);
    assert_eq!(call(&olga, "grant_exception", &fields).await.0 / 100, 2);
    let one = register(&olga, &[("state", "holding")]).await[0].clone();
    let exception = one["exception_id"].as_str().unwrap();
    let end = async |client: &Client, because: &str| {
        let about = [
            ("baseline_id", id.as_str()),
            ("exception_id", exception),
            ("because", because),
        ];
        call(client, "end_exception", &about).await
    };
    // Meanwhile something else was changed on the baseline: that stays.
    let outside = json!({"BaselineId": id, "ApprovedPatches": ["vim*"]});
    api.call("UpdatePatchBaseline", outside).await.unwrap();
    let (status, answer) = end(&olga, "no").await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("because"), "{answer}");
    let why = "The vendor released the patch.";
    assert_eq!(end(&vic, why).await.0, 403);
    assert_eq!(good(&vic, "exceptions", &[]).await["may_end"], json!(false));
    assert_eq!(good(&olga, "exceptions", &[]).await["may_end"], json!(true));
    let other = [
        ("baseline_id", "pb-2"),
        ("exception_id", exception),
        ("because", why),
    ];
    assert_eq!(
        call(&olga, "end_exception", &other).await.0,
        404,
        "of another baseline"
    );

    // Of two at once, one ends it, and the other is told who did.
    let (first, second) = tokio::join!(end(&olga, why), end(&admin, "It is not needed."));
    let both = [first, second];
    assert_eq!(both.iter().filter(|one| one.0 / 100 == 2).count(), 1, "{both:?}");
    let loser = both.iter().find(|one| one.0 / 100 != 2).unwrap();
    assert_eq!(loser.0, 409, "{loser:?}");
    assert!(loser.1.to_string().contains("has ended it already"), "{loser:?}");
    let ended = until_ended(&olga, "openssl*").await;
    let who = ended["ended_by"].as_str().unwrap();
    assert!(
        ["olga", muster_tests::portal::ADMINISTRATOR.0].contains(&who),
        "{ended}"
    );
    assert!(
        ended["ended_at"].is_number() || ended["ended_at"].is_string(),
        "{ended}"
    );
    let found = there(&api, &id).await;
    assert_eq!(found["RejectedPatches"], json!([]));
    assert_eq!(found["ApprovedPatches"], json!(["vim*"]));
    let versions = baseline(&olga, &id).await["versions"].clone();
    assert_eq!(versions[0]["changed_by"], json!(who), "{versions}");
    let (_, _, html) = vic.get("/patching/exceptions?state=ended").await.unwrap();
    assert!(html.contains(&format!(" by {who}")), "the register shows who");
    let (_, _, rows) = admin
        .get("/export/audit.json?action=exceptions.end")
        .await
        .unwrap();
    let row = rows.lines().find(|row| row.contains("success")).unwrap();
    assert!(
        row.contains(exception) && row.contains(&format!("baseline:{id}")),
        "{row}"
    );
    assert!(rows.contains("denied"), "vic's: {rows}");
    // What was ended can be granted again, and one that was ended cannot be ended again.
    assert_eq!(end(&olga, why).await.0, 409);
    let now = seen(&baseline(&olga, &id).await);
    fields[1] = ("seen", now.as_str());
    assert_eq!(call(&olga, "grant_exception", &fields).await.0 / 100, 2);
    assert_eq!(there(&api, &id).await["RejectedPatches"], json!(["openssl*"]));
}

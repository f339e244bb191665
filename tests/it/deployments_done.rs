//! Deployments that really happen on a node: forward, a bad release that goes back by itself, and back by hand.

use crate::deployments::*;
use crate::parameters::person;
use crate::support::online_node;
use muster_tests::{Client, Portal};
use serde_json::{Value, json};

#[tokio::test]
async fn releases_are_deployed_for_real_and_a_bad_one_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let portal = Portal::start(&path.join("data"), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = online_node(&admin).await;
    tag(&admin, &node, "Application", "web").await;
    tag(&admin, &node, "Environment", "Staging").await;
    let olga = person(&portal, &admin, "olga", "operator", "*").await;
    let sven = person(&portal, &admin, "sven", "operator", "Environment=Staging").await;
    let pia = person(&portal, &admin, "pia", "operator", "Environment=Production").await;
    let id = make(&olga, "web", &parameters(path)).await;
    let first = release(&olga, &id, "1.0", &artefact(path, "1.0", true)).await;
    let second = release(&olga, &id, "1.1", &artefact(path, "1.1", true)).await;
    artefact(path, "1.2", true);
    let forged = release(&olga, &id, "1.2", &"0".repeat(64)).await;
    let bad = release(&olga, &id, "2.0", &artefact(path, "2.0", false)).await;
    let version = || std::fs::read_to_string(path.join("app/version")).unwrap();

    // What it would do is shown first.
    let about = [
        ("application_id", id.as_str()),
        ("environment", "Staging"),
        ("release", first.as_str()),
    ];
    let (status, preview) = sven.call("deployments/preview", &about).await.unwrap();
    assert_eq!(status, 200, "{preview}");
    assert_eq!(preview["nodes"][0]["node_id"], json!(node), "{preview}");
    assert_eq!(preview["stops"], json!(["StopApplication"]), "{preview}");
    assert_eq!(
        (&preview["replaces"], &preview["must_confirm"]),
        (&Value::Null, &json!(false))
    );
    // Whoever may deploy elsewhere deploys nothing here.
    let (status, answer) = deploy(&pia, &id, "deploy", &first).await;
    assert!(status == 422 || status == 403, "{status} {answer}");

    let (status, answer) = deploy(&sven, &id, "deploy", &first).await;
    assert_eq!(status / 100, 2, "{answer}");
    let running = answer.as_str().unwrap().to_owned();
    let (status, answer) = deploy(&olga, &id, "deploy", &second).await;
    assert_eq!(status, 409, "one at a time: {answer}");
    let (status, answer) = change_now(&olga, "delete", &id, &[("confirmation", "web")]).await;
    assert_eq!(status, 409, "while one runs: {answer}");
    let done = stands(&olga, &running, "succeeded").await;
    assert_eq!((version().as_str(), &done["is_current"]), ("1.0", &json!(true)));
    let (_, execution) = olga
        .call("runbooks/execution", &[("execution_id", running.as_str())])
        .await
        .unwrap();
    assert_eq!(execution["deployment"]["version"], "1.0", "{execution}");
    assert_eq!(
        execution["summary"]["reason"],
        "Deploy web 1.0 to Staging: a test"
    );

    let done = deployed(&olga, &id, "deploy", &second, "succeeded").await;
    assert_eq!(
        (version().as_str(), &done["summary"]["replaces"]),
        ("1.1", &json!("1.0")),
        "{done}"
    );
    // What is not what was released stops nothing.
    let failed = deployed(&olga, &id, "deploy", &forged, "failed").await;
    assert_eq!(
        (version().as_str(), &failed["summary"]["rolled_back"]),
        ("1.1", &json!("")),
        "{failed}"
    );
    // What is not well goes back by itself, and what ran before runs.
    let failed = deployed(&olga, &id, "deploy", &bad, "failed").await;
    assert_eq!(
        (version().as_str(), &failed["summary"]["rolled_back"]),
        ("1.1", &json!("Success")),
        "{failed}"
    );
    assert!(
        failed["problem"].as_str().unwrap().contains("HealthCheck"),
        "{failed}"
    );
    let row = application(&olga, &id).await["environments"][0].clone();
    assert_eq!(
        (
            &row["current"]["version"],
            &row["last"]["version"],
            &row["is_outdated"]
        ),
        (&json!("1.1"), &json!("2.0"), &json!(true)),
        "{row}"
    );
    // It is deployed again as a whole, or not at all.
    let execution = failed["summary"]["execution_id"].as_str().unwrap();
    let (_, shown) = olga
        .call("runbooks/execution", &[("execution_id", execution)])
        .await
        .unwrap();
    assert_eq!(shown["retry_from"], json!([]), "{shown}");
    let retry = [("execution_id", execution), ("step", "x")];
    assert_eq!(olga.call("runbooks/retry", &retry).await.unwrap().0, 409);

    // Back under its own name, to what succeeded here.
    let fields = [("application_id", id.as_str()), ("environment", "Staging")];
    let (_, earlier) = olga.call("deployments/earlier", &fields).await.unwrap();
    let versions: Vec<&str> = earlier
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["version"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["1.0"], "{earlier}");
    for (kind, release, said) in [
        ("roll_back", &second, "runs in Staging now"),
        ("roll_back", &bad, "never succeeded"),
        ("deploy", &first, "roll back to it instead"),
    ] {
        let (status, answer) = deploy(&olga, &id, kind, release).await;
        assert_eq!(status, 422, "{answer}");
        assert!(answer.to_string().contains(said), "{answer}");
    }
    let back = deployed(&olga, &id, "roll_back", &first, "succeeded").await;
    assert_eq!(
        (
            version().as_str(),
            &back["summary"]["kind"],
            &back["summary"]["replaces"]
        ),
        ("1.0", &json!("roll_back"), &json!("1.1")),
        "{back}"
    );
    let history = [("application_id", id.as_str()), ("state", "failed")];
    let (_, page) = olga.call("deployments/history", &history).await.unwrap();
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "{page}");
    let (_, shown) = olga
        .call("deployments/release", &[("release_id", second.as_str())])
        .await
        .unwrap();
    assert_eq!(
        (&shown["before"][1], &shown["against"][0][1]),
        (&json!("1.0"), &json!("1.0")),
        "{shown}"
    );
    assert!(
        shown["before"][2].to_string().contains("Version: 1.0 → 1.1"),
        "{shown}"
    );
    let (_, _, audit) = admin.get("/export/audit.json").await.unwrap();
    assert!(audit.contains("\"deployments.roll_back\"") && audit.contains(&format!("deployment:{running}")));
}

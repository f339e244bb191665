//! Large choices of nodes: five thousand, one by one, which no address could name; and all that match but some. That commands run
//! on so many is measured by `cargo xtask bench selection`.

use muster_store::Db;
use muster_store::db::Address;
use muster_tests::copied::fill;
use muster_tests::{Client, Portal};
use serde_json::Value;

const MANY: i64 = 5_000;

async fn ids(client: &Client) -> Vec<String> {
    let (_, _, body) = client
        .get("/export/fleet.json?filter=status%3DOnline")
        .await
        .unwrap();
    body.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|row| row["node_id"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn five_thousand_nodes_are_chosen_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let file = Address::File(folder.path().join("muster.db"));
    let db = Db::open(&file).await.unwrap();
    fill(&db, MANY).await.unwrap();
    db.close().await;
    let all = ids(&admin).await;
    assert_eq!(all.len(), 5_000);

    let (status, list) = admin
        .call("fleet/keep_nodes", &[("nodes", &all.join(","))])
        .await
        .unwrap();
    assert_eq!(status, 200, "{list}");
    let list = format!("list:{}", list.as_str().unwrap());
    let new = format!("/commands/new?nodes={list}");
    let (status, _, page) = admin.get(&new).await.unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("data-targets=\"5000\""), "all of them are resolved");
    assert!(
        page.len() < 500_000,
        "and not all of them told: {} bytes",
        page.len()
    );
    // A third of them are production, which has to be said aloud.
    let fields = [
        ("document", "AWS-RunShellScript"),
        ("parameters[commands]", "echo here"),
        ("nodes", list.as_str()),
    ];
    let (status, answer) = admin.call("commands/run", &fields).await.unwrap();
    assert_eq!(status, 428, "{answer}");
    assert_eq!(answer["error"]["ConfirmationNeeded"]["nodes"], 5_000, "{answer}");

    // All that match but two.
    let but = format!("/commands/new?filter=tag:Team%3Dweb;id!%3D{},{}", all[0], all[1]);
    let (_, _, page) = admin.get(&but).await.unwrap();
    assert!(page.contains("data-targets=\"4998\""), "{but}");
}

#[tokio::test]
async fn a_list_that_is_not_kept_and_one_that_is_too_long_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &["--local-node", "false"], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let (status, _, page) = admin
        .get("/commands/new?nodes=list:0123456789abcdef")
        .await
        .unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("This list of nodes is not kept any more"), "{page}");
    let keep = async |nodes: &str| admin.call("fleet/keep_nodes", &[("nodes", nodes)]).await.unwrap();
    let long: Vec<String> = (0..10_001).map(|number| format!("mi-{number:017x}")).collect();
    for (nodes, wanted) in [
        (String::new(), "Choose at least one node"),
        (long.join(","), "narrow the selection"),
        ("x".repeat(65), "Name nodes by their ids"),
    ] {
        let (status, answer) = keep(&nodes).await;
        assert_eq!(status, 422, "{answer}");
        assert!(answer.to_string().contains(wanted), "{answer}");
    }
}

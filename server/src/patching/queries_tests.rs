//! How nodes stand, on both databases.

use super::*;
use crate::patching::keep;
use muster_store::test_database::on_both;

const HERE: &str = "default";

async fn node(db: &Db, id: &str, name: &str, status: &str) {
    let mut sql = Sql::new(
        "insert into nodes (connection_id, node_id, name, computer_name, ping_status, last_ping_at, platform_type, platform_name, \
         platform_version, agent_version, ip_address, resource_type, activation_id, iam_role, registered_at, synced_at, \
         tags_synced_at, sweep, sort_name) values (",
    );
    sql.text(HERE)
        .push(", ")
        .text(id)
        .push(", ")
        .text(name)
        .push(", ");
    sql.text(name)
        .push(", ")
        .text(status)
        .push(", 5, 'Linux', 'Debian GNU/Linux', '12', '1', '10.0.0.1', 'ManagedInstance', null, null, 1, 1, 0, 1, ");
    sql.text(name).push(")");
    sql.run(db.writer()).await.unwrap();
}

fn found(all: &[(&str, PatchScan)]) -> HashMap<String, PatchScan> {
    all.iter()
        .map(|(id, scan)| ((*id).to_owned(), scan.clone()))
        .collect()
}

fn scanned(change: impl Fn(&mut PatchScan)) -> PatchScan {
    let mut scan = PatchScan {
        baseline_id: "pb-1".into(),
        operation: "Scan".into(),
        ended_at: Timestamp(70),
        installed: 9,
        ..PatchScan::default()
    };
    change(&mut scan);
    scan
}

/// Five nodes, of which one was never scanned, and one that is gone.
async fn fleet(db: &Db) {
    for (id, name) in [
        ("mi-1", "alpha"),
        ("mi-2", "beta"),
        ("mi-3", "delta"),
        ("mi-4", "gamma"),
        ("mi-5", "omega"),
    ] {
        node(db, id, name, "Online").await;
    }
    node(db, "mi-9", "gone", "Inactive").await;
    let ids: Vec<String> = (1..=5).map(|number| format!("mi-{number}")).collect();
    let all = found(&[
        ("mi-1", scanned(|scan| scan.missing = 3)),
        ("mi-2", scanned(|_| ())),
        (
            "mi-3",
            scanned(|scan| {
                scan.missing = 1;
                scan.pending_reboot = 2;
                scan.security = 1;
            }),
        ),
        ("mi-4", scanned(|scan| scan.rejected = 1)),
    ]);
    assert!(keep::states(db, HERE, &ids, &all).await.unwrap());
    assert!(
        !keep::states(db, HERE, &ids, &all).await.unwrap(),
        "nothing was different"
    );
}

async fn names(db: &Db, standing: Option<PatchStanding>) -> Vec<String> {
    let query = PatchQuery {
        standing,
        ..PatchQuery::default()
    };
    let page = list(db, &query, &[Scope::All], Timestamp(100)).await.unwrap();
    page.items.into_iter().map(|node| node.name).collect()
}

#[tokio::test]
async fn nodes_are_found_by_how_they_stand_and_unscanned_ones_are_counted() {
    on_both(async |db: Db| {
        fleet(&db).await;
        assert_eq!(
            names(&db, None).await,
            ["alpha", "beta", "delta", "gamma", "omega"]
        );
        assert_eq!(names(&db, Some(PatchStanding::Never)).await, ["omega"]);
        assert_eq!(names(&db, Some(PatchStanding::Missing)).await, ["alpha", "delta"]);
        assert_eq!(names(&db, Some(PatchStanding::Reboot)).await, ["delta"]);
        assert_eq!(names(&db, Some(PatchStanding::Rejected)).await, ["gamma"]);
        assert_eq!(names(&db, Some(PatchStanding::Compliant)).await, ["beta"]);
        assert!(names(&db, Some(PatchStanding::Failed)).await.is_empty());
        let all = totals(&db, &FleetFilter::default(), &[Scope::All], Timestamp(100))
            .await
            .unwrap();
        let expected = PatchTotals {
            nodes: 5,
            never: 1,
            failed: 0,
            reboot: 1,
            missing: 2,
            rejected: 1,
            compliant: 1,
            urgent: 1,
        };
        assert_eq!(all, expected);
        let nobody = totals(&db, &FleetFilter::default(), &[], Timestamp(100))
            .await
            .unwrap();
        assert_eq!(nobody, PatchTotals::default(), "no scope, no node");
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    on_both(async |db: Db| {
        fleet(&db).await;
        for limit in 1..=6 {
            let mut query = PatchQuery {
                limit: Some(limit),
                ..PatchQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let page = list(&db, &query, &[Scope::All], Timestamp(100)).await.unwrap();
                seen.extend(page.items.into_iter().map(|node| node.node_id.to_string()));
                match page.next {
                    Some(next) => query.cursor = Some(next),
                    None => break,
                }
            }
            assert_eq!(
                seen,
                ["mi-1", "mi-2", "mi-3", "mi-4", "mi-5"],
                "{limit} at a time"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_scan_that_is_gone_is_forgotten_and_who_waits_for_a_reboot_is_known() {
    on_both(async |db: Db| {
        fleet(&db).await;
        let ids = |all: &[&str]| all.iter().map(|id| NodeId::new(*id)).collect::<Vec<_>>();
        let waiting = async |all: &[&str]| waiting_for_reboot(&db, &ids(all)).await.unwrap();
        assert_eq!(waiting(&["mi-1", "mi-3", "mi-5"]).await, Some(1));
        assert_eq!(waiting(&["mi-5"]).await, None, "nobody has looked");
        assert_eq!(waiting(&[]).await, None);
        let nodes = ["mi-3".to_owned()];
        assert!(keep::states(&db, HERE, &nodes, &found(&[])).await.unwrap());
        assert_eq!(names(&db, Some(PatchStanding::Never)).await, ["delta", "omega"]);
        let one = super::node(&db, &NodeId::new("mi-1"), &[Scope::All])
            .await
            .unwrap();
        assert_eq!(one.unwrap().scan.unwrap().missing, 3);
        let hidden = super::node(&db, &NodeId::new("mi-1"), &[]).await.unwrap();
        assert!(hidden.is_none());
        assert_eq!(
            nodes_after(&db, HERE, "mi-3", 50).await.unwrap(),
            ["mi-4", "mi-5"]
        );
        assert_eq!(synced_at(&db, HERE).await.unwrap(), None);
        keep::copied(&db, HERE, Timestamp(9)).await.unwrap();
        assert_eq!(synced_at(&db, HERE).await.unwrap(), Some(Timestamp(9)));
    })
    .await;
}

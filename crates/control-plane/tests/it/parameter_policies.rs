//! Policies of parameters on a clock that the test moves: what expires, what is told, what a new version begins anew.

use crate::world::World;
use muster_domain::time::Clock as _;
use muster_store::test_database::on_both;
use muster_store::{Db, RowExt as _, Sql};
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;

fn policy(kind: &str, attributes: Value) -> Value {
    json!({"Type": kind, "Version": "1.0", "Attributes": attributes})
}

async fn events(db: &Db) -> Vec<(String, Value)> {
    let rows = Sql::new("select detail_type, detail from ssm_events order by at, event_id")
        .all(db.reader())
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let detail = serde_json::from_str(&row.text("detail").unwrap()).unwrap();
            (row.text("detail_type").unwrap(), detail)
        })
        .collect()
}

#[tokio::test]
async fn policies_act_once_each_at_their_time() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let expires = world.clock.now().0 + 48 * HOUR;
        let all = json!([
            policy(
                "Expiration",
                json!({"Timestamp": muster_domain::Timestamp(expires).rfc3339()})
            ),
            policy("ExpirationNotification", json!({"Before": "24", "Unit": "Hours"})),
            policy("NoChangeNotification", json!({"After": "12", "Unit": "Hours"})),
        ]);
        let put = |value: &str, policies: Option<&Value>| {
            let mut input = json!({"Name": "/p", "Value": value, "Type": "String", "Tier": "Advanced",
                "Overwrite": true});
            if let Some(policies) = policies {
                input["Policies"] = json!(policies.to_string());
            }
            input
        };
        world.ok("PutParameter", put("one", Some(&all))).await;
        world.plane.tick().await;
        assert!(events(&db).await.is_empty());
        world.clock.advance(11 * HOUR);
        // A change begins the wait for a change anew; the policies stay.
        world.ok("PutParameter", put("two", None)).await;
        world.clock.advance(2 * HOUR);
        world.plane.tick().await;
        assert!(events(&db).await.is_empty());
        world.clock.advance(10 * HOUR);
        world.plane.tick().await;
        world.plane.tick().await;
        let told = events(&db).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, "Parameter Store Policy Action");
        assert_eq!(told[0].1["policy-type"], "NoChangeNotification");
        assert_eq!(told[0].1["parameter-name"], "/p");
        world.clock.advance(HOUR);
        let restarted = world.restarted().await;
        restarted.plane.tick().await;
        restarted.plane.tick().await;
        assert_eq!(events(&db).await.len(), 2);
        let described = restarted.ok("DescribeParameters", json!({})).await;
        let statuses: Vec<&str> = described["Parameters"][0]["Policies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|policy| policy["PolicyStatus"].as_str().unwrap())
            .collect();
        assert_eq!(statuses, ["Pending", "Finished", "Finished"]);
        restarted.clock.advance(23 * HOUR);
        restarted.plane.tick().await;
        assert_eq!(
            restarted.ok("GetParameter", json!({"Name": "/p"})).await["Parameter"]["Value"],
            "two"
        );
        restarted.clock.advance(2 * HOUR);
        restarted.plane.tick().await;
        restarted
            .refused("GetParameter", json!({"Name": "/p"}), "ParameterNotFound")
            .await;
        assert_eq!(events(&db).await.last().unwrap().1["policy-type"], "Expiration");
        let log = restarted.audit.0.lock().unwrap();
        let deleted: Vec<_> = log
            .iter()
            .filter(|(_, i, _)| i.logged_as() == "ssm.DeleteParameter")
            .collect();
        assert_eq!(deleted.len(), 2, "before and after");
        assert_eq!(
            (deleted[0].0.as_str(), deleted[0].1.resource.as_str()),
            ("muster", "parameter:/p")
        );
    })
    .await;
}

#[tokio::test]
async fn policies_are_refused_by_name_and_can_be_taken_away() {
    on_both(|db| async move {
        let world = World::new(db.clone()).await;
        let put = |policies: &str, tier: &str| {
            json!({"Name": "/p", "Value": "v", "Type": "String", "Tier": tier, "Overwrite": true, "Policies": policies})
        };
        let soon = muster_domain::Timestamp(world.clock.now().0 + HOUR).rfc3339();
        let good = json!([policy("Expiration", json!({"Timestamp": soon}))]).to_string();
        let message = world
            .refused("PutParameter", put(&good, "Standard"), "ValidationException")
            .await;
        assert!(message.contains("advanced-parameter tier"), "{message}");
        for (bad, code) in [
            ("x", "InvalidPolicyTypeException"),
            (r#"[{"Type":"Expiration","Version":"1.0"}]"#, "InvalidPolicyAttributeException"),
        ] {
            world.refused("PutParameter", put(bad, "Advanced"), code).await;
        }
        world.ok("PutParameter", put(&good, "Advanced")).await;
        world.ok("PutParameter", put("[{}]", "Advanced")).await;
        world.clock.advance(2 * HOUR);
        world.plane.tick().await;
        world.ok("GetParameter", json!({"Name": "/p"})).await;
        assert!(events(&db).await.is_empty());
    })
    .await;
}

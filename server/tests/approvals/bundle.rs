//! The evidence of a request: what the audit log says of it is all there.

use crate::world::{POLICIES, World, people, wish, world};
use muster_domain::Actor;
use muster_domain::approvals::{Approvals, Ask, ProposedAct, RequestState};
use muster_domain::ids::RequestId;
use muster_domain::permission::Role;
use muster_server::approvals::evidence::verify;
use muster_store::Db;
use muster_store::test_database::on_both;
use serde_json::Value;

/// The acts that the evidence of a request tells of, each with its phase and the request that it names.
async fn told(world: &World, auditor: &Actor, request: &RequestId) -> Vec<(String, String)> {
    let bundle = world
        .service
        .evidence(auditor, &world.log, request)
        .await
        .unwrap();
    let report = verify(&bundle, None);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let rows = bundle["content"]["audit_log"].as_array().unwrap();
    assert_eq!(report.audit_rows, rows.len());
    rows.iter()
        .map(|row| {
            let body: Value = serde_json::from_str(row["body"].as_str().unwrap()).unwrap();
            let text = |name: &str| body[name].as_str().unwrap().to_owned();
            (text("action"), text("phase"))
        })
        .collect()
}

fn count(told: &[(String, String)], action: &str) -> (usize, usize) {
    let of = |phase: &str| {
        told.iter()
            .filter(|(name, in_phase)| name == action && in_phase == phase)
            .count()
    };
    (of("intent"), of("outcome"))
}

#[tokio::test]
async fn changes_of_roles_and_policies_are_in_the_evidence_of_their_own_request_alone() {
    on_both(async |db: Db| {
        let text = POLICIES.replace(
            "access.hold_role\"",
            "access.hold_role\", \"approvals.change_policies\"",
        );
        let world = world(&db, &text).await;
        let (rita, bob, eve) = people(&world).await;
        let root = world.add("root", Role::Administrator).await;
        let mut roles = Vec::new();
        for _ in 0..2 {
            let request = world.ask(&rita).await;
            world.approve(&bob, &request).await.unwrap();
            world.approve(&eve, &request).await.unwrap();
            world.service.round().await.unwrap();
            assert_eq!(world.state(&request).await, RequestState::Done);
            roles.push(request);
        }
        for request in &roles {
            let told = told(&world, &root, request).await;
            assert_eq!(count(&told, "access.hold_role"), (1, 1), "{told:?}");
            assert_eq!(count(&told, "approvals.decide"), (2, 2), "{told:?}");
        }
        let was = world.service.policies(&root).await.unwrap().sha256;
        let change = Ask {
            act: ProposedAct::Policies {
                text: "# none\n".into(),
                was,
            },
            ..wish(false)
        };
        let request = world.service.ask(&root, change).await.unwrap();
        world.approve(&bob, &request).await.unwrap();
        world.approve(&eve, &request).await.unwrap();
        world.service.round().await.unwrap();
        assert_eq!(world.state(&request).await, RequestState::Done);
        let told = told(&world, &root, &request).await;
        // The world's own first change of the policies is not among them.
        assert_eq!(count(&told, "approvals.change_policies"), (1, 1), "{told:?}");
        assert_eq!(count(&told, "access.hold_role"), (0, 0), "{told:?}");
    })
    .await;
}

//! Breaking the glass: who may, that it is done at once, and that it is reviewed.

use crate::world::{POLICIES, people, wish, world};
use muster_domain::PortalError;
use muster_domain::approvals::{Approvals, RequestQuery, RequestState, Review};
use muster_domain::permission::Role;
use muster_store::Db;
use muster_store::test_database::on_both;

const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn it_is_done_at_once_and_reviewed_by_somebody_else_before_it_can_be_done_again() {
    on_both(async |db: Db| {
        let world = world(&db, POLICIES).await;
        let (rita, bob, eve) = people(&world).await;
        let olga = world.add("olga", Role::Operator).await;
        let refused = world.service.ask(&olga, wish(true)).await;
        assert!(
            matches!(refused, Err(PortalError::Forbidden { .. })),
            "{refused:?}"
        );
        let mut short = wish(true);
        short.reason = "now!".into();
        let refused = world.service.ask(&rita, short).await.unwrap_err();
        assert!(refused.about("reason").is_some(), "{refused}");

        let request = world.service.ask(&rita, wish(true)).await.unwrap();
        world.service.round().await.unwrap();
        let detail = world.get(&request).await;
        assert_eq!(detail.summary.state, RequestState::Done, "{detail:?}");
        assert!(detail.summary.glass_broken && detail.summary.review_due_at.is_some());
        assert!(world.holds("rita", Role::Administrator).await);
        assert_eq!(
            world.acts("approvals.break_glass").await.len(),
            2 + 1,
            "the refused ones too"
        );

        // It waits for those who were passed over.
        let waits = world
            .service
            .list(&bob, RequestQuery::default())
            .await
            .unwrap()
            .items;
        assert_eq!(waits.len(), 1);
        assert!(waits[0].waits_for_me);

        // A second one while the first is not overdue is possible; when it is, it is not.
        world.clock.advance(2 * HOUR + 1);
        let again = world.service.ask(&rita, wish(true)).await;
        assert!(
            matches!(&again, Err(PortalError::Conflict { message }) if message.contains(request.as_str())),
            "{again:?}"
        );
        let review = |was_right: bool| Review {
            request: request.clone(),
            was_right,
            comment: "the certificate had an hour left".into(),
        };
        world.role_for("rita", Role::Approver).await;
        let own = world
            .service
            .review(&world.actor("rita").await, review(true))
            .await;
        assert!(matches!(own, Err(PortalError::Forbidden { .. })), "{own:?}");
        world.service.review(&eve, review(true)).await.unwrap();
        let twice = world.service.review(&bob, review(false)).await;
        assert!(matches!(twice, Err(PortalError::Conflict { .. })), "{twice:?}");
        let detail = world.get(&request).await;
        assert_eq!(
            detail.review.map(|(by, _, right, _)| (by, right)),
            Some(("eve".to_owned(), true))
        );
        assert_eq!(world.service.waiting(&bob).await.unwrap().count, 0);
        assert!(world.service.ask(&rita, wish(true)).await.is_ok());
    })
    .await;
}

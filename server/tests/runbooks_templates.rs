//! Templates, on both databases: whose they are, who sees and changes them, and that a name is taken once.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

use muster_domain::Timestamp;
use muster_domain::fleet::NodeSelection;
use muster_domain::ids::{TemplateId, UserId};
use muster_domain::runbooks::StartRunbook;
use muster_server::runbooks::template_queries::{self as queries, Looker, NewTemplate};
use muster_store::Db;
use muster_store::test_database::on_both;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp(1_795_000_000_000);

fn input(document: &str, word: &str) -> StartRunbook {
    StartRunbook {
        document: document.into(),
        version: String::new(),
        parameters: BTreeMap::from([("Word".into(), vec![word.into()])]),
        selection: NodeSelection::Nothing,
        max_concurrency: "10".into(),
        max_errors: "0".into(),
        reason: "nightly".into(),
        confirmed_nodes: None,
    }
}

async fn save(
    db: &Db,
    (id, owner, name): (&str, &str, &str),
    document: &str,
    shared: bool,
    replace: bool,
) -> Option<TemplateId> {
    let input = input(document, id);
    let new = NewTemplate {
        id,
        owner: &UserId::new(owner),
        owner_name: owner,
        name,
        shared,
        input: &input,
        left_out: &["Password".to_owned()],
        saved_version: "3",
        content_hash: "h",
    };
    queries::save(db, "c", &new, replace, NOW).await.unwrap()
}

#[tokio::test]
async fn one_sees_ones_own_and_shared_ones_and_changes_ones_own() {
    on_both(|db| async move {
        let (ann, bob) = (UserId::new("ann"), UserId::new("bob"));
        let looker = |user, any| Looker { user, any };
        let first = save(&db, ("1", "ann", "Nightly"), "Own-A", false, false)
            .await
            .unwrap();
        assert_eq!(
            save(&db, ("2", "ann", "Nightly"), "Own-A", true, false).await,
            None,
            "the name is taken"
        );
        save(&db, ("3", "bob", "Nightly"), "Own-A", true, false)
            .await
            .unwrap();
        save(&db, ("4", "ann", "Nightly"), "Own-B", true, false)
            .await
            .unwrap();
        let names = async |user, document| -> Vec<(String, bool)> {
            let rows = queries::list(&db, "c", document, looker(user, false))
                .await
                .unwrap();
            rows.into_iter()
                .map(|row| (row.id.to_string(), row.mine))
                .collect()
        };
        let id = |id: &str, mine: bool| (id.to_owned(), mine);
        assert_eq!(
            names(&ann, None).await,
            [id("1", true), id("3", false), id("4", true)]
        );
        assert_eq!(names(&bob, None).await, [id("3", true), id("4", false)]);
        assert_eq!(names(&bob, Some("Own-A")).await, [id("3", true)]);
        assert!(
            queries::list(&db, "other", None, looker(&ann, true))
                .await
                .unwrap()
                .is_empty()
        );

        // Replaced, it keeps its id; what it fills in is the new.
        let again = save(&db, ("5", "ann", "Nightly"), "Own-A", true, true)
            .await
            .unwrap();
        assert_eq!(again, first);
        let stored = queries::get(&db, "c", &first, looker(&bob, false))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.input, input("Own-A", "5"));
        assert_eq!(
            (stored.row.owner.as_str(), stored.row.mine, stored.left_out),
            ("ann", false, vec!["Password".to_owned()])
        );
        assert_eq!(
            (stored.saved_version.as_str(), stored.content_hash.as_str()),
            ("3", "h")
        );

        let bobs = TemplateId::new("3");
        assert!(
            !queries::rename(&db, "c", &bobs, "Mine", looker(&ann, false))
                .await
                .unwrap()
        );
        assert!(
            queries::rename(&db, "c", &bobs, "Weekly", looker(&ann, true))
                .await
                .unwrap()
        );
        let third = save(&db, ("6", "ann", "Monthly"), "Own-A", false, false)
            .await
            .unwrap();
        let taken = queries::rename(&db, "c", &third, "Nightly", looker(&ann, false)).await;
        assert!(taken.unwrap_err().is_unique_violation());
        // What is nobody else's, not even an administrator takes away.
        assert!(
            !queries::delete(&db, "c", &third, looker(&bob, true))
                .await
                .unwrap()
        );
        assert!(
            queries::delete(&db, "c", &third, looker(&ann, false))
                .await
                .unwrap()
        );
        assert!(
            queries::get(&db, "c", &third, looker(&ann, false))
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            !queries::delete(&db, "c", &bobs, looker(&ann, false))
                .await
                .unwrap()
        );
        assert!(
            queries::delete(&db, "c", &bobs, looker(&ann, true))
                .await
                .unwrap()
        );
    })
    .await;
}

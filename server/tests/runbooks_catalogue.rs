//! The portal's copy of runbooks, on both databases: found by what they are called and do, with their versions, each text once.

use muster_domain::Timestamp;
use muster_domain::runbooks::{RunbookOwner, RunbookQuery, RunbookVersion};
use muster_server::runbooks::catalogue::{self, Listed};
use muster_store::test_database::on_both;

const NOW: Timestamp = Timestamp(1_795_000_000_000);

#[tokio::test]
async fn the_catalogue_is_searched_counted_and_forgets_what_is_gone() {
    on_both(|db| async move {
        let listed = |name: &str, owner, category: &str| Listed {
            name: name.into(),
            owner,
            owner_name: "123456789012".into(),
            category: category.into(),
            default_version: "1".into(),
        };
        for one in [
            listed("AWS-RestartEC2Instance", RunbookOwner::Amazon, "EC2 Instance"),
            listed("Own-Restart", RunbookOwner::Own, ""),
            listed("Own-Tidy", RunbookOwner::Own, ""),
        ] {
            catalogue::keep(&db, "c", &one, NOW).await.unwrap();
        }
        assert_eq!(catalogue::undescribed(&db, "c", NOW, 10).await.unwrap().len(), 3);
        catalogue::describe(&db, "c", "Own-Tidy", ("Removes 100% of it", "Upkeep"), NOW)
            .await
            .unwrap();
        assert_eq!(catalogue::undescribed(&db, "c", NOW, 10).await.unwrap().len(), 2);
        let names = async |query: RunbookQuery| -> Vec<String> {
            let page = catalogue::list(&db, "c", &query).await.unwrap();
            page.page.items.into_iter().map(|one| one.name).collect()
        };
        let text = |text: &str| RunbookQuery {
            text: text.into(),
            ..RunbookQuery::default()
        };
        assert_eq!(
            names(text("RESTART")).await,
            ["AWS-RestartEC2Instance", "Own-Restart"]
        );
        assert_eq!(names(text("100%")).await, ["Own-Tidy"]);
        let query = RunbookQuery {
            owner: Some(RunbookOwner::Own),
            category: Some("Upkeep".into()),
            ..RunbookQuery::default()
        };
        assert_eq!(names(query).await, ["Own-Tidy"]);
        let first = RunbookQuery {
            limit: Some(2),
            ..RunbookQuery::default()
        };
        let page = catalogue::list(&db, "c", &first).await.unwrap();
        assert_eq!(page.total, 3);
        assert_eq!(
            page.categories,
            [("EC2 Instance".to_owned(), 1), ("Upkeep".to_owned(), 1)]
        );
        let next = RunbookQuery {
            cursor: page.page.next,
            ..first
        };
        assert_eq!(names(next).await, ["Own-Tidy"]);

        // Another default version is described anew; what a later copy does not find is gone.
        let later = NOW.plus_ms(1_000);
        let mut changed = listed("Own-Tidy", RunbookOwner::Own, "");
        changed.default_version = "2".into();
        catalogue::keep(&db, "c", &changed, later).await.unwrap();
        assert_eq!(catalogue::undescribed(&db, "c", NOW, 10).await.unwrap().len(), 3);
        catalogue::forget_older(&db, "c", later).await.unwrap();
        assert_eq!(names(RunbookQuery::default()).await, ["Own-Tidy"]);
        assert_eq!(catalogue::found(&db, "c", "tidy", 5).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_text_is_kept_once_and_goes_with_its_version() {
    on_both(|db| async move {
        let version = |number: &str, at: i64, is_default: bool| RunbookVersion {
            version: number.into(),
            version_name: String::new(),
            created_at: Some(Timestamp(at)),
            is_default,
        };
        let put = async |versions: &[RunbookVersion]| {
            catalogue::put_versions(&db, "c", "R", versions, NOW)
                .await
                .unwrap();
        };
        put(&[version("10", 2, false), version("9", 1, true)]).await;
        let hash = catalogue::put_text(&db, "c", "R", "9", "{}").await.unwrap();
        assert_eq!(
            catalogue::put_text(&db, "c", "R", "10", "{}").await.unwrap(),
            hash
        );
        assert_eq!(
            catalogue::text(&db, "c", "R", "9").await.unwrap(),
            Some((hash.clone(), "{}".to_owned()))
        );
        assert_eq!(catalogue::text_of_hash(&db, &hash).await.unwrap(), "{}");
        assert_eq!(catalogue::text_of_hash(&db, "").await.unwrap(), "");
        let found = catalogue::versions(&db, "c", "R").await.unwrap();
        let numbers: Vec<&str> = found.iter().map(|one| one.version.as_str()).collect();
        assert_eq!(numbers, ["10", "9"], "newest first, by number");
        // Looked up again, the text stays; a version that was made anew under its number has none yet.
        put(&[version("10", 2, true), version("9", 7, false)]).await;
        assert!(catalogue::text(&db, "c", "R", "10").await.unwrap().is_some());
        assert!(catalogue::text(&db, "c", "R", "9").await.unwrap().is_none());
        put(&[version("11", 8, true)]).await;
        assert_eq!(catalogue::versions(&db, "c", "R").await.unwrap().len(), 1);
    })
    .await;
}

//! The SQL of windows, on both databases.

use super::*;
use muster_domain::windows::WindowStanding;
use muster_store::test_database::on_both;

fn listed(id: &str, name: &str, next: i64) -> Listed {
    Listed {
        id: id.into(),
        settings: WindowSettings {
            name: name.into(),
            enabled: name != "Off",
            schedule: "cron(0 2 ? * SUN *)".into(),
            time_zone: "Europe/Berlin".into(),
            duration_hours: 2,
            ..WindowSettings::default()
        },
        next_at: Some(Timestamp(next)),
    }
}

fn run(status: &str) -> WindowRun {
    WindowRun {
        id: "e-1".into(),
        status: status.into(),
        details: String::new(),
        at: Some(Timestamp(5)),
        ended_at: None,
    }
}

async fn names(db: &Db, query: &WindowQuery) -> Vec<String> {
    let page = list(db, "c", query).await.unwrap().page;
    page.items.into_iter().map(|one| one.name).collect()
}

#[tokio::test]
async fn windows_are_kept_found_and_forgotten() {
    on_both(async |db| {
        for (id, name) in [("mw-1", "nightly"), ("mw-2", "Alpha"), ("mw-3", "Off")] {
            keep(&db, "c", &listed(id, name, 1_000), Timestamp(10))
                .await
                .unwrap();
        }
        let all = WindowQuery::default();
        assert_eq!(names(&db, &all).await, ["Alpha", "nightly", "Off"]);
        let first = WindowQuery {
            limit: Some(2),
            ..all.clone()
        };
        let page = list(&db, "c", &first).await.unwrap();
        assert_eq!((page.total, page.synced_at, page.page.items.len()), (3, None, 2));
        let second = WindowQuery {
            cursor: page.page.next,
            ..first
        };
        assert_eq!(names(&db, &second).await, ["Off"]);
        let off = WindowQuery {
            enabled: Some(false),
            ..all.clone()
        };
        assert_eq!(names(&db, &off).await, ["Off"]);
        let like = WindowQuery {
            text: "IGHT".into(),
            ..all.clone()
        };
        assert_eq!(names(&db, &like).await, ["nightly"]);

        // All wait to be looked at; once they were, they wait until they are old, open, or said to be different.
        let waits = async |before: i64, open: i64| {
            to_look_at(&db, "c", (Timestamp(before), Timestamp(open)), 10)
                .await
                .unwrap()
        };
        assert_eq!(waits(1, 1).await.len(), 3);
        for (id, status) in [("mw-1", "FAILED"), ("mw-2", "IN_PROGRESS")] {
            looked(&db, "c", id, (1, 2), Some(&run(status)), Timestamp(100))
                .await
                .unwrap();
        }
        looked(&db, "c", "mw-3", (0, 0), None, Timestamp(100))
            .await
            .unwrap();
        assert_eq!(waits(50, 150).await, ["mw-2"], "it is open");
        keep(&db, "c", &listed("mw-1", "nightly", 2_000), Timestamp(110))
            .await
            .unwrap();
        assert_eq!(waits(50, 50).await, ["mw-1"], "it opens at another time");
        let failed = WindowQuery {
            standing: Some(WindowStanding::Failed),
            ..all.clone()
        };
        assert_eq!(names(&db, &failed).await, ["nightly"]);
        let never = WindowQuery {
            standing: Some(WindowStanding::Never),
            ..all.clone()
        };
        assert_eq!(names(&db, &never).await, ["Off"]);
        let found = get(&db, "c", "mw-1").await.unwrap().unwrap();
        assert_eq!((found.targets, found.tasks), (Some(1), Some(2)));
        assert_eq!(found.schedule_words, "every Sunday at 02:00");
        assert!(found.next.unwrap().local.ends_with("Europe/Berlin"));

        // An answer that was on its way is not kept over a newer one.
        keep(&db, "c", &listed("mw-1", "older", 1), Timestamp(109))
            .await
            .unwrap();
        assert!(is_named(&db, "c", "NIGHTLY", "").await.unwrap());
        assert!(!is_named(&db, "c", "nightly", "mw-1").await.unwrap());

        let times = (Timestamp(5), Timestamp(60));
        assert!(claim(&db, "c", "mw-1", times).await.unwrap());
        assert!(!claim(&db, "c", "mw-1", times).await.unwrap(), "taken");
        release(&db, "c", "mw-1").await.unwrap();
        assert!(claim(&db, "c", "mw-1", times).await.unwrap());

        copied(&db, "c", Timestamp(110)).await.unwrap();
        assert_eq!(names(&db, &all).await, ["nightly"], "the others were not found");
        forget(&db, "c", "mw-1").await.unwrap();
        let page = list(&db, "c", &all).await.unwrap();
        assert_eq!((page.total, page.synced_at), (0, Some(Timestamp(110))));
    })
    .await;
}

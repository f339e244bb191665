//! The fleet's queries on both databases: filters, order, pages, scopes, saved views.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

use futures::StreamExt as _;
use muster_domain::Timestamp;
use muster_domain::fleet::{FleetQuery, FleetSort, NodeSelection, SaveView, Tag};
use muster_domain::fleet_filter::FleetFilter;
use muster_domain::ids::{ConnectionId, NodeId, UserId};
use muster_domain::permission::Scope;
use muster_server::fleet::export::{Format, stream};
use muster_server::fleet::{queries, resolve, views};
use muster_store::test_database::on_both;
use muster_store::{Db, Sql};

const NOW: Timestamp = Timestamp(1_795_000_000_000);

async fn add(db: &Db, number: i64, status: &str, tags: &[(&str, &str)]) {
    let id = format!("mi-{number:017x}");
    let name = format!("Web-{number:03}");
    let mut sql = Sql::new(
        "insert into nodes (connection_id, node_id, name, computer_name, ping_status, last_ping_at, platform_type, platform_name, \
         platform_version, agent_version, ip_address, resource_type, activation_id, iam_role, registered_at, synced_at, \
         tags_synced_at, sweep, sort_name) values ('default', ",
    );
    sql.text(&id)
        .push(", ")
        .text(&name)
        .push(", 'host', ")
        .text(status)
        .push(", ");
    sql.int(NOW.0 - number * 3_600_000)
        .push(", 'Linux', 'Debian', ")
        .text(if number % 2 == 0 { "12" } else { "11" });
    sql.push(", '1.0', ")
        .text(format!("10.0.0.{number}"))
        .push(", 'ManagedInstance', null, null, null, ")
        .int(NOW.0);
    sql.push(", 0, 0, ").text(name.to_lowercase()).push(")");
    sql.run(db.writer()).await.unwrap();
    let tags: Vec<Tag> = tags
        .iter()
        .map(|(k, v)| Tag {
            key: (*k).into(),
            value: (*v).into(),
        })
        .collect();
    queries::replace_tags(db, &ConnectionId::new("default"), &NodeId::new(id), &tags, NOW)
        .await
        .unwrap();
}

async fn fill(db: &Db) {
    for number in 0..25 {
        let environment = if number < 10 { "Production" } else { "Staging" };
        let status = if number % 5 == 4 {
            "ConnectionLost"
        } else {
            "Online"
        };
        add(
            db,
            number,
            status,
            &[("Environment", environment), ("Note", "50%_x")],
        )
        .await;
    }
}

async fn names(db: &Db, filter: &str, scopes: &[Scope]) -> Vec<String> {
    let filter = FleetFilter::parse(filter).unwrap();
    let nodes = queries::matching(db, &filter, scopes, NOW, 100).await.unwrap();
    nodes.into_iter().map(|node| node.name).collect()
}

#[tokio::test]
async fn filters_find_what_they_say() {
    on_both(async |db: Db| {
        fill(&db).await;
        let all = [Scope::All];
        assert_eq!(names(&db, "", &all).await.len(), 25);
        assert_eq!(names(&db, "tag:Environment=Production", &all).await.len(), 10);
        assert_eq!(names(&db, "tag:Environment!=Production", &all).await.len(), 15);
        assert_eq!(
            names(
                &db,
                "tag:Environment=Production,Staging;status=ConnectionLost",
                &all
            )
            .await
            .len(),
            5
        );
        assert_eq!(names(&db, "name~WEB-00", &all).await.len(), 10);
        assert_eq!(names(&db, "web-003", &all).await, ["Web-003"]);
        assert_eq!(names(&db, "platform~debian 11", &all).await.len(), 12);
        assert_eq!(names(&db, "ping>20h", &all).await.len(), 4);
        assert_eq!(names(&db, "ping<2h", &all).await.len(), 3);
        // Signs that mean something to the database are looked for as they are.
        assert_eq!(names(&db, "tag:Note~50%_", &all).await.len(), 25);
        assert_eq!(names(&db, "tag:Note~5%0", &all).await.len(), 0);
        assert_eq!(names(&db, "name=' or 1=1 --", &all).await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn nobody_sees_beyond_their_scope() {
    on_both(async |db: Db| {
        fill(&db).await;
        let staging = [Scope::parse("Environment=Staging").unwrap()];
        assert_eq!(names(&db, "", &staging).await.len(), 15);
        assert_eq!(names(&db, "tag:Environment=Production", &staging).await.len(), 0);
        assert_eq!(names(&db, "", &[]).await.len(), 0);
        let two = [
            Scope::parse("Environment=Staging").unwrap(),
            Scope::parse("Environment=Production").unwrap(),
        ];
        assert_eq!(names(&db, "", &two).await.len(), 25);
        let foreign = NodeId::new(format!("mi-{:017x}", 1));
        assert!(queries::get(&db, &foreign, &staging).await.unwrap().is_none());
        let selection = NodeSelection::Nodes {
            nodes: vec![foreign, NodeId::new(format!("mi-{:017x}", 11))],
        };
        let resolved = resolve::resolve(&db, &selection, &staging, NOW).await.unwrap();
        assert_eq!((resolved.targets.len(), resolved.excluded.len()), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn pages_hold_every_node_once_in_every_order() {
    on_both(async |db: Db| {
        fill(&db).await;
        for sort in FleetSort::ALL {
            for descending in [false, true] {
                let mut query = FleetQuery {
                    sort,
                    descending,
                    limit: Some(4),
                    ..FleetQuery::default()
                };
                let mut seen = Vec::new();
                loop {
                    let page = queries::list(&db, &query, &[Scope::All], NOW).await.unwrap();
                    seen.extend(page.items.iter().map(|node| node.node_id.to_string()));
                    query.cursor = page.next;
                    if query.cursor.is_none() {
                        break;
                    }
                }
                let mut once = seen.clone();
                once.sort();
                once.dedup();
                assert_eq!((seen.len(), once.len()), (25, 25), "{sort:?} {descending}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_preview_counts_by_environment_and_leaves_silent_nodes_out() {
    on_both(async |db: Db| {
        fill(&db).await;
        let selection = NodeSelection::Matching {
            filter: FleetFilter::default(),
        };
        let preview = resolve::resolve(&db, &selection, &[Scope::All], NOW)
            .await
            .unwrap()
            .preview();
        assert_eq!((preview.count, preview.excluded_count), (20, 5));
        assert_eq!(
            preview.by_environment,
            [("Staging".into(), 12), ("Production".into(), 8)]
        );
    })
    .await;
}

#[tokio::test]
async fn views_belong_to_somebody_and_saving_again_replaces() {
    on_both(async |db: Db| {
        let (ann, bob) = (UserId::new("ann"), UserId::new("bob"));
        let mut view = SaveView {
            name: "Mine".into(),
            query: "filter=a".into(),
            shared: false,
        };
        let first = views::save(&db, "v1", &ann, "ann", &view, NOW).await.unwrap();
        view.query = "filter=b".into();
        let second = views::save(&db, "v2", &ann, "ann", &view, NOW).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(views::list(&db, &ann, false).await.unwrap()[0].query, "filter=b");
        assert!(views::list(&db, &bob, false).await.unwrap().is_empty());
        view.shared = true;
        views::save(&db, "v3", &ann, "ann", &view, NOW).await.unwrap();
        assert_eq!(views::list(&db, &bob, false).await.unwrap().len(), 1);
        assert!(!views::delete(&db, &first, &bob, false).await.unwrap());
        assert!(views::delete(&db, &first, &bob, true).await.unwrap());
    })
    .await;
}

/// The first column of a CSV file's lines.
fn ids_of(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.split(',').next())
        .filter(|cell| cell.starts_with("mi-"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_file_of_the_fleet_holds_every_node_once_though_nodes_are_renamed_while_it_is_read() {
    on_both(async |db: Db| {
        // More than one piece of the file.
        for number in 0..450 {
            add(&db, number, "Online", &[]).await;
        }
        let all = vec![Scope::All];
        let query = FleetQuery::default();
        let mut file = Box::pin(stream(db.clone(), query, all, NOW, Format::Csv));
        let mut text = String::from_utf8(file.next().await.unwrap().unwrap().to_vec()).unwrap();
        let begun = ids_of(&text).len();
        assert!((1..450).contains(&begun), "{begun} nodes in the first piece");
        // One that was written moves to the end, one that was not yet moves to the beginning.
        for (number, name) in [(0, "zz-last"), (449, "aa-first")] {
            let mut sql = Sql::new("update nodes set name = ");
            sql.text(name).push(", sort_name = ").text(name);
            sql.push(" where node_id = ").text(format!("mi-{number:017x}"));
            sql.run(db.writer()).await.unwrap();
        }
        while let Some(piece) = file.next().await {
            text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
        let expected: Vec<String> = (0..450).map(|number| format!("mi-{number:017x}")).collect();
        assert_eq!(ids_of(&text), expected);
        assert_eq!(text.lines().count(), 451, "and the header");
    })
    .await;
}

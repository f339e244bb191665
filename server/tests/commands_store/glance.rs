//! What needs a look first, on both databases: failed nodes with their last lines, unfinished ones with their prospects.

use super::*;

#[tokio::test]
async fn what_needs_a_look_is_found_with_its_last_lines_and_its_prospects() {
    on_both(async |db: Db| {
        let id = command(&db, "c1", NOW).await;
        let mut errors = wrote("mi-1", 0, "one\ntwo\nthree\nfour\n");
        errors.stream = OutputStream::Stderr;
        let mut waiting = seen("mi-3", CommandStatus::Pending);
        waiting.1.started_at = None;
        let all = [
            seen("mi-1", CommandStatus::Failed),
            seen("mi-2", CommandStatus::InProgress),
            waiting,
            seen("mi-4", CommandStatus::Success),
        ];
        let news = News {
            invocations: all.to_vec(),
            ..News::default()
        };
        apply(&db, &id, &news, NOW).await.unwrap();
        let news = News {
            output: vec![errors],
            ..News::default()
        };
        apply(&db, &id, &news, NOW).await.unwrap();
        for (node, status) in [("mi-2", "Online"), ("mi-3", "ConnectionLost")] {
            let mut sql = muster_store::Sql::new(
                "insert into nodes (connection_id, node_id, name, computer_name, ping_status, last_ping_at, platform_type, \
                 platform_name, platform_version, agent_version, ip_address, resource_type, synced_at, tags_synced_at, sweep, \
                 sort_name) values ('c', ",
            );
            sql.text(node).push(", 'n', 'n', ").text(status).push(", ").int(NOW.0);
            sql.push(", 'Linux', '', '', '', '', '', 0, 0, 0, 'n')");
            sql.run(db.writer()).await.unwrap();
        }
        let viewer = Viewer {
            scopes: &[Scope::All],
            user: None,
        };
        let row = queries::get(&db, &id, &viewer).await.unwrap().unwrap();
        let found = muster_server::commands::glance::glance(&db, &row, &[Scope::All]).await.unwrap();
        assert_eq!((found.failed_count, found.unfinished_count, found.silent_count), (1, 2, 1));
        assert_eq!(found.failed[0].last_lines, "two\nthree\nfour");
        assert_eq!(found.failed[0].stream, OutputStream::Stderr);
        let (silent, running) = (&found.unfinished[0], &found.unfinished[1]);
        assert_eq!((silent.invocation.node_id.as_str(), silent.is_silent), ("mi-3", true));
        assert_eq!(silent.heard_at, Some(NOW));
        assert_eq!(silent.given_up_at, Some(NOW.plus_ms(600_000)), "it was not taken");
        assert_eq!((running.invocation.node_id.as_str(), running.is_silent), ("mi-2", false));
        assert_eq!(running.given_up_at, Some(NOW.plus_ms(3_600_000)), "it has begun");
        // Somebody who may look at other nodes only sees none of them.
        let elsewhere = Scope::parse("Environment=Staging").unwrap();
        let found = muster_server::commands::glance::glance(&db, &row, &[elsewhere]).await.unwrap();
        assert_eq!((found.failed_count, found.unfinished_count), (0, 0));
        // Output events carry the node's name, and their time.
        let read = events::after(&db, &id, 0).await.unwrap();
        let output = read.iter().find_map(|read| match &read.event.change {
            CommandChange::Output { node_name, .. } => Some((node_name.clone(), read.event.at)),
            _ => None,
        });
        assert_eq!(output, Some(("name of mi-1".into(), Some(NOW))));
    })
    .await;
}

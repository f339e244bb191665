//! What comes back from nodes, on both databases: numbered without gaps, stored once, never undone.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

use muster_domain::Timestamp;
use muster_domain::commands::{
    CommandChange, CommandQuery, CommandStatus, CommandSummary, InvocationQuery, OutputRange, OutputStream,
};
use muster_domain::fleet::NodeSelection;
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::permission::Scope;
use muster_server::commands::apply::{Bytes, News, Whole, apply};
use muster_server::commands::insert::{self, NewCommand};
use muster_server::commands::parts::Part;
use muster_server::commands::queries::{self, CommandRow, Viewer};
use muster_server::commands::ssm::SeenInvocation;
use muster_server::commands::{compare, events, groups, invocations, reads};
use muster_store::Db;
use muster_store::test_database::on_both;
use std::collections::BTreeMap;

mod glance;

const NOW: Timestamp = Timestamp(1_795_000_000_000);

async fn command(db: &Db, id: &str, at: Timestamp) -> CommandId {
    let command_id = CommandId::new(id);
    let row = CommandRow {
        summary: CommandSummary {
            command_id: command_id.clone(),
            document: "AWS-RunShellScript".into(),
            comment: "rotate logs".into(),
            script_line: "id".into(),
            requested_by: "ann".into(),
            requested_at: at,
            ended_at: None,
            status: CommandStatus::Pending,
            status_details: "Pending".into(),
            targets: 2,
            completed: 0,
            errors: 0,
            synced_at: at,
        },
        document_version: "1".into(),
        parameters: BTreeMap::from([("commands".into(), vec!["id".into()])]),
        selection: NodeSelection::Nodes {
            nodes: vec![NodeId::new("mi-1")],
        },
        max_concurrency: "50".into(),
        max_errors: "0".into(),
        timeout_seconds: 600,
        requested_by_id: None,
        state: "active".into(),
        problem: String::new(),
        cancel_requested_at: None,
        next_event: 1,
    };
    let part = Part {
        command_id: command_id.clone(),
        part: 0,
        ssm_command_id: Some(format!("ssm-{id}")),
        node_ids: Some(vec!["mi-1".into()]),
        targets: None,
        state: "sent".into(),
    };
    insert::insert(
        db,
        &NewCommand {
            row,
            connection_id: "default".into(),
            parts: vec![part],
            nodes: Vec::new(),
        },
    )
    .await
    .unwrap();
    command_id
}

fn seen(node: &str, status: CommandStatus) -> (String, SeenInvocation) {
    let seen = SeenInvocation {
        node_id: node.into(),
        node_name: format!("name of {node}"),
        status,
        status_details: status.as_str().into(),
        response_code: if status.is_final() { 0 } else { -1 },
        started_at: Some(NOW),
        ended_at: None,
        steps: Vec::new(),
    };
    ("ssm".into(), seen)
}

fn wrote(node: &str, offset: i64, text: &str) -> Bytes {
    Bytes {
        node_id: node.into(),
        stream: OutputStream::Stdout,
        offset,
        bytes: text.as_bytes().to_vec(),
    }
}

#[tokio::test]
async fn news_is_numbered_without_gaps_and_the_same_news_twice_is_none() {
    on_both(async |db: Db| {
        let id = command(&db, "c1", NOW).await;
        let running = News {
            invocations: vec![seen("mi-1", CommandStatus::InProgress)],
            output: vec![wrote("mi-1", 0, "hello ")],
            ..News::default()
        };
        assert_eq!(apply(&db, &id, &running, NOW).await.unwrap(), 2);
        // The same piece again, a piece that leaves a hole, and the next piece.
        assert_eq!(apply(&db, &id, &running, NOW).await.unwrap(), 0);
        let hole = News {
            output: vec![wrote("mi-1", 99, "lost")],
            ..News::default()
        };
        assert_eq!(apply(&db, &id, &hole, NOW).await.unwrap(), 0);
        let next = News {
            output: vec![wrote("mi-1", 6, "world")],
            ..News::default()
        };
        assert!(apply(&db, &id, &next, NOW).await.unwrap() >= 1);
        let done = News {
            invocations: vec![seen("mi-1", CommandStatus::Success)],
            complete: vec![("mi-1".into(), "hash".into())],
            summary: Some(Whole {
                status: CommandStatus::Success,
                status_details: "Success".into(),
                targets: 1,
                completed: 1,
                errors: 0,
                finished: true,
                problem: String::new(),
            }),
            ..News::default()
        };
        apply(&db, &id, &done, NOW.plus_ms(500)).await.unwrap();

        let all = events::after(&db, &id, 0).await.unwrap();
        let numbers: Vec<i64> = all.iter().map(|read| read.event.sequence).collect();
        assert_eq!(
            numbers,
            (1..=i64::try_from(all.len()).unwrap()).collect::<Vec<_>>()
        );
        assert!(all.last().unwrap().last);
        let text: String = all
            .iter()
            .filter_map(|read| match &read.event.change {
                CommandChange::Output { piece, .. } => Some(piece.text.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(text, "hello world");
        // Continuing from the middle gives exactly the rest.
        let rest = events::after(&db, &id, 2).await.unwrap();
        assert_eq!(rest.len(), all.len() - 2);
        assert_eq!(rest[0].event.sequence, 3);

        let view = invocations::invocation_of(&db, &id, &NodeId::new("mi-1"), &[Scope::All])
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (view.stdout_bytes, view.status, view.output_hash.as_str()),
            (11, CommandStatus::Success, "hash")
        );
        let row = queries::get(
            &db,
            &id,
            &Viewer {
                scopes: &[Scope::All],
                user: None,
            },
        )
        .await
        .unwrap()
        .unwrap();
        assert_eq!(
            (row.state.as_str(), row.summary.ended_at),
            ("done", Some(NOW.plus_ms(500)))
        );
    })
    .await;
}

#[tokio::test]
async fn late_news_does_not_bring_a_finished_node_back_to_life() {
    on_both(async |db: Db| {
        let id = command(&db, "c1", NOW).await;
        for status in [CommandStatus::Failed, CommandStatus::InProgress] {
            let news = News {
                invocations: vec![seen("mi-1", status)],
                ..News::default()
            };
            apply(&db, &id, &news, NOW).await.unwrap();
        }
        let view = invocations::invocation_of(&db, &id, &NodeId::new("mi-1"), &[Scope::All])
            .await
            .unwrap()
            .unwrap();
        assert_eq!(view.status, CommandStatus::Failed);
    })
    .await;
}

#[tokio::test]
async fn failures_stand_first_and_pages_hold_every_node_once() {
    on_both(async |db: Db| {
        let id = command(&db, "c1", NOW).await;
        let mut news = News::default();
        for number in 0..30 {
            let status = match number % 3 {
                0 => CommandStatus::Success,
                1 => CommandStatus::Failed,
                _ => CommandStatus::InProgress,
            };
            news.invocations.push(seen(&format!("mi-{number:02}"), status));
        }
        apply(&db, &id, &news, NOW).await.unwrap();
        let mut query = InvocationQuery {
            limit: Some(7),
            ..InvocationQuery::default()
        };
        let mut all = Vec::new();
        loop {
            let page = invocations::invocations(&db, &id, &query, &[Scope::All])
                .await
                .unwrap();
            all.extend(page.items);
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(all.len(), 30);
        assert!(all[..10].iter().all(|view| view.status == CommandStatus::Failed));
        assert!(all[20..].iter().all(|view| view.status == CommandStatus::Success));
        let failed = invocations::node_ids(&db, &id, true).await.unwrap();
        assert_eq!(failed.len(), 10);
    })
    .await;
}

#[tokio::test]
async fn output_is_read_in_pieces_between_characters() {
    on_both(async |db: Db| {
        let id = command(&db, "c1", NOW).await;
        let text = "€".repeat(50_000);
        let mut news = News {
            invocations: vec![seen("mi-1", CommandStatus::InProgress)],
            ..News::default()
        };
        for (number, part) in text.as_bytes().chunks(30_000).enumerate() {
            let offset = i64::try_from(number * 30_000).unwrap();
            news.output.push(Bytes {
                node_id: "mi-1".into(),
                stream: OutputStream::Stdout,
                offset,
                bytes: part.to_vec(),
            });
        }
        apply(&db, &id, &news, NOW).await.unwrap();
        let node = NodeId::new("mi-1");
        let (mut offset, mut joined) = (0, String::new());
        loop {
            let piece = reads::piece(&db, &id, &node, OutputStream::Stdout, OutputRange::From(offset))
                .await
                .unwrap();
            assert_eq!((piece.total, piece.offset), (150_000, offset));
            if piece.text.is_empty() {
                break;
            }
            joined.push_str(&piece.text);
            offset = piece.end;
        }
        assert_eq!(joined, text);
        let tail = reads::piece(&db, &id, &node, OutputStream::Stdout, OutputRange::Last(10))
            .await
            .unwrap();
        assert_eq!((tail.text.as_str(), tail.end), ("€€€", 150_000));
        let before = reads::piece(
            &db,
            &id,
            &node,
            OutputStream::Stdout,
            OutputRange::Before(tail.offset),
        )
        .await
        .unwrap();
        assert_eq!(
            before.end, tail.offset,
            "an earlier piece ends where the later began"
        );
        assert!(
            before.text.chars().all(|c| c == '€'),
            "and begins between characters"
        );
        let first = reads::piece(&db, &id, &node, OutputStream::Stdout, OutputRange::Before(30))
            .await
            .unwrap();
        assert_eq!((first.offset, first.end), (0, 30));
        let missing = reads::piece(&db, &id, &node, OutputStream::Stderr, OutputRange::From(0))
            .await
            .unwrap();
        assert_eq!((missing.total, missing.text.as_str()), (0, ""));
    })
    .await;
}

#[tokio::test]
async fn nodes_that_ended_alike_and_wrote_the_same_are_one_group() {
    use CommandStatus::{Failed, Success};
    on_both(async |db: Db| {
        let id = command(&db, "c1", NOW).await;
        let mut news = News::default();
        for (node, status, code, text) in [
            ("mi-1", Success, 0, "one\n"),
            ("mi-2", Success, 0, "two\nmore\n"),
            ("mi-3", Success, 0, "one\n"),
            ("mi-4", Failed, 3, "one\n"),
            ("mi-5", Success, 0, ""),
        ] {
            let (call, mut invocation) = seen(node, status);
            invocation.response_code = code;
            news.invocations.push((call, invocation));
            if !text.is_empty() {
                news.output.push(Bytes {
                    node_id: node.into(),
                    stream: OutputStream::Stdout,
                    offset: 0,
                    bytes: text.as_bytes().to_vec(),
                });
            }
            news.complete
                .push((node.into(), if text.is_empty() { "" } else { text }.to_owned()));
        }
        apply(&db, &id, &news, NOW).await.unwrap();
        let all = [Scope::All];
        let found = groups::groups(&db, &id, &all).await.unwrap();
        let read: Vec<(CommandStatus, i32, u32, &str, usize)> = found
            .iter()
            .map(|group| {
                (
                    group.status,
                    group.response_code,
                    group.nodes,
                    group.beginning.as_str(),
                    group.some.len(),
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                (Failed, 3, 1, "one\n", 1),
                (Success, 0, 2, "one\n", 2),
                (Success, 0, 1, "", 1),
                (Success, 0, 1, "two\nmore\n", 1),
            ]
        );
        let query = InvocationQuery {
            output_hash: Some("one\n".into()),
            ..InvocationQuery::default()
        };
        let same = invocations::invocations(&db, &id, &query, &all).await.unwrap();
        assert_eq!(same.items.len(), 3);

        let [old, new] = ["mi-1", "mi-2"].map(NodeId::new);
        let found = compare::compare(&db, &id, [&old, &new], OutputStream::Stdout, &all)
            .await
            .unwrap();
        assert_eq!((found.removed, found.added, found.cut), (1, 2, false));
        let nobody = NodeId::new("mi-9");
        let refused = compare::compare(&db, &id, [&old, &nobody], OutputStream::Stdout, &all).await;
        assert!(refused.unwrap_err().to_string().contains("mi-9"));
    })
    .await;
}

#[tokio::test]
async fn the_history_is_read_newest_first_page_by_page() {
    on_both(async |db: Db| {
        for number in 0..12 {
            command(&db, &format!("c{number:02}"), NOW.plus_ms(number * 1_000)).await;
        }
        let viewer = Viewer {
            scopes: &[Scope::All],
            user: None,
        };
        let mut query = CommandQuery {
            limit: Some(5),
            ..CommandQuery::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = queries::list(&db, &query, &viewer).await.unwrap();
            seen.extend(
                page.items
                    .into_iter()
                    .map(|command| command.command_id.to_string()),
            );
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 12);
        assert_eq!((seen[0].as_str(), seen[11].as_str()), ("c11", "c00"));
        let text = CommandQuery {
            text: "ROTATE".into(),
            since: Some(NOW.plus_ms(10_000)),
            ..CommandQuery::default()
        };
        assert_eq!(queries::list(&db, &text, &viewer).await.unwrap().items.len(), 2);
        for (script, found) in [("\"id\"", 2), ("whoami", 0)] {
            let text = CommandQuery {
                text: script.into(),
                ..text.clone()
            };
            assert_eq!(
                queries::list(&db, &text, &viewer).await.unwrap().items.len(),
                found,
                "{script}"
            );
        }
        // Somebody whose scope covers none of its nodes does not see a command.
        let staging = [Scope::parse("Environment=Staging").unwrap()];
        let other = Viewer {
            scopes: &staging,
            user: None,
        };
        assert!(
            queries::list(&db, &CommandQuery::default(), &other)
                .await
                .unwrap()
                .items
                .is_empty()
        );
    })
    .await;
}

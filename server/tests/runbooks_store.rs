//! Executions, on both databases: news is applied once and numbered without gaps, what has ended stays as it
//! is, and nobody sees more than they may.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

use muster_domain::Timestamp;
use muster_domain::ids::{ExecutionId, NodeId, UserId};
use muster_domain::permission::Scope;
use muster_domain::runbooks::{
    ExecutionChange, ExecutionQuery, ExecutionStatus, ExecutionSummary, PlannedNode, PlannedTargets,
    StepExecution,
};
use muster_server::runbooks::insert::{NewExecution, insert};
use muster_server::runbooks::queries::{self, ExecutionRow, Viewer};
use muster_server::runbooks::ssm::SeenExecution;
use muster_server::runbooks::{apply, events, steps};
use muster_store::test_database::on_both;
use muster_store::{Db, Sql};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp(1_795_000_000_000);
const ALL: Viewer<'static> = Viewer {
    scopes: &[Scope::All],
    user: None,
};

fn new(id: &str, at: Timestamp, nodes: &[&str]) -> NewExecution {
    let nodes: Vec<PlannedNode> = nodes
        .iter()
        .map(|id| PlannedNode {
            node_id: NodeId::new(*id),
            name: format!("name of {id}"),
            environment: String::new(),
        })
        .collect();
    let row = ExecutionRow {
        summary: ExecutionSummary {
            execution_id: ExecutionId::new(id),
            document: "Own-Restart".into(),
            document_version: "3".into(),
            reason: "slow since noon".into(),
            requested_by: "ann".into(),
            requested_at: at,
            ended_at: None,
            status: ExecutionStatus::Pending,
            current_step: String::new(),
            failure_message: String::new(),
            steps: 2,
            steps_ended: 0,
            steps_failed: 0,
            synced_at: at,
        },
        ssm_execution_id: None,
        client_token: format!("token of {id}"),
        content_hash: "h".into(),
        parameters: BTreeMap::from([("InstanceIds".into(), vec!["mi-1".into()])]),
        targets: Some(PlannedTargets {
            parameter: "InstanceIds".into(),
            nodes: nodes.clone(),
            one_each: false,
        }),
        max_concurrency: "10".into(),
        max_errors: "0".into(),
        reaches_further: false,
        requested_by_id: Some(UserId::new("u-ann")),
        executed_by: String::new(),
        outputs: BTreeMap::new(),
        parent_ssm_id: String::new(),
        state: "sending".into(),
        problem: String::new(),
        next_event: 1,
    };
    NewExecution {
        row,
        connection_id: "default".into(),
        nodes,
        deployment: None,
    }
}

fn step(position: u32, name: &str, status: ExecutionStatus) -> StepExecution {
    StepExecution {
        position,
        step_execution_id: format!("step-{position}"),
        name: name.into(),
        action: "aws:sleep".into(),
        status,
        started_at: Some(NOW),
        ended_at: status
            .is_final()
            .then(|| NOW.plus_ms(1_000 * i64::from(position + 1))),
        response_code: String::new(),
        failure_message: String::new(),
        inputs: BTreeMap::from([("Duration".into(), "\"PT1S\"".into())]),
        outputs: BTreeMap::new(),
    }
}

fn seen(status: ExecutionStatus, steps: Vec<StepExecution>) -> SeenExecution {
    SeenExecution {
        id: "ssm".into(),
        document: "Own-Restart".into(),
        document_version: "3".into(),
        status,
        started_at: Some(NOW),
        ended_at: status.is_final().then(|| NOW.plus_ms(4_000)),
        executed_by: "arn:aws:iam::1:user/portal".into(),
        parent: String::new(),
        current_step: "First".into(),
        failure_message: String::new(),
        parameters: BTreeMap::new(),
        outputs: BTreeMap::from([("First.Out".into(), vec!["x".into()])]),
        steps,
    }
}

async fn row(db: &Db, id: &str) -> ExecutionRow {
    queries::get(db, &ExecutionId::new(id), &ALL)
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn news_is_numbered_without_gaps_and_applied_once() {
    on_both(|db| async move {
        use ExecutionStatus::{Failed, InProgress, Pending, Success};
        let id = ExecutionId::new("e");
        insert(&db, &new("e", NOW, &["mi-1"])).await.unwrap();
        assert!(
            insert(&db, &new("e", NOW, &[]))
                .await
                .unwrap_err()
                .is_unique_violation()
        );
        assert_eq!(
            row(&db, "e").await,
            new("e", NOW, &["mi-1"]).row,
            "as it was written"
        );
        assert_eq!(queries::in_state(&db, "sending", 10).await.unwrap().len(), 1);
        assert!(queries::is_sending(&db, "Own-Restart").await.unwrap());
        queries::sent(&db, &id, "ssm").await.unwrap();
        queries::sent(&db, &id, "another").await.unwrap();
        assert_eq!(
            row(&db, "e").await.ssm_execution_id.as_deref(),
            Some("ssm"),
            "once"
        );
        assert!(!queries::is_sending(&db, "Own-Restart").await.unwrap());

        let begun = seen(
            InProgress,
            vec![step(0, "First", InProgress), step(1, "Second", Pending)],
        );
        assert_eq!(apply::apply(&db, &id, &begun, NOW.plus_ms(10)).await.unwrap(), 3);
        assert_eq!(
            apply::apply(&db, &id, &begun, NOW.plus_ms(20)).await.unwrap(),
            0,
            "the same again"
        );
        let done = seen(
            Success,
            vec![step(0, "First", Success), step(1, "Second", Success)],
        );
        assert_eq!(apply::apply(&db, &id, &done, NOW.plus_ms(30)).await.unwrap(), 3);
        // What has ended does not change, whatever comes late.
        assert_eq!(apply::apply(&db, &id, &begun, NOW.plus_ms(40)).await.unwrap(), 0);
        assert_eq!(apply::give_up(&db, &id, "no", NOW.plus_ms(50)).await.unwrap(), 0);
        let after = row(&db, "e").await;
        assert_eq!((after.state.as_str(), after.next_event), ("done", 7));
        assert_eq!((after.summary.status, after.summary.steps_ended), (Success, 2));
        assert_eq!(after.summary.ended_at, Some(NOW.plus_ms(4_000)));
        assert_eq!(after.summary.current_step, "");

        let all = events::after(&db, &id, 0).await.unwrap();
        let numbers: Vec<i64> = all.iter().map(|(event, _)| event.sequence).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        let last: Vec<bool> = all.iter().map(|(_, last)| *last).collect();
        assert_eq!(last, [false, false, false, false, false, true]);
        assert!(matches!(&all[0].0.change, ExecutionChange::Step { step } if step.status == InProgress));
        let rest = events::after(&db, &id, 4).await.unwrap();
        assert_eq!(rest.len(), 2);
        assert_eq!(steps::steps(db.reader(), &id).await.unwrap(), done.steps);

        // One that was never taken ends with the reason.
        insert(&db, &new("lost", NOW, &[])).await.unwrap();
        let lost = ExecutionId::new("lost");
        assert_eq!(apply::give_up(&db, &lost, "nobody knows", NOW).await.unwrap(), 1);
        let after = row(&db, "lost").await;
        assert_eq!(
            (after.summary.status, after.problem.as_str()),
            (Failed, "nobody knows")
        );
        insert(&db, &new("back", NOW, &["mi-1"])).await.unwrap();
        queries::remove_unsent(&db, &ExecutionId::new("back"))
            .await
            .unwrap();
        assert!(
            queries::get(&db, &ExecutionId::new("back"), &ALL)
                .await
                .unwrap()
                .is_none()
        );
    })
    .await;
}

async fn node(db: &Db, id: &str, team: &str) {
    let mut sql = Sql::new(
        "insert into nodes (connection_id, node_id, name, computer_name, ping_status, platform_type, platform_name, platform_version, \
         agent_version, ip_address, resource_type, synced_at, tags_synced_at, sweep, sort_name) values ('c', ",
    );
    sql.text(id).push(
        ", 'n', 'n', 'Online', 'Linux', 'Debian', '12', '1', '10.0.0.1', 'ManagedInstance', 0, 0, 0, 'n')",
    );
    sql.run(db.writer()).await.unwrap();
    let mut sql =
        Sql::new("insert into node_tags (connection_id, node_id, tag_key, tag_value) values ('c', ");
    sql.text(id).push(", 'Team', ").text(team).push(")");
    sql.run(db.writer()).await.unwrap();
}

#[tokio::test]
async fn nobody_sees_an_execution_that_was_given_other_nodes() {
    on_both(|db| async move {
        node(&db, "mi-1", "web").await;
        node(&db, "mi-2", "web").await;
        node(&db, "mi-3", "db").await;
        for (at, (id, nodes)) in [
            ("web", &["mi-1", "mi-2"][..]),
            ("mixed", &["mi-1", "mi-3"]),
            ("none", &[]),
            ("unknown", &["mi-1", "i-gone"]),
            ("wide", &["mi-1"]),
        ]
        .into_iter()
        .enumerate()
        {
            let mut new = new(id, NOW.plus_ms(i64::try_from(at).unwrap()), nodes);
            new.row.reaches_further = id == "wide";
            insert(&db, &new).await.unwrap();
        }
        let web = [Scope::parse("Team=web").unwrap()];
        let (stranger, ann) = (UserId::new("u-bob"), UserId::new("u-ann"));
        let listed = async |viewer: &Viewer<'_>, query: &ExecutionQuery| -> Vec<String> {
            let page = queries::list(&db, query, viewer).await.unwrap();
            page.items
                .iter()
                .map(|one| one.execution_id.to_string())
                .collect()
        };
        let any = ExecutionQuery::default();
        let bob = Viewer {
            scopes: &web,
            user: Some(&stranger),
        };
        assert_eq!(listed(&bob, &any).await, ["web"]);
        let own = Viewer {
            scopes: &web,
            user: Some(&ann),
        };
        let everything = ["wide", "unknown", "none", "mixed", "web"];
        assert_eq!(listed(&own, &any).await, everything, "what one started oneself");
        assert_eq!(listed(&ALL, &any).await, everything);
        let nothing = Viewer {
            scopes: &[],
            user: Some(&stranger),
        };
        assert!(listed(&nothing, &any).await.is_empty());
        for id in ["mixed", "none", "unknown", "wide"] {
            let found = queries::get(&db, &ExecutionId::new(id), &bob).await.unwrap();
            assert!(found.is_none(), "{id}");
        }

        // Narrowed, and page by page.
        let of_node = ExecutionQuery {
            node_id: Some(NodeId::new("mi-3")),
            ..any.clone()
        };
        assert_eq!(listed(&ALL, &of_node).await, ["mixed"]);
        for (text, count) in [("NOON", 5), ("ann", 5), ("mix", 1), ("100%", 0)] {
            let query = ExecutionQuery {
                text: text.into(),
                ..any.clone()
            };
            assert_eq!(listed(&ALL, &query).await.len(), count, "{text}");
        }
        let mut query = ExecutionQuery {
            limit: Some(2),
            document: "restart".into(),
            status: Some(ExecutionStatus::Pending),
            since: Some(NOW),
            ..any
        };
        let mut pages = Vec::new();
        loop {
            let page = queries::list(&db, &query, &ALL).await.unwrap();
            pages.push(page.items.len());
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(pages, [2, 2, 1]);
    })
    .await;
}

#[tokio::test]
async fn what_is_usual_is_the_middle_of_those_that_went_well() {
    on_both(|db| async move {
        use ExecutionStatus::{Failed, Success};
        for (id, took, status) in [
            ("a", 9_000, Success),
            ("b", 1_000, Success),
            ("c", 5_000, Success),
            ("d", 60_000, Failed),
        ] {
            let mut new = new(id, NOW, &[]);
            new.row.ssm_execution_id = Some(id.into());
            new.row.state = "active".into();
            insert(&db, &new).await.unwrap();
            let mut seen = seen(status, vec![step(0, "First", status)]);
            seen.ended_at = Some(NOW.plus_ms(took));
            apply::apply(&db, &ExecutionId::new(id), &seen, NOW)
                .await
                .unwrap();
        }
        let mut of = new("now", NOW.plus_ms(60_000), &[]).row;
        let (whole, each) = steps::usual(&db, &of).await.unwrap();
        assert_eq!(whole, Some(5_000));
        assert_eq!(each, BTreeMap::from([("First".to_owned(), 1_000)]));
        of.summary.document = "Another".into();
        assert_eq!(steps::usual(&db, &of).await.unwrap(), (None, BTreeMap::new()));
    })
    .await;
}

#[tokio::test]
async fn one_that_is_retried_runs_again_and_late_news_of_its_end_does_not_count() {
    on_both(|db| async move {
        use ExecutionStatus::{Failed, InProgress, Success};
        let id = ExecutionId::new("e");
        let mut new = new("e", NOW, &["mi-1"]);
        new.row.ssm_execution_id = Some("ssm".into());
        new.row.state = "active".into();
        insert(&db, &new).await.unwrap();
        let later = |ms: i64| NOW.plus_ms(ms);
        assert!(
            apply::reopen(&db, &id, None, later(1)).await.unwrap().is_none(),
            "it runs"
        );
        let failed = seen(Failed, vec![step(0, "First", Failed)]);
        apply::apply(&db, &id, &failed, later(5_000)).await.unwrap();
        let before = row(&db, "e").await;
        let is_over = |all: &[(muster_domain::runbooks::ExecutionEvent, bool)]| {
            all.iter().map(|(_, is_last)| *is_last).collect::<Vec<_>>()
        };
        assert_eq!(is_over(&events::after(&db, &id, 0).await.unwrap()), [false, true]);

        // Refused: as before, and told once more that it has ended.
        let stood = apply::reopen(&db, &id, Some(("Mend", "olga")), later(6_000))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stood.summary.status, Failed);
        assert_eq!(row(&db, "e").await.summary.status, InProgress);
        assert_eq!(apply::retries(&db, &id).await.unwrap()[0].by, "olga");
        assert_eq!(apply::put_back(&db, &stood, later(6_100)).await.unwrap(), 1);
        assert!(
            apply::retries(&db, &id).await.unwrap().is_empty(),
            "it was not done again after all"
        );
        let after = row(&db, "e").await;
        assert_eq!(
            (after.summary.status, after.summary.ended_at, after.state.as_str()),
            (Failed, before.summary.ended_at, "done")
        );

        apply::reopen(&db, &id, Some(("Mend", "bob")), later(7_000))
            .await
            .unwrap()
            .unwrap();
        assert!(
            apply::reopen(&db, &id, None, later(7_000))
                .await
                .unwrap()
                .is_none(),
            "once"
        );
        // Somebody looked before it was taken.
        assert_eq!(apply::apply(&db, &id, &failed, later(7_100)).await.unwrap(), 0);
        assert_eq!(row(&db, "e").await.state, "active");
        let again = seen(
            InProgress,
            vec![step(0, "First", Failed), step(1, "First", InProgress)],
        );
        assert_eq!(apply::apply(&db, &id, &again, later(7_200)).await.unwrap(), 2);
        let mut done = seen(Success, vec![step(0, "First", Failed), step(1, "First", Success)]);
        done.ended_at = Some(later(7_500));
        assert_eq!(apply::apply(&db, &id, &done, later(7_600)).await.unwrap(), 2);
        let all = events::after(&db, &id, 0).await.unwrap();
        let numbers: Vec<i64> = all.iter().map(|(event, _)| event.sequence).collect();
        assert_eq!(numbers, (1..=9).collect::<Vec<i64>>());
        let over = is_over(&all);
        assert_eq!(over.iter().filter(|is| **is).count(), 1, "it ends once: {over:?}");
        assert_eq!(over.last(), Some(&true));

        // What was never taken has ended as it had, once it is certain.
        let mut failed = done.clone();
        failed.status = Failed;
        apply::reopen(&db, &id, None, later(8_000))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(apply::apply(&db, &id, &failed, later(67_000)).await.unwrap(), 0);
        assert!(apply::apply(&db, &id, &failed, later(68_000)).await.unwrap() > 0);
        assert_eq!(row(&db, "e").await.summary.status, Failed);
    })
    .await;
}

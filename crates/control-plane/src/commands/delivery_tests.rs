//! What delivery plans to do, case by case, without a database or a channel.

use super::*;
use crate::documents::built_in::all;
use serde_json::json;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp(1_000_000_000);

fn row(targets: i64, acknowledged: i64, errors: i64) -> CommandRow {
    CommandRow {
        command_id: "c".into(),
        region: "eu-west-1".into(),
        document: "AWS-RunShellScript".into(),
        document_version: "$DEFAULT".into(),
        content: all()[1].content.clone(),
        parameters: BTreeMap::new(),
        resolved: None,
        instance_ids: Vec::new(),
        targets: Vec::new(),
        comment: String::new(),
        max_concurrency: "50".into(),
        max_errors: "0".into(),
        timeout_seconds: 60,
        execution_timeout_seconds: 10,
        output_bucket: String::new(),
        output_prefix: String::new(),
        output_region: String::new(),
        service_role: String::new(),
        notification: json!({}),
        cloud_watch: json!({}),
        requested_at: NOW,
        status: "Pending".into(),
        status_details: "Pending".into(),
        target_count: targets,
        completed_count: 0,
        error_count: errors,
        delivery_timed_out_count: 0,
        acknowledged_count: acknowledged,
        finished: false,
    }
}

fn node(at: u32, detail: Detail, sent: bool, acknowledged: bool) -> InvocationRow {
    InvocationRow {
        command_id: "c".into(),
        node_id: format!("mi-{at}"),
        node_name: String::new(),
        requested_at: NOW,
        detail,
        trace_output: String::new(),
        sent_at: sent.then_some(NOW),
        acknowledged_at: acknowledged.then_some(NOW),
        started_at: None,
        ended_at: None,
        finished: false,
    }
}

fn planned(row: &CommandRow, open: &[InvocationRow], after_ms: i64, reach: Option<Reach>) -> Plan {
    let patience = Patience {
        execution_grace_ms: 5_000,
        resend_after_ms: 30_000,
    };
    plan(row, open, NOW.plus_ms(after_ms), &patience, |_| reach)
}

const FRESH: Option<Reach> = Some(Reach {
    sent_at: None,
    cancel_sent: false,
});
const SENT: Option<Reach> = Some(Reach {
    sent_at: Some(NOW),
    cancel_sent: true,
});

#[test]
fn the_first_node_alone_is_sent_to_first() {
    let open: Vec<_> = (0..5).map(|at| node(at, Detail::Pending, false, false)).collect();
    assert_eq!(planned(&row(5, 0, 0), &open, 0, FRESH).send, ["mi-0"]);
    assert_eq!(planned(&row(5, 3, 0), &open, 0, FRESH).send.len(), 4);
}

#[test]
fn nodes_that_are_away_are_delayed_and_take_no_place() {
    let open = [
        node(0, Detail::Pending, false, false),
        node(1, Detail::Delayed, false, false),
    ];
    let plan = planned(&row(2, 0, 0), &open, 0, None);
    assert_eq!((plan.delay, plan.send), (vec!["mi-0".to_owned()], vec![]));
}

#[test]
fn what_was_sent_is_sent_again_on_a_new_channel_or_after_a_while() {
    let open = [node(0, Detail::Pending, true, false)];
    assert_eq!(planned(&row(1, 0, 0), &open, 0, FRESH).resend, ["mi-0"]);
    assert!(planned(&row(1, 0, 0), &open, 10_000, SENT).resend.is_empty());
    assert_eq!(planned(&row(1, 0, 0), &open, 31_000, SENT).resend, ["mi-0"]);
    let taken = [node(0, Detail::InProgress, true, true)];
    assert_eq!(planned(&row(1, 1, 0), &taken, 0, FRESH), Plan::default());
}

#[test]
fn time_runs_out_for_delivery_and_for_execution() {
    let open = [node(0, Detail::Pending, true, false)];
    let plan = planned(&row(1, 0, 0), &open, 60_001, SENT);
    assert_eq!(plan.finish, [("mi-0".to_owned(), Detail::DeliveryTimedOut)]);
    assert_eq!(plan.cancel, ["mi-0"]);
    let running = [node(0, Detail::InProgress, true, true)];
    assert_eq!(planned(&row(1, 1, 0), &running, 15_000, None), Plan::default());
    let plan = planned(&row(1, 1, 0), &running, 15_001, None);
    assert_eq!(plan.finish, [("mi-0".to_owned(), Detail::ExecutionTimedOut)]);
    let cancelling = [node(0, Detail::Cancelling, true, true)];
    let plan = planned(&row(1, 1, 0), &cancelling, 15_001, None);
    assert_eq!(plan.finish, [("mi-0".to_owned(), Detail::Cancelled)]);
}

#[test]
fn a_cancellation_is_told_once_per_channel() {
    let open = [node(0, Detail::Cancelling, true, false)];
    assert_eq!(planned(&row(1, 0, 0), &open, 0, FRESH).cancel, ["mi-0"]);
    assert_eq!(planned(&row(1, 0, 0), &open, 31_000, SENT), Plan::default());
}

#[test]
fn too_many_errors_end_what_was_not_sent_and_only_that() {
    let open = [
        node(0, Detail::InProgress, true, true),
        node(1, Detail::Pending, false, false),
    ];
    let plan = planned(&row(3, 2, 1), &open, 0, FRESH);
    assert_eq!(plan.finish, [("mi-1".to_owned(), Detail::Terminated)]);
    // An error that is only now found counts at once.
    let plan = planned(&row(3, 2, 0), &open, 15_001, FRESH);
    assert!(
        plan.finish
            .contains(&("mi-0".to_owned(), Detail::ExecutionTimedOut))
    );
    assert!(plan.finish.contains(&("mi-1".to_owned(), Detail::Terminated)));
}

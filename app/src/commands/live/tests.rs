//! How events change what a page shows.

use super::*;
use crate::commands::ansi::plain;
use muster_domain::fleet::NodeSelection;
use std::collections::BTreeMap;

fn detail() -> CommandDetail {
    CommandDetail {
        summary: CommandSummary {
            command_id: "c-1".into(),
            document: "AWS-RunShellScript".into(),
            comment: String::new(),
            script_line: String::new(),
            requested_by: "operator".into(),
            requested_at: Timestamp(1_000),
            ended_at: None,
            status: CommandStatus::InProgress,
            status_details: String::new(),
            targets: 2,
            completed: 0,
            errors: 0,
            synced_at: Timestamp(1_000),
        },
        document_version: "1".into(),
        parameters: BTreeMap::new(),
        selection: NodeSelection::Nothing,
        max_concurrency: "50".into(),
        max_errors: "0".into(),
        timeout_seconds: 600,
        ssm_command_ids: Vec::new(),
        by_status: vec![(CommandStatus::Pending, 2)],
        event_cursor: 10,
        problem: String::new(),
        may_run: true,
        may_cancel: true,
        usual_duration_ms: None,
        output_limit: None,
    }
}

fn invocation(node: &str, status: CommandStatus) -> CommandChange {
    CommandChange::Invocation {
        invocation: InvocationView {
            node_id: node.into(),
            node_name: format!("{node}-name"),
            status,
            status_details: String::new(),
            response_code: -1,
            started_at: None,
            ended_at: None,
            stdout_bytes: 0,
            stderr_bytes: 0,
            output_hash: String::new(),
        },
    }
}

fn piece(offset: i64, text: &str) -> OutputPiece {
    let end = offset + i64::try_from(text.len()).unwrap();
    OutputPiece {
        stream: OutputStream::Stdout,
        offset,
        end,
        text: text.into(),
        total: end,
    }
}

fn output(node: &str, offset: i64, text: &str) -> CommandChange {
    CommandChange::Output {
        node_id: node.into(),
        node_name: format!("{node}-name"),
        piece: piece(offset, text),
    }
}

fn event(sequence: i64, change: CommandChange) -> CommandEvent {
    let at = Some(Timestamp(sequence));
    CommandEvent { sequence, at, change }
}

#[test]
fn an_event_is_applied_once_and_in_order() {
    let mut live = LiveCommand::new(&detail());
    assert!(!live.apply(&event(10, output("mi-1", 0, "old"))));
    assert!(live.apply(&event(11, output("mi-1", 0, "abc"))));
    assert!(!live.apply(&event(11, output("mi-1", 3, "def"))));
    assert_eq!(live.ends[&("mi-1".to_owned(), OutputStream::Stdout)], 3);
    let mut summary = detail().summary;
    summary.status = CommandStatus::Success;
    summary.ended_at = Some(Timestamp(6_000));
    assert!(live.apply(&event(12, CommandChange::Command { summary })));
    assert_eq!(live.elapsed_ms(Some(Timestamp(99_000))), Some(5_000));
}

#[test]
fn counts_follow_known_nodes_and_are_stale_for_unknown_ones() {
    let mut live = LiveCommand::new(&detail());
    live.apply(&event(11, invocation("mi-1", CommandStatus::InProgress)));
    assert!(live.stale);
    let mut snapshot = detail();
    snapshot.by_status = vec![(CommandStatus::Pending, 1), (CommandStatus::InProgress, 1)];
    snapshot.event_cursor = 11;
    live.renew(&snapshot);
    assert!(!live.stale);
    live.apply(&event(12, invocation("mi-1", CommandStatus::Failed)));
    assert_eq!(
        live.by_status,
        [(CommandStatus::Pending, 1), (CommandStatus::Failed, 1)]
    );
    // An older snapshot that arrives late takes nothing back.
    live.renew(&snapshot);
    assert_eq!(live.by_status[1].0, CommandStatus::Failed);
}

#[test]
fn output_has_no_gaps_and_no_doubles() {
    let mut buffer = OutputBuffer::start(&piece(100, "abc"));
    assert!(!buffer.append(&piece(100, "abc")));
    assert!(!buffer.append(&piece(110, "later")));
    assert_eq!((buffer.end, buffer.total), (103, 115));
    assert!(buffer.append(&piece(103, "def")));
    let text: String = buffer.chunks.iter().map(|chunk| plain(&chunk.spans)).collect();
    assert_eq!(text, "abcdef");
    assert_eq!(buffer.first(), 100);
}

#[test]
fn long_output_keeps_its_end() {
    let mut buffer = OutputBuffer::default();
    let block = "x".repeat(64 * 1024);
    for at in 0..20 {
        assert!(buffer.append(&piece(at * 65_536, &block)));
    }
    assert!(buffer.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>() <= OUTPUT_KEPT);
    assert_eq!(buffer.end, 20 * 65_536);
    assert!(buffer.first() > 0);
}

#[test]
fn earlier_output_is_put_before_and_colours_reach_over() {
    let mut buffer = OutputBuffer::start(&piece(10, "red still"));
    assert!(
        !buffer.prepend(&piece(0, "gap")),
        "must end where the rest begins"
    );
    assert!(buffer.prepend(&piece(4, "\u{1b}[31mr")));
    assert_eq!(buffer.first(), 4);
    let shown: String = buffer.chunks.iter().map(|chunk| plain(&chunk.spans)).collect();
    assert_eq!(shown, "rred still");
    let rest = &buffer.chunks[1];
    assert_eq!((rest.spans[0].class.as_str(), rest.version), ("sgr-fg-red", 1));
    assert!(buffer.may_grow());
    let all = OutputBuffer::start(&piece(0, "all"));
    assert!(!all.may_grow());
}

#[test]
fn what_was_asked_for_stays() {
    let mut buffer = OutputBuffer::start(&piece(1_000_000, "end"));
    let mut at = 1_000_000;
    while buffer.chunks.len() < 40 {
        let text = "x".repeat(20_000);
        at -= 20_000;
        assert!(buffer.prepend(&piece(at, &text)));
    }
    buffer.append(&piece(1_000_003, "y"));
    assert!(
        buffer.first() <= at + 20_000,
        "one more byte pushes out at most one chunk"
    );
}

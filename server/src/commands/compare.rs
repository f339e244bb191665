//! What one node wrote against what another wrote, line by line. Finding differences is a library's work;
//! here are only the bounds: how much is read, how long it may take, how much is shown.

use crate::commands::{invocations, reads};
use crate::error::store;
use muster_domain::PortalError;
use muster_domain::commands::{Comparison, DiffKind, DiffLine, InvocationView, OutputStream};
use muster_domain::ids::{CommandId, NodeId};
use muster_domain::permission::Scope;
use muster_store::{Db, StoreError};
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices_deadline, group_diff_ops};
use std::time::{Duration, Instant};

/// Bytes of each output that are compared.
pub const COMPARED_BYTES: i64 = 1024 * 1024;
/// Lines shown at most.
pub const SHOWN_LINES: usize = 2_000;
/// Equal lines around a difference.
const AROUND: usize = 3;
/// After this long a simpler, larger difference is good enough.
const PATIENCE: Duration = Duration::from_secs(2);

/// Compares the output of the `old` node with that of the `new` one.
///
/// # Errors
/// When a node is not of this command or outside the scopes, or the database does not answer.
pub async fn compare(
    db: &Db,
    command: &CommandId,
    [old, new]: [&NodeId; 2],
    stream: OutputStream,
    scopes: &[Scope],
) -> Result<Comparison, PortalError> {
    let views = [
        view(db, command, old, scopes).await?,
        view(db, command, new, scopes).await?,
    ];
    let texts = [
        text(db, command, old, stream).await.map_err(store)?,
        text(db, command, new, stream).await.map_err(store)?,
    ];
    // Comparing may take a processor for seconds: not on a thread that others wait for.
    tokio::task::spawn_blocking(move || differences(views, &texts, stream))
        .await
        .map_err(|_| PortalError::Unavailable {
            message: "The comparison was interrupted: the server is stopping. Try again.".into(),
        })
}

async fn view(
    db: &Db,
    command: &CommandId,
    node: &NodeId,
    scopes: &[Scope],
) -> Result<InvocationView, PortalError> {
    invocations::invocation_of(db, command, node, scopes)
        .await
        .map_err(store)?
        .ok_or_else(|| PortalError::NotFound {
            what: format!("The output of {node}"),
        })
}

/// The beginning of a stream, and whether there is more.
async fn text(
    db: &Db,
    command: &CommandId,
    node: &NodeId,
    stream: OutputStream,
) -> Result<(String, bool), StoreError> {
    let mut all = Vec::new();
    while let Ok(have) = i64::try_from(all.len())
        && have < COMPARED_BYTES
    {
        let piece = reads::bytes(db, command, node, stream, have, COMPARED_BYTES - have).await?;
        if piece.is_empty() {
            break;
        }
        all.extend(piece);
    }
    let have = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let more = have >= COMPARED_BYTES && reads::total(db, command, node, stream).await? > have;
    Ok((String::from_utf8_lossy(&all).into_owned(), more))
}

fn differences(
    [old, new]: [InvocationView; 2],
    [(before, cut_before), (after, cut_after)]: &[(String, bool); 2],
    stream: OutputStream,
) -> Comparison {
    let left: Vec<&str> = before.lines().collect();
    let right: Vec<&str> = after.lines().collect();
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &left, &right, Some(Instant::now() + PATIENCE));
    let (mut removed, mut added) = (0_usize, 0_usize);
    for op in &ops {
        match *op {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete { old_len, .. } => removed += old_len,
            DiffOp::Insert { new_len, .. } => added += new_len,
            DiffOp::Replace { old_len, new_len, .. } => {
                removed += old_len;
                added += new_len;
            }
        }
    }
    let mut hunks = Vec::new();
    let (mut shown, mut shown_changes) = (0_usize, 0_usize);
    for group in group_diff_ops(ops, AROUND) {
        let mut hunk = Vec::new();
        for change in group.iter().flat_map(|op| op.iter_changes(&left, &right)) {
            if shown >= SHOWN_LINES {
                break;
            }
            shown += 1;
            let kind = match change.tag() {
                ChangeTag::Equal => DiffKind::Same,
                ChangeTag::Delete => DiffKind::Removed,
                ChangeTag::Insert => DiffKind::Added,
            };
            shown_changes += usize::from(kind != DiffKind::Same);
            hunk.push(DiffLine {
                kind,
                old: change.old_index().map(number),
                new: change.new_index().map(number),
                text: change.value().to_owned(),
            });
        }
        if !hunk.is_empty() {
            hunks.push(hunk);
        }
    }
    Comparison {
        old,
        new,
        stream,
        hunks,
        removed: u32::try_from(removed).unwrap_or(u32::MAX),
        added: u32::try_from(added).unwrap_or(u32::MAX),
        hidden: u32::try_from(removed + added - shown_changes).unwrap_or(u32::MAX),
        cut: *cut_before || *cut_after,
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::commands::CommandStatus;

    fn node(id: &str) -> InvocationView {
        InvocationView {
            node_id: NodeId::new(id),
            node_name: id.into(),
            status: CommandStatus::Success,
            status_details: "Success".into(),
            response_code: 0,
            started_at: None,
            ended_at: None,
            stdout_bytes: 0,
            stderr_bytes: 0,
            output_hash: String::new(),
        }
    }

    fn between(old: &str, new: &str) -> Comparison {
        differences(
            [node("a"), node("b")],
            &[(old.to_owned(), false), (new.to_owned(), false)],
            OutputStream::Stdout,
        )
    }

    #[test]
    fn a_changed_line_is_shown_with_its_neighbours_and_numbers() {
        let old: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 10\n", "line ten\nand more\n");
        let found = between(&old, &new);
        assert_eq!((found.removed, found.added, found.hidden), (1, 2, 0));
        assert_eq!(found.hunks.len(), 1);
        let hunk = &found.hunks[0];
        assert_eq!(hunk.len(), 3 + 3 + 3);
        let of = |kind| hunk.iter().filter(move |line| line.kind == kind);
        let gone: Vec<_> = of(DiffKind::Removed)
            .map(|line| (line.old, line.text.as_str()))
            .collect();
        assert_eq!(gone, [(Some(10), "line 10")]);
        let came: Vec<_> = of(DiffKind::Added)
            .map(|line| (line.new, line.text.as_str()))
            .collect();
        assert_eq!(came, [(Some(10), "line ten"), (Some(11), "and more")]);
    }

    #[test]
    fn equal_outputs_have_no_differences() {
        assert!(between("same\n", "same\n").hunks.is_empty());
        assert!(between("", "").hunks.is_empty());
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let old: String = (0..3_000).map(|n| format!("a{n}\n")).collect();
        let new: String = (0..3_000).map(|n| format!("b{n}\n")).collect();
        let found = between(&old, &new);
        let shown: usize = found.hunks.iter().map(Vec::len).sum();
        assert_eq!(shown, SHOWN_LINES);
        assert_eq!(found.removed + found.added, 6_000);
        assert_eq!(found.hidden, 4_000);
    }
}

//! What one version of a runbook says against what another says, line by line. Finding differences is a library's work; here
//! are only the bounds: how long it may take, how much is shown.

use crate::runbooks::text::in_lines;
use muster_domain::commands::{DiffKind, DiffLine};
use muster_domain::runbooks::VersionDiff;
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices_deadline, group_diff_ops};
use std::time::{Duration, Instant};

/// Lines shown at most.
const SHOWN_LINES: usize = 4_000;
/// Equal lines around a difference.
const AROUND: usize = 3;
/// After this long a simpler, larger difference is good enough.
const PATIENCE: Duration = Duration::from_secs(2);

fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// The differences between the texts of two versions, laid out in lines.
#[must_use]
pub fn differences((old, before): (&str, &str), (new, after): (&str, &str)) -> VersionDiff {
    let (before, after) = (in_lines(before), in_lines(after));
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
    VersionDiff {
        old: old.to_owned(),
        new: new.to_owned(),
        hunks,
        removed: u32::try_from(removed).unwrap_or(u32::MAX),
        added: u32::try_from(added).unwrap_or(u32::MAX),
        hidden: u32::try_from(removed + added - shown_changes).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_text_is_laid_out_is_no_difference_and_a_changed_value_is_one() {
        let old = r#"{"schemaVersion":"0.3","mainSteps":[{"name":"A","inputs":{"Duration":"PT1S"}}]}"#;
        let same = "{\n \"schemaVersion\": \"0.3\", \"mainSteps\": [{\"name\": \"A\", \"inputs\": {\"Duration\": \"PT1S\"}}]}";
        assert!(differences(("1", old), ("2", same)).hunks.is_empty());
        let found = differences(("1", old), ("2", &old.replace("PT1S", "PT2S")));
        assert_eq!((found.removed, found.added, found.hidden), (1, 1, 0));
        let lines: Vec<&str> = found.hunks[0]
            .iter()
            .filter(|line| line.kind != DiffKind::Same)
            .map(|line| line.text.trim())
            .collect();
        assert_eq!(lines, ["\"Duration\": \"PT1S\"", "\"Duration\": \"PT2S\""]);
        assert_eq!((found.old.as_str(), found.new.as_str()), ("1", "2"));
    }
}

//! Two texts as one list of lines: what is only in the old, only in the new, and what is around. Pure, and its view.

use crate::commands::Hunk;
use crate::components::plural;
use leptos::prelude::*;
use muster_domain::commands::{DiffKind, DiffLine};

/// Equal lines around each difference.
const AROUND: usize = 3;
/// Beyond so many pairs of lines that differ no common lines are looked for between them: that would take memory.
const MOST_PAIRS: usize = 1_000_000;

fn number(at: usize) -> Option<u32> {
    u32::try_from(at + 1).ok()
}

/// All lines of both, in order.
fn lines(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - before;
    let after = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let line = |kind, old_at: Option<usize>, new_at: Option<usize>, text: &str| DiffLine {
        kind,
        old: old_at.and_then(number),
        new: new_at.and_then(number),
        text: text.to_owned(),
    };
    let same = |a: usize, b: usize| line(DiffKind::Same, Some(a), Some(b), old[a]);
    let mut out: Vec<DiffLine> = (0..before).map(|at| same(at, at)).collect();
    let (a_end, b_end) = (old.len() - after, new.len() - after);
    let (a_count, b_count) = (a_end - before, b_end - before);
    let (mut a, mut b) = (before, before);
    if a_count.saturating_mul(b_count) <= MOST_PAIRS {
        // How many lines are common from there on: the longest common subsequence, from its end.
        let width = b_count + 1;
        let mut common = vec![0_u32; (a_count + 1) * width];
        for i in (0..a_count).rev() {
            for j in (0..b_count).rev() {
                common[i * width + j] = if old[before + i] == new[before + j] {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
        while a < a_end && b < b_end {
            let (i, j) = (a - before, b - before);
            if old[a] == new[b] {
                out.push(same(a, b));
                (a, b) = (a + 1, b + 1);
            } else if common[(i + 1) * width + j] >= common[i * width + j + 1] {
                out.push(line(DiffKind::Removed, Some(a), None, old[a]));
                a += 1;
            } else {
                out.push(line(DiffKind::Added, None, Some(b), new[b]));
                b += 1;
            }
        }
    }
    out.extend((a..a_end).map(|at| line(DiffKind::Removed, Some(at), None, old[at])));
    out.extend((b..b_end).map(|at| line(DiffKind::Added, None, Some(at), new[at])));
    out.extend((0..after).map(|at| same(a_end + at, b_end + at)));
    out
}

/// The differences, each with a few lines around it; none when both are the same.
pub(super) fn hunks(old: &str, new: &str) -> Vec<Vec<DiffLine>> {
    let all = lines(old, new);
    let mut near = vec![false; all.len()];
    for (at, line) in all.iter().enumerate() {
        if line.kind != DiffKind::Same {
            let end = (at + AROUND + 1).min(all.len());
            near[at.saturating_sub(AROUND)..end].fill(true);
        }
    }
    let mut hunks: Vec<Vec<DiffLine>> = Vec::new();
    let mut is_open = false;
    for (line, near) in all.into_iter().zip(near) {
        match (near, is_open, hunks.last_mut()) {
            (true, true, Some(hunk)) => hunk.push(line),
            (true, ..) => hunks.push(vec![line]),
            _ => {}
        }
        is_open = near;
    }
    hunks
}

/// What is different between two texts.
#[component]
pub(crate) fn TextDiff(old: String, new: String, #[prop(into)] label: String) -> impl IntoView {
    let hunks = hunks(&old, &new);
    if hunks.is_empty() {
        return view! { <p class="muted small-text">"Both texts are the same."</p> }.into_any();
    }
    let count = |kind| hunks.iter().flatten().filter(|line| line.kind == kind).count() as u64;
    let (removed, added) = (count(DiffKind::Removed), count(DiffKind::Added));
    view! {
        <p class="small-text">
            <span class="diff-removed">{format!("− {} taken out", plural(removed, "line", "lines"))}</span>
            " "
            <span class="diff-added">{format!("+ {} put in", plural(added, "line", "lines"))}</span>
        </p>
        <div class="output diff" tabindex="0" role="region" aria-label=label>
            {hunks
                .into_iter()
                .map(|lines| view! { <Hunk lines words=("taken out: ", "put in: ") /> })
                .collect_view()}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(old: &str, new: &str) -> String {
        let sign = |kind| match kind {
            DiffKind::Same => ' ',
            DiffKind::Removed => '-',
            DiffKind::Added => '+',
        };
        hunks(old, new)
            .into_iter()
            .map(|hunk| {
                let lines: Vec<String> = hunk
                    .iter()
                    .map(|line| format!("{}{}", sign(line.kind), line.text))
                    .collect();
                lines.join("|")
            })
            .collect::<Vec<_>>()
            .join(" … ")
    }

    #[test]
    fn what_changed_is_shown_with_what_is_around() {
        assert_eq!(said("a\nb\nc", "a\nb\nc"), "");
        assert_eq!(said("a\nb\nc", "a\nx\nc"), " a|-b|+x| c");
        assert_eq!(said("", "a\nb"), "+a|+b");
        assert_eq!(said("a\nb", ""), "-a|-b");
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12";
        let new = old.replace("2\n", "two\n").replace("\n11", "\neleven");
        assert_eq!(said(old, &new), " 1|-2|+two| 3| 4| 5 …  8| 9| 10|-11|+eleven| 12");
    }

    #[test]
    fn numbers_are_those_of_each_text() {
        let all = lines("a\nb\nc", "b\nc\nd");
        let numbers: Vec<_> = all.iter().map(|line| (line.old, line.new)).collect();
        assert_eq!(
            numbers,
            [
                (Some(1), None),
                (Some(2), Some(1)),
                (Some(3), Some(2)),
                (None, Some(3))
            ]
        );
    }

    #[test]
    fn texts_that_share_nothing_take_no_memory() {
        let text = |word: &str| {
            (0..3_000)
                .map(|at| format!("{word}{at}"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(lines(&text("a"), &text("b")).len(), 6_000);
    }
}

//! What one version says against what another says: as one list of lines, or side by side, old on the left.

use super::api::diff_versions;
use super::runbook_url::RunbookUrl;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, Skeleton, grouped, plural};
use leptos::prelude::*;
use muster_domain::commands::{DiffKind, DiffLine};
use muster_domain::runbooks::VersionDiff;

/// Two lines that stand beside each other.
pub(super) type Pair = (Option<DiffLine>, Option<DiffLine>);

/// The lines of a stretch in pairs: what was removed beside what came in its place.
pub(super) fn side_by_side(lines: &[DiffLine]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    let flush = |removed: &mut Vec<DiffLine>, added: &mut Vec<DiffLine>, pairs: &mut Vec<Pair>| {
        let count = removed.len().max(added.len());
        let (mut left, mut right) = (removed.drain(..), added.drain(..));
        pairs.extend((0..count).map(|_| (left.next(), right.next())));
    };
    for line in lines {
        match line.kind {
            DiffKind::Removed => removed.push(line.clone()),
            DiffKind::Added => added.push(line.clone()),
            DiffKind::Same => {
                flush(&mut removed, &mut added, &mut pairs);
                pairs.push((Some(line.clone()), Some(line.clone())));
            }
        }
    }
    flush(&mut removed, &mut added, &mut pairs);
    pairs
}

/// The comparison.
#[component]
pub(super) fn DiffView(url: Memo<RunbookUrl>, old: String, new: String) -> impl IntoView {
    let name = url.with_untracked(|url| url.name.clone());
    let found = Resource::new(
        move || (name.clone(), old.clone(), new.clone()),
        |(name, old, new)| diff_versions(name, old, new),
    );
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok(found) => keeper.view(move || view! { <Found url found /> }),
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="the comparison" />
                                </div>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Found(url: Memo<RunbookUrl>, found: VersionDiff) -> impl IntoView {
    let split = url.with_untracked(|url| url.split);
    let (swapped, other, close) = url.with_untracked(|url| {
        (
            url.comparing(&found.new, &found.old, split),
            url.comparing(&found.old, &found.new, !split),
            url.tab(url.tab).address(),
        )
    });
    let equal = found.hunks.is_empty();
    view! {
        <section class="card output-card" aria-labelledby="diff-title">
            <header>
                <h2 id="diff-title">{format!("Version {} → version {}", found.old, found.new)}</h2>
                <span class="small-text">
                    <span class="diff-removed">{format!("− {}", plural(found.removed.into(), "line", "lines"))}</span>
                    " "
                    <span class="diff-added">{format!("+ {}", plural(found.added.into(), "line", "lines"))}</span>
                </span>
                <div class="row aside">
                    <a class="btn small" href=other data-noscroll="">
                        {if split { "One list" } else { "Side by side" }}
                    </a>
                    <a class="btn small" href=swapped data-noscroll="">
                        "Swap"
                    </a>
                    <a class="btn small quiet" href=close data-escape="" data-noscroll="" aria-label="Close the comparison">
                        <Icon glyph=Glyph::Cross />
                    </a>
                </div>
            </header>
            {if equal {
                view! { <p class="card-body muted">"Both say the same."</p> }.into_any()
            } else {
                view! {
                    <div class="output diff" tabindex="0" role="region" aria-label="Differences">
                        {found
                            .hunks
                            .into_iter()
                            .map(|lines| {
                                if split {
                                    view! { <Sides lines /> }.into_any()
                                } else {
                                    view! { <DiffList lines /> }.into_any()
                                }
                            })
                            .collect_view()}
                    </div>
                }
                    .into_any()
            }}
            {(found.hidden > 0)
                .then(|| {
                    view! {
                        <p class="output-cut">{format!("{} more lines differ and are not shown.", grouped(found.hidden.into()))}</p>
                    }
                })}
        </section>
    }
}

fn number(number: Option<u32>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

const fn look(kind: DiffKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        DiffKind::Same => ("diff-line", " ", ""),
        DiffKind::Removed => ("diff-line removed", "−", "only in the old: "),
        DiffKind::Added => ("diff-line added", "+", "only in the new: "),
    }
}

/// The lines of a stretch, one below the other.
#[component]
pub(crate) fn DiffList(lines: Vec<DiffLine>) -> impl IntoView {
    view! {
        <div class="hunk">
            {lines
                .into_iter()
                .map(|line| {
                    let (class, sign, says) = look(line.kind);
                    view! {
                        <div class=class>
                            <span class="diff-number" aria-hidden="true">
                                {number(line.old)}
                            </span>
                            <span class="diff-number" aria-hidden="true">
                                {number(line.new)}
                            </span>
                            <span class="diff-sign" aria-hidden="true">
                                {sign}
                            </span>
                            <span class="diff-text">
                                {(!says.is_empty()).then(|| view! { <span class="visually-hidden">{says}</span> })} {line.text}
                            </span>
                        </div>
                    }
                })
                .collect_view()}
        </div>
    }
}

#[component]
fn Sides(lines: Vec<DiffLine>) -> impl IntoView {
    view! {
        <div class="hunk">
            {side_by_side(&lines)
                .into_iter()
                .map(|(old, new)| {
                    view! {
                        <div class="diff-pair">
                            <Side line=old is_old=true />
                            <Side line=new is_old=false />
                        </div>
                    }
                })
                .collect_view()}
        </div>
    }
}

#[component]
fn Side(line: Option<DiffLine>, is_old: bool) -> impl IntoView {
    let Some(line) = line else {
        return view! { <div class="diff-side diff-none"></div> }.into_any();
    };
    let (class, _, says) = look(line.kind);
    let at = if is_old { line.old } else { line.new };
    view! {
        <div class=format!("diff-side {class}")>
            <span class="diff-number" aria-hidden="true">
                {number(at)}
            </span>
            <span class="diff-text">
                {(!says.is_empty()).then(|| view! { <span class="visually-hidden">{says}</span> })} {line.text}
            </span>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: DiffKind, text: &str) -> DiffLine {
        DiffLine {
            kind,
            old: None,
            new: None,
            text: text.into(),
        }
    }

    #[test]
    fn what_was_removed_stands_beside_what_came_in_its_place() {
        use DiffKind::{Added, Removed, Same};
        let lines = [
            line(Same, "a"),
            line(Removed, "b"),
            line(Removed, "c"),
            line(Added, "B"),
            line(Same, "d"),
            line(Added, "e"),
        ];
        let pairs: Vec<(Option<String>, Option<String>)> = side_by_side(&lines)
            .into_iter()
            .map(|(old, new)| (old.map(|line| line.text), new.map(|line| line.text)))
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            pairs,
            [
                (text("a"), text("a")),
                (text("b"), text("B")),
                (text("c"), None),
                (text("d"), text("d")),
                (None, text("e")),
            ]
        );
    }
}

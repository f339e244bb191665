//! What the policies ask for, how far that is, what was decided, and who can decide now.

use super::words::{joined, one_of};
use crate::components::{Badge, StatusBadge, TimeAgo, plural};
use crate::layout::initials;
use leptos::prelude::*;
use muster_domain::approvals::{DecisionView, LevelView, RequestDetail, RequestState, TrackView, Verdict};

/// Accounts that are named.
const NAMED: usize = 8;

/// `2 of group sre`.
fn demand(level: &LevelView) -> String {
    format!("{} of {}", level.progress.needed, one_of(&level.of))
}

/// Accounts that can decide, in a sentence.
fn deciders(accounts: &[String]) -> String {
    match accounts.len() {
        0 => "Nobody can decide on it now: policies ask for people that there are not, or who have decided."
            .into(),
        count => {
            let mut names: Vec<String> = accounts.iter().take(NAMED).cloned().collect();
            if count > NAMED {
                names.push(plural((count - NAMED) as u64, "more", "more"));
            }
            format!("Can decide now: {}.", joined(names, "and"))
        }
    }
}

/// The card; nothing where nobody is asked.
#[component]
pub(super) fn Decisions(detail: RequestDetail) -> impl IntoView {
    if detail.tracks.is_empty() && detail.decisions.is_empty() {
        return ().into_any();
    }
    let waits = detail.summary.state == RequestState::Waiting;
    let can_decide = deciders(&detail.deciders);
    view! {
        <section class="card" aria-labelledby="decisions-title">
            <header>
                <h3 id="decisions-title">"Decisions"</h3>
                <span class="aside">
                    {format!("{} of {} given, never by who asked", detail.summary.given, detail.summary.needed)}
                </span>
            </header>
            <ul class="list">
                {detail.tracks.into_iter().map(|track| view! { <Track track /> }).collect_view()}
                {detail.decisions.into_iter().map(|decision| view! { <Decided decision /> }).collect_view()}
                {waits
                    .then(|| {
                        view! {
                            <li class="muted" data-deciders="">
                                {can_decide}
                            </li>
                        }
                    })}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Track(track: TrackView) -> impl IntoView {
    let several = track.levels.len() > 1;
    view! {
        <li class="track">
            <span class="grow">
                "Policy “" <strong>{track.policy}</strong> "”"
                <ol class="levels">
                    {track
                        .levels
                        .into_iter()
                        .enumerate()
                        .map(|(at, level)| {
                            let progress = level.progress;
                            let (badge, word) = if progress.given >= progress.needed {
                                (Badge::Ok, "passed".to_owned())
                            } else if progress.is_open {
                                (Badge::Warn, format!("{} of {}", progress.given, progress.needed))
                            } else {
                                (Badge::Off, "not yet".to_owned())
                            };
                            let name = several.then(|| format!("Level {}: ", at + 1));
                            view! {
                                <li>
                                    {name} {demand(&level)} " " <StatusBadge badge label=word />
                                </li>
                            }
                        })
                        .collect_view()}
                </ol>
            </span>
        </li>
    }
}

#[component]
fn Decided(decision: DecisionView) -> impl IntoView {
    let is_void = !decision.void_because.is_empty();
    let word = match decision.verdict {
        Verdict::Approve => " approved",
        Verdict::Reject => " rejected",
    };
    view! {
        <li class:void=is_void data-decision=decision.account.clone()>
            <span class="avatar" aria-hidden="true">
                {initials(&decision.account)}
            </span>
            <span class="grow">
                <strong>{decision.account.clone()}</strong>
                {word}
                {(!decision.on_behalf_of.is_empty()).then(|| format!(" on behalf of {}", decision.on_behalf_of))}
                {(!decision.comment.is_empty()).then(|| view! { <span class="muted">{format!(" “{}”", decision.comment)}</span> })}
                {is_void.then(|| view! { <span class="void-because">{format!(" Does not count: {}", decision.void_because)}</span> })}
            </span>
            <span class="muted">
                <TimeAgo at=decision.at />
            </span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_decide_is_named_up_to_a_few() {
        let accounts: Vec<String> = (0..10).map(|at| format!("a{at}")).collect();
        assert_eq!(deciders(&accounts[..2]), "Can decide now: a0 and a1.");
        assert!(
            deciders(&accounts).ends_with("a7 and 2 more."),
            "{}",
            deciders(&accounts)
        );
        assert!(deciders(&[]).starts_with("Nobody"));
    }
}

//! How the same act ended before, and what happened to the request.

use crate::components::{StatusBadge, TimeAgo, grouped, plural};
use leptos::prelude::*;
use muster_domain::approvals::RequestDetail;

/// How the same act ended before; nothing where that is not known.
#[component]
pub(super) fn Past(detail: RequestDetail) -> impl IntoView {
    (!detail.past.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="past-title">
                <header>
                    <h3 id="past-title">"The last times"</h3>
                    <span class="aside">"how the same act ended"</span>
                </header>
                <ul class="list">
                    {detail
                        .past
                        .into_iter()
                        .map(|one| {
                            let failed = match one.errors {
                                0 => String::new(),
                                errors => format!(", {} failed", grouped(errors.into())),
                            };
                            view! {
                                <li>
                                    <span class="two-lines grow">
                                        <a class="strong" href=one.href>
                                            {one.label}
                                        </a>
                                        <small>
                                            <TimeAgo at=one.at />
                                            {format!(" · {}{failed}", plural(one.targets.into(), "node", "nodes"))}
                                        </small>
                                    </span>
                                    <StatusBadge badge=one.status label=one.status.label() />
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </section>
        }
    })
}

/// What happened to it, in order.
#[component]
pub(super) fn History(detail: RequestDetail) -> impl IntoView {
    (!detail.history.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="history-title">
                <header>
                    <h3 id="history-title">"History"</h3>
                </header>
                <ol class="list" data-history="">
                    {detail
                        .history
                        .into_iter()
                        .map(|one| {
                            view! {
                                <li>
                                    <span class="grow">
                                        {(!one.who.is_empty()).then(|| view! { <strong>{format!("{} ", one.who)}</strong> })}
                                        {one.what}
                                    </span>
                                    <span class="muted">
                                        <TimeAgo at=one.at />
                                    </span>
                                </li>
                            }
                        })
                        .collect_view()}
                </ol>
            </section>
        }
    })
}

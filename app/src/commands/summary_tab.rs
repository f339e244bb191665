//! A command at a glance: counts by status, what went wrong, what is not done, and what the nodes wrote.

use super::detail_page::{Live, Output};
use super::glance_view::GlanceView;
use super::groups_view::GroupsView;
use super::output_view::OutputPanel;
use crate::components::{Badge, Glyph, Icon, ProgressBar, StatusBadge, grouped, plural};
use leptos::prelude::*;
use muster_domain::commands::details_label;

/// The part.
#[component]
pub(super) fn SummaryTab(page: Live, output: Output) -> impl IntoView {
    let problem = Memo::new(move |_| page.detail.with(|detail| detail.problem.clone()));
    let details = Memo::new(move |_| page.live.with(|live| details_label(&live.summary.status_details)));
    let progress = Memo::new(move |_| {
        page.live
            .with(|live| (live.summary.completed, live.summary.errors, live.summary.targets))
    });
    let counts = Memo::new(move |_| page.live.with(|live| live.by_status.clone()));
    let single = Memo::new(move |_| page.live.with(|live| live.summary.targets <= 1));
    view! {
        <div class="stack">
            {move || {
                let text = problem.get();
                (!text.is_empty())
                    .then(|| {
                        view! {
                            <div class="notice bad" role="alert">
                                <Icon glyph=Glyph::Warning />
                                <div>
                                    <strong>"Could not be sent. "</strong>
                                    {text}
                                </div>
                            </div>
                        }
                    })
            }}
            <section class="card" aria-labelledby="progress-title">
                <header>
                    <h2 id="progress-title">"Progress"</h2>
                    <span class="aside">{move || details.get()}</span>
                </header>
                <div class="card-body">
                    {move || {
                        let (completed, errors, total) = progress.get();
                        let failed = if errors > 0 { format!(" · {}", plural(errors.into(), "error", "errors")) } else { String::new() };
                        view! {
                            <ProgressBar completed errors total />
                            <p class="small-text" data-progress="">
                                {format!("{} of {} done", grouped(completed.into()), plural(total.into(), "node", "nodes"))}
                                <span class="bad-text">{failed}</span>
                            </p>
                        }
                    }}
                    <div class="row" aria-label="Nodes by status">
                        {move || {
                            counts
                                .get()
                                .into_iter()
                                .filter(|(_, count)| *count > 0)
                                .map(|(status, count)| {
                                    let href = page.url.with_untracked(|url| url.nodes(Some(status)));
                                    view! {
                                        <a class="count-link" href=href data-count=status.as_str()>
                                            <StatusBadge
                                                badge=Badge::from(status)
                                                label=format!("{} {}", status.label(), grouped(count.into()))
                                            />
                                        </a>
                                    }
                                })
                                .collect_view()
                        }}
                    </div>
                </div>
            </section>
            <GlanceView page single />
            {move || {
                if single.get() {
                    view! { <OutputPanel page output /> }.into_any()
                } else {
                    view! {
                        <section class="stack" aria-labelledby="wrote-title">
                            <h2 id="wrote-title" class="section-title">
                                "What the nodes wrote"
                            </h2>
                            <GroupsView page />
                        </section>
                    }
                        .into_any()
                }
            }}
        </div>
    }
}

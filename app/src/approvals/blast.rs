//! Whom it would touch, as things are now.

use crate::components::progress_bar::shares;
use crate::components::{grouped, plural};
use leptos::prelude::*;
use muster_domain::approvals::RequestDetail;
use muster_domain::commands::is_production;

/// The card; nothing for what is about no nodes.
#[component]
pub(super) fn BlastCard(detail: RequestDetail) -> impl IntoView {
    let nodes = detail.summary.nodes;
    if nodes == 0 {
        return ().into_any();
    }
    let blast = detail.blast;
    let all = blast.online.saturating_add(blast.not_reporting);
    let (lost_from, lost) = shares(all, blast.not_reporting, all);
    let counts = format!(
        "{} online · {} not reporting",
        grouped(blast.online.into()),
        grouped(blast.not_reporting.into())
    );
    let label = counts.clone();
    view! {
        <section class="card" aria-labelledby="blast-title">
            <header>
                <h3 id="blast-title">"Who it touches"</h3>
                <span class="aside">{plural(nodes.into(), "node", "nodes")}</span>
            </header>
            <div class="card-body">
                <div class="row" data-environments="">
                    {blast
                        .by_environment
                        .into_iter()
                        .map(|(name, count)| {
                            let class = if is_production(&name) { "tag warn" } else { "tag" };
                            let name = if name.is_empty() { "no Environment tag".to_owned() } else { name };
                            view! { <span class=class>{format!("{name} {}", grouped(count.into()))}</span> }
                        })
                        .collect_view()}
                </div>
                <div>
                    <p class="small-text muted">"By state now"</p>
                    <svg class="bar blast-bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=label>
                        <rect class="bar-good" x="0" y="0" height="8" width=lost_from.to_string()></rect>
                        <rect class="bar-lost" x=lost_from.to_string() y="0" height="8" width=lost.to_string()></rect>
                    </svg>
                    <p class="small-text muted">{counts}</p>
                </div>
                {(blast.with_terminals > 0)
                    .then(|| {
                        view! {
                            <p>
                                <span class="tag warn">"Heads-up"</span>
                                {format!(" {} a terminal open right now", plural(blast.with_terminals.into(), "node has", "nodes have"))}
                            </p>
                        }
                    })}
                {blast
                    .reboot_pending
                    .filter(|count| *count > 0)
                    .map(|count| {
                        view! {
                            <p>
                                <span class="tag">"Reboot"</span>
                                {format!(" {} for a reboot", plural(count.into(), "node waits", "nodes wait"))}
                            </p>
                        }
                    })}
            </div>
        </section>
    }
    .into_any()
}

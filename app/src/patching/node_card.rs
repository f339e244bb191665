//! The card "Patches" on a node's page.

use super::api::get_node_patches;
use super::baseline_url::view_path;
use super::url::run_on;
use crate::components::{ErrorNotice, Fact, Keeper, Skeleton, StatusBadge, TimeAgo, grouped};
use leptos::prelude::*;
use muster_domain::patching::{NodePatches, PatchScan, short_id};

/// How one node stands.
#[component]
pub(crate) fn NodePatchesCard(#[prop(into)] node: String) -> impl IntoView {
    let found = Resource::new(move || node.clone(), get_node_patches);
    let keeper = Keeper::here();
    view! {
        <section class="card" aria-labelledby="node-patches">
            <header>
                <h2 id="node-patches">"Patches"</h2>
                <a class="aside" href="/patching">
                    "All nodes →"
                </a>
            </header>
            <Transition fallback=|| view! { <Skeleton lines=3 /> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match found.await {
                            Ok(node) => keeper.view(move || view! { <Body node /> }),
                            Err(error) => {
                                view! {
                                    <div class="card-body">
                                        <ErrorNotice error what="this node's patches" />
                                    </div>
                                }
                                    .into_any()
                            }
                        }
                    })
                }}
            </Transition>
        </section>
    }
}

fn counts(scan: &PatchScan) -> [(&'static str, u32); 8] {
    [
        ("Missing", scan.missing),
        ("Failed", scan.failed),
        ("Pending reboot", scan.pending_reboot),
        ("Rejected, installed", scan.rejected),
        ("Critical, not as they should be", scan.critical),
        ("Security, not as they should be", scan.security),
        ("Installed", scan.installed),
        ("Installed, not mentioned by the baseline", scan.installed_other),
    ]
}

#[component]
fn Body(node: NodePatches) -> impl IntoView {
    let standing = node.standing();
    let id = node.node_id.to_string();
    let run = node.may_run.then(|| {
        view! {
            <div class="row">
                <a class="btn" href=run_on(&id, "Scan")>
                    "Scan now"
                </a>
                <a class="btn" href=run_on(&id, "Install")>
                    "Install now"
                </a>
            </div>
            <p class="muted small-text">"Install puts what the baseline approves onto the node and may restart it."</p>
        }
    });
    let facts = match node.scan {
        None => view! {
            <p class="muted">"Nobody has looked yet which patches are missing here: nothing is known before the first scan."</p>
        }
        .into_any(),
        Some(scan) => view! {
            <dl class="facts">
                {counts(&scan)
                    .into_iter()
                    .map(|(label, count)| view! { <Fact label=label>{grouped(count.into())}</Fact> })
                    .collect_view()}
                <Fact label="Baseline">
                    <a class="mono break-anywhere" href=view_path(&scan.baseline_id)>
                        {short_id(&scan.baseline_id).to_owned()}
                    </a>
                </Fact>
                {(!scan.patch_group.is_empty()).then(|| view! { <Fact label="Patch group">{scan.patch_group.clone()}</Fact> })}
                <Fact label="Last looked at">
                    {format!("{}, ", scan.operation)} <TimeAgo at=scan.ended_at />
                </Fact>
            </dl>
        }
        .into_any(),
    };
    view! {
        <div class="card-body" data-patches="">
            <p>
                <StatusBadge badge=standing label=standing.label() />
            </p>
            {facts}
            {run}
        </div>
    }
}

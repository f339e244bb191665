//! What a baseline said before, and what is different between two times.

use super::baseline_api::compare_baseline;
use super::baseline_url::{compare_path, view_path};
use crate::approvals::TextDiff;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, Skeleton, TimeAgo};
use leptos::prelude::*;
use muster_domain::patching::BaselineVersion;

/// All that the portal saw, newest first.
#[component]
pub(super) fn Versions(id: String, versions: Vec<BaselineVersion>) -> impl IntoView {
    let before: Vec<Option<i64>> = versions
        .iter()
        .skip(1)
        .map(|one| Some(one.number))
        .chain([None])
        .collect();
    view! {
        <section class="card" aria-labelledby="versions-title" id="versions">
            <header>
                <h2 id="versions-title">"Versions"</h2>
                <span class="aside">"as the portal saw them"</span>
            </header>
            <div class="table-scroll" role="region" aria-label="Table of versions" tabindex="0">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Version"</th>
                            <th scope="col">"First seen"</th>
                            <th scope="col">"Changed by"</th>
                            <th scope="col">
                                <span class="visually-hidden">"Acts"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {versions
                            .into_iter()
                            .zip(before)
                            .map(|(one, before)| view! { <Line id=id.clone() one before /> })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
        </section>
    }
}

#[component]
fn Line(id: String, one: BaselineVersion, before: Option<i64>) -> impl IntoView {
    let number = one.number;
    let by = match (one.changed_by.is_empty(), one.request_id.is_empty()) {
        (true, _) if number == 1 => view! { <span class="muted">"as it was found"</span> }.into_any(),
        (true, _) => view! { <span class="muted">"not through this portal"</span> }.into_any(),
        (false, true) => one.changed_by.clone().into_any(),
        (false, false) => view! {
            {format!("{}, on ", one.changed_by)}
            <a href=format!("/approvals/{}", one.request_id)>{one.request_id.clone()}</a>
        }
        .into_any(),
    };
    view! {
        <tr data-version=number.to_string()>
            <td class="mono" title=one.sha256.clone()>
                {number}
            </td>
            <td>
                <TimeAgo at=one.seen_at />
            </td>
            <td>{by}</td>
            <td class="right nowrap">
                {before
                    .map(|before| {
                        view! {
                            <a class="btn small" href=compare_path(&id, before, number) data-noscroll="">
                                "Compare"
                                <span class="visually-hidden">{format!(" version {before} with {number}")}</span>
                            </a>
                        }
                    })}
            </td>
        </tr>
    }
}

/// What it said at one time against another.
#[component]
pub(super) fn Compared(id: String, old: i64, new: i64) -> impl IntoView {
    let of = id.clone();
    let found = Resource::new(move || of.clone(), move |id| compare_baseline(id, old, new));
    let keeper = Keeper::here();
    view! {
        <section class="card" aria-labelledby="compare-title" data-compared="">
            <header>
                <h2 id="compare-title">{format!("Version {old} → version {new}")}</h2>
                <a class="btn small quiet aside" href=view_path(&id) data-escape="" data-noscroll="" aria-label="Close the comparison">
                    <Icon glyph=Glyph::Cross />
                </a>
            </header>
            <Transition fallback=|| view! { <Skeleton lines=4 /> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match found.await {
                            Ok(found) => {
                                keeper
                                    .view(move || {
                                        view! {
                                            <div class="card-body">
                                                <TextDiff old=found.old_lines new=found.new_lines label="Differences" />
                                            </div>
                                        }
                                    })
                            }
                            Err(error) => {
                                view! {
                                    <div class="card-body">
                                        <ErrorNotice error what="the comparison" />
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

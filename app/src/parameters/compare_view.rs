//! What one version says against what another says; of a secret, whether it is the same.

use super::api::compare_versions;
use super::url::{compare_path, view_path};
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, Skeleton, grouped, plural};
use crate::runbooks::DiffList;
use leptos::prelude::*;
use muster_domain::parameters::Comparison;

/// The comparison.
#[component]
pub(super) fn CompareView(name: String, old: i64, new: i64) -> impl IntoView {
    let of = name.clone();
    let found = Resource::new(
        move || of.clone(),
        move |name| compare_versions(name, old.to_string(), new.to_string()),
    );
    let keeper = Keeper::here();
    view! {
        <section class="card output-card" aria-labelledby="compare-title">
            <header>
                <h2 id="compare-title">{format!("Version {old} → version {new}")}</h2>
                <div class="row aside">
                    <a class="btn small" href=compare_path(&name, new, old) data-noscroll="">
                        "Swap"
                    </a>
                    <a class="btn small quiet" href=view_path(&name) data-escape="" data-noscroll="" aria-label="Close the comparison">
                        <Icon glyph=Glyph::Cross />
                    </a>
                </div>
            </header>
            <Transition fallback=|| view! { <Skeleton lines=4 /> }>
                {move || {
                    let keeper = keeper.clone();
                    Suspend::new(async move {
                        match found.await {
                            Ok(found) => keeper.view(move || view! { <Found found /> }),
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

#[component]
fn Found(found: Comparison) -> impl IntoView {
    match found {
        Comparison::Secret { is_same, .. } => {
            let said = if is_same { "same" } else { "changed" };
            view! {
                <p class="card-body" data-compared=said>
                    {if is_same {
                        "The secret is the same in both."
                    } else {
                        "The secret has changed. What it says is shown only under Reveal."
                    }}
                </p>
            }
            .into_any()
        }
        Comparison::Hidden { why, .. } => {
            view! { <p class="card-body muted" data-compared="hidden">{why}</p> }.into_any()
        }
        Comparison::Text { diff } if diff.hunks.is_empty() => {
            view! { <p class="card-body muted" data-compared="same">"Both say the same."</p> }.into_any()
        }
        Comparison::Text { diff } => view! {
            <p class="card-body small-text" data-compared="changed">
                <span class="diff-removed">{format!("− {}", plural(diff.removed.into(), "line", "lines"))}</span>
                " "
                <span class="diff-added">{format!("+ {}", plural(diff.added.into(), "line", "lines"))}</span>
            </p>
            <div class="output diff" tabindex="0" role="region" aria-label="Differences">
                {diff.hunks.into_iter().map(|lines| view! { <DiffList lines /> }).collect_view()}
            </div>
            {(diff.hidden > 0)
                .then(|| {
                    view! {
                        <p class="output-cut">{format!("{} more lines differ and are not shown.", grouped(diff.hidden.into()))}</p>
                    }
                })}
        }
        .into_any(),
    }
}

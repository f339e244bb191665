//! The output of two nodes side by side, as one list of lines: what only the left wrote, what only the right
//! wrote, and what is around.

use super::api::compare_output;
use super::detail_page::Live;
use crate::components::{ErrorNotice, Glyph, Icon, Keeper, Skeleton, grouped, plural};
use leptos::prelude::*;
use muster_domain::commands::{Comparison, DiffKind, DiffLine, InvocationView, OutputStream};

/// The comparison that the address asks for.
#[component]
pub(super) fn CompareView(page: Live) -> impl IntoView {
    let asked = Memo::new(move |_| {
        page.url.with(|url| {
            let pair = url.node.clone().zip(url.with.clone());
            pair.map(|(old, new)| {
                (
                    url.id.clone(),
                    old,
                    new,
                    url.stream.unwrap_or(OutputStream::Stdout).as_str(),
                )
            })
        })
    });
    let found = Resource::new(
        move || asked.get(),
        |asked| async move {
            match asked {
                Some((id, old, new, stream)) => {
                    compare_output(id, old, new, stream.to_owned()).await.map(Some)
                }
                None => Ok(None),
            }
        },
    );
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok(Some(found)) => keeper.view(move || view! { <Compared page found /> }),
                        Ok(None) => ().into_any(),
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

fn name(view: &InvocationView) -> String {
    if view.node_name.is_empty() {
        view.node_id.to_string()
    } else {
        view.node_name.clone()
    }
}

#[component]
fn Compared(page: Live, found: Comparison) -> impl IntoView {
    let url = page.url.get_untracked();
    let (mut old, mut new) = (name(&found.old), name(&found.new));
    if old == new {
        // Names need not be unique; ids are.
        (old, new) = (found.old.node_id.to_string(), found.new.node_id.to_string());
    }
    let swapped = url.comparing(found.new.node_id.as_str(), found.old.node_id.as_str());
    let close = url.not_comparing();
    let streams = [OutputStream::Stdout, OutputStream::Stderr]
        .into_iter()
        .map(|one| {
            let label = match one {
                OutputStream::Stdout => "Output",
                OutputStream::Stderr => "Errors",
            };
            let href = url.with_stream(one);
            view! {
                <a
                    class="btn small"
                    class:primary=one == found.stream
                    href=href
                    data-noscroll=""
                    aria-current=(one == found.stream).then_some("true")
                >
                    {label}
                </a>
            }
        })
        .collect_view();
    let equal = found.hunks.is_empty();
    view! {
        <section class="card output-card" aria-labelledby="compare-title">
            <header>
                <h2 id="compare-title">{format!("{old} and {new}")}</h2>
                <span class="small-text">
                    <span class="diff-removed">{format!("− {} only on {old}", plural(found.removed.into(), "line", "lines"))}</span>
                    " "
                    <span class="diff-added">{format!("+ {} only on {new}", plural(found.added.into(), "line", "lines"))}</span>
                </span>
                <div class="row aside">
                    {streams}
                    <a class="btn small" href=swapped data-noscroll="">
                        "Swap"
                    </a>
                    <a class="btn small quiet" href=close data-escape="" data-noscroll="" aria-label="Close the comparison">
                        <Icon glyph=Glyph::Cross />
                    </a>
                </div>
            </header>
            {found
                .cut
                .then(|| view! { <p class="output-cut">"Only the first MiB of each was compared: the outputs are larger."</p> })}
            {if equal {
                view! { <p class="card-body muted">"Both wrote the same."</p> }.into_any()
            } else {
                view! {
                    <div class="output diff" tabindex="0" role="region" aria-label="Differences">
                        {found.hunks.into_iter().map(|lines| view! { <Hunk lines /> }).collect_view()}
                    </div>
                }
                    .into_any()
            }}
            {(found.hidden > 0)
                .then(|| {
                    view! {
                        <p class="output-cut">
                            {format!("{} more lines differ; download both outputs to see them.", grouped(found.hidden.into()))}
                        </p>
                    }
                })}
        </section>
    }
}

/// Lines that belong together. `words` say to those who do not see colours what a line is that only one side has.
#[component]
pub(crate) fn Hunk(
    lines: Vec<DiffLine>,
    #[prop(default = ("only on the first: ", "only on the second: "))] words: (&'static str, &'static str),
) -> impl IntoView {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    view! {
        <div class="hunk">
            {lines
                .into_iter()
                .map(|line| {
                    let (class, sign, says) = match line.kind {
                        DiffKind::Same => ("diff-line", " ", ""),
                        DiffKind::Removed => ("diff-line removed", "−", words.0),
                        DiffKind::Added => ("diff-line added", "+", words.1),
                    };
                    view! {
                        <div class=class>
                            <span class="diff-number" aria-hidden="true">{number(line.old)}</span>
                            <span class="diff-number" aria-hidden="true">{number(line.new)}</span>
                            <span class="diff-sign" aria-hidden="true">{sign}</span>
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

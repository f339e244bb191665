//! The parameters that there are, folder by folder, or those that match below a folder.

use super::api::list_parameters;
use super::rows::Rows;
use super::url::ListUrl;
use crate::components::{
    ErrorNotice, Fresh, Glyph, Icon, PageHead, SelectField, Skeleton, StaleNotice, TextField, any_or, renewed,
};
use crate::url::{address, problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::parameters::{ParameterKind, ParameterTier};
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again: others write parameters, too.
const EVERY: Duration = Duration::from_secs(20);

/// What there is.
#[component]
pub(crate) fn ListPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(ListUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            list_parameters(
                Some(state.folder),
                Some(state.text),
                state.kind.map(|kind| kind.as_str().to_owned()),
                state.tier.map(|tier| tier.as_str().to_owned()),
                Some(state.label),
                state.cursor,
            )
            .await
        },
    );
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                if !document().hidden() {
                    rows.refetch();
                }
            },
            EVERY,
        );
        on_cleanup(move || {
            if let Ok(renewing) = renewing {
                renewing.clear();
            }
        });
    });
    let frame = crate::layout::use_frame();
    view! {
        <PageHead
            title="Parameters"
            subtitle=|| "Configuration and secrets that commands, runbooks and programs read by name."
        >
            <details class="menu">
                <summary class="btn">
                    <Icon glyph=Glyph::Download />
                    "Export"
                </summary>
                <div class="menu-body">
                    <h2>"All that the list is of, without values"</h2>
                    <a href=move || state.with(|state| state.export("csv")) download="">
                        "CSV"
                    </a>
                    <a href=move || state.with(|state| state.export("json")) download="">
                        "JSON"
                    </a>
                </div>
            </details>
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    let may = frame.await.is_ok_and(|frame| frame.may(muster_domain::action::Action::ParametersPut));
                    may.then(|| {
                        view! {
                            <a
                                class="btn primary"
                                href=move || {
                                    address("/parameters/new", [("path", state.with(|state| state.folder.clone()))])
                                }
                            >
                                <Icon glyph=Glyph::Plus />
                                "New parameter"
                            </a>
                        }
                    })
                })}
            </Suspense>
        </PageHead>
        {move || {
            let state = state.get();
            view! {
                <Trail state=state.clone() />
                <Filter state />
            }
        }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(Fresh { value: page, stale }) => {
                        let page = Arc::unwrap_or_clone(page);
                        view! {
                            <StaleNotice stale />
                            <Rows state=state.get_untracked() page />
                        }
                            .into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="the parameters" clear="/parameters" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

/// The way to this folder.
#[component]
fn Trail(state: ListUrl) -> impl IntoView {
    let trail = state.trail();
    if trail.is_empty() {
        return ().into_any();
    }
    let last = trail.len() - 1;
    view! {
        <nav class="crumbs parameter-trail" aria-label="Path">
            <a href="/parameters">"Parameters"</a>
            {trail
                .into_iter()
                .enumerate()
                .map(|(at, (name, href))| {
                    if at == last {
                        view! {
                            " / "
                            <span aria-current="location">{name}</span>
                        }
                            .into_any()
                    } else {
                        view! {
                            " / "
                            <a href=href>{name}</a>
                        }
                            .into_any()
                    }
                })
                .collect_view()}
        </nav>
    }
    .into_any()
}

#[component]
fn Filter(state: ListUrl) -> impl IntoView {
    let kinds = any_or(ParameterKind::ALL.iter().map(|one| (one.as_str(), one.as_str())));
    let tiers =
        any_or([ParameterTier::Standard, ParameterTier::Advanced].map(|one| (one.as_str(), one.as_str())));
    let narrowed = state.is_filtered() || !state.problems.is_empty();
    let clear = super::url::folder_path(&state.folder);
    view! {
        <Form method="GET" action="/parameters" attr:class="command-filter" attr:role="search" attr:aria-label="Filter parameters">
            {(!state.folder.is_empty())
                .then(|| view! { <input type="hidden" name="path" value=state.folder.clone() /> })}
            <div class="field">
                <label for="text">"Name contains"</label>
                <input id="text" name="text" value=state.text.clone() autocomplete="off" data-filter="" />
            </div>
            <SelectField
                name="type"
                label="Type"
                options=kinds
                selected=state.kind.map(ParameterKind::as_str).unwrap_or_default()
                error=problem_of(&state.problems, "type")
            />
            <SelectField
                name="tier"
                label="Tier"
                options=tiers
                selected=state.tier.map(ParameterTier::as_str).unwrap_or_default()
                error=problem_of(&state.problems, "tier")
            />
            <TextField name="label" label="Label" value=state.label.clone() />
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href=clear>"Clear"</a> })}
            </div>
        </Form>
    }
}

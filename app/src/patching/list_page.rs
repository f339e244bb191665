//! How nodes stand against their patch baselines: totals of all that match, then node by node.

use super::api::patch_states;
use super::rows::{Rows, Totals};
use super::url::ListUrl;
use crate::components::{
    ErrorNotice, Fresh, PageHead, SelectField, Skeleton, StaleNotice, TextField, any_or, renewed,
};
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::patching::PatchStanding;
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again.
const EVERY: Duration = Duration::from_secs(15);

/// The page.
#[component]
pub(crate) fn ListPage() -> impl IntoView {
    let query = use_query();
    let state = Memo::new(move |_| query.with(ListUrl::read));
    let rows = renewed(
        move || state.get(),
        |state| async move {
            let state = state.readable()?;
            patch_states(
                state.standing.map(|standing| standing.as_str().to_owned()),
                Some(state.tag),
                Some(state.text),
                state.cursor,
            )
            .await
        },
    );
    Effect::new(move |_| {
        let renewing = set_interval_with_handle(
            move || {
                // Rows that are made anew would lose the boxes that are ticked.
                if !document().hidden() && !super::rows::is_any_ticked() {
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
    view! {
        <PageHead
            title="Patching"
            subtitle=|| "How nodes stand against their patch baselines, as the last scan of each of them found."
        >
            <a class="btn" href="/patching/exceptions">
                "Exceptions"
            </a>
            <a class="btn" href="/patching/baselines">
                "Baselines"
            </a>
        </PageHead>
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=10 /></div> }>
            {move || Suspend::new(async move {
                match rows.await {
                    Ok(Fresh { value: page, stale }) => {
                        let page = Arc::unwrap_or_clone(page);
                        let state = state.get_untracked();
                        view! {
                            <StaleNotice stale />
                            <Totals state=state.clone() totals=page.totals />
                            <Rows state page />
                        }
                            .into_any()
                    }
                    Err(error) => {
                        view! {
                            <div class="card card-body">
                                <ErrorNotice error what="how nodes stand" clear="/patching" />
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Filter(state: ListUrl) -> impl IntoView {
    let standings = any_or(PatchStanding::ALL.iter().map(|one| (one.as_str(), one.label())));
    let narrowed = state.is_filtered() || !state.problems.is_empty();
    view! {
        <Form method="GET" action="/patching" attr:class="command-filter" attr:role="search" attr:aria-label="Filter nodes">
            <SelectField
                name="state"
                label="State"
                options=standings
                selected=state.standing.map(PatchStanding::as_str).unwrap_or_default()
                error=problem_of(&state.problems, "state")
            />
            <TextField
                name="tag"
                label="Tag"
                placeholder="Environment=Production"
                value=state.tag.clone()
                error=problem_of(&state.problems, "tag")
            />
            <div class="field">
                <label for="text">"Name, id or address contains"</label>
                <input id="text" name="text" value=state.text.clone() autocomplete="off" data-filter="" />
            </div>
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/patching">"Clear"</a> })}
            </div>
        </Form>
    }
}

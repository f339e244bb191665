//! The maintenance windows that there are, from the portal's copy.

use super::api::list_windows;
use super::rows::Rows;
use super::url::ListUrl;
use crate::components::{
    ErrorNotice, Fresh, Glyph, Icon, PageHead, SelectField, Skeleton, StaleNotice, any_or, renewed,
};
use crate::url::{problem_of, use_query};
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::action::Action;
use muster_domain::windows::WindowStanding;
use std::sync::Arc;
use std::time::Duration;

/// How often the rows are asked for again: windows open meanwhile.
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
            let (enabled, last) = (state.enabled_word(), state.standing_word());
            list_windows(Some(state.text), Some(enabled), Some(last), state.cursor).await
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
            title="Maintenance windows"
            subtitle=|| "When Systems Manager does something by itself, on which nodes, and what."
        >
            <a class="btn" href="/approvals/calendar">
                <Icon glyph=Glyph::Calendar />
                "Calendar"
            </a>
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    let may = frame.await.is_ok_and(|frame| frame.may(Action::WindowsChange));
                    may.then(|| {
                        view! {
                            <a class="btn primary" href="/windows/new">
                                <Icon glyph=Glyph::Plus />
                                "New maintenance window"
                            </a>
                        }
                    })
                })}
            </Suspense>
        </PageHead>
        {move || view! { <Filter state=state.get() /> }}
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=8 /></div> }>
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
                                <ErrorNotice error what="maintenance windows" clear="/windows" />
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
    let standings = any_or(WindowStanding::ALL.iter().map(|one| (one.as_str(), one.label())));
    let narrowed = state.is_filtered() || !state.problems.is_empty();
    view! {
        <Form
            method="GET"
            action="/windows"
            attr:class="command-filter"
            attr:role="search"
            attr:aria-label="Filter maintenance windows"
        >
            <div class="field">
                <label for="text">"Name contains"</label>
                <input id="text" name="text" value=state.text.clone() autocomplete="off" data-filter="" />
            </div>
            <SelectField
                name="enabled"
                label="Enabled"
                options=any_or([("yes", "Yes"), ("no", "No")])
                selected=state.enabled_word()
                error=problem_of(&state.problems, "enabled")
            />
            <SelectField
                name="last"
                label="Last time"
                options=standings
                selected=state.standing_word()
                error=problem_of(&state.problems, "last")
            />
            <div class="row">
                <button type="submit" class="btn primary">
                    "Filter"
                </button>
                {narrowed.then(|| view! { <a class="btn quiet" href="/windows">"Clear"</a> })}
            </div>
        </Form>
    }
}

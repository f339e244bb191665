//! The page of one request, and for those who may read it the audit log about it.

use super::api::get_request;
use super::request_view::RequestView;
use crate::audit::ActsOf;
use crate::components::{ErrorNotice, Keeper, PageHead, Skeleton, Tab, Tabs};
use crate::error::set_page_status;
use crate::layout::use_frame;
use crate::url::use_query;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use muster_domain::action::Action;

/// The page.
#[component]
pub(crate) fn RequestPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query();
    let frame = use_frame();
    let id = Memo::new(move |_| params.with(|params| params.get("request_id").unwrap_or_default()));
    let wants_acts = Memo::new(move |_| query.with(|query| query.get("tab") == Some("audit")));
    let detail = Resource::new(move || id.get(), get_request);
    let renewed = RwSignal::new(0_u32);
    let nothing = Callback::new(|()| ());
    let keeper = Keeper::here();
    let tabs = Signal::derive(move || {
        let path = format!("/approvals/{}", id.get());
        [
            ("Request", path.clone(), false),
            ("Audit log", format!("{path}?tab=audit"), true),
        ]
        .into_iter()
        .map(|(label, href, is_acts)| Tab {
            label: label.into(),
            href,
            active: is_acts == wants_acts.get(),
        })
        .collect::<Vec<_>>()
    });
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/approvals" data-escape="">
                "Approvals"
            </a>
            " / "
            <span class="mono">{move || id.get()}</span>
        </nav>
        <Transition fallback=|| view! { <Skeleton lines=12 /> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    let may_read_acts = frame.await.is_ok_and(|frame| frame.may(Action::AuditRead));
                    match detail.await {
                        Ok(detail) => {
                            keeper
                                .view(move || {
                                    let title = detail.summary.request_id.to_string();
                                    let shown = StoredValue::new(detail);
                                    view! {
                                        <PageHead title subtitle=|| "A request for approval" />
                                        {may_read_acts.then(|| view! { <Tabs label="Parts of this request" tabs /> })}
                                        {move || {
                                            if may_read_acts && wants_acts.get() {
                                                let resource = format!("request:{}", id.get_untracked());
                                                view! { <ActsOf resource version=renewed /> }.into_any()
                                            } else {
                                                view! { <RequestView detail=shown.get_value() acted=nothing renewed /> }.into_any()
                                            }
                                        }}
                                    }
                                })
                        }
                        Err(error) => {
                            set_page_status(&error);
                            let title = if error.is_not_found() { "Request not found" } else { "Request" };
                            view! {
                                <PageHead title />
                                <ErrorNotice error what="this request" />
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Transition>
    }
}

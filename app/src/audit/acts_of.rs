//! The acts on one thing, shown on that thing's own page.

use super::api::list_acts;
use super::entry::Entry;
use super::url_state::AuditUrl;
use crate::components::{Empty, EmptyState, ErrorNotice, Keeper, Skeleton};
use leptos::prelude::*;

/// The newest acts on `resource`, and the way to all of them. `version` changes when there may be more.
#[component]
pub(crate) fn ActsOf(#[prop(into)] resource: String, #[prop(into)] version: Signal<u32>) -> impl IntoView {
    let url = AuditUrl {
        resource: Some(resource),
        ..AuditUrl::default()
    };
    let all = url.page_address();
    let query = url.query_text();
    let acts = Resource::new(move || version.get(), move |_| list_acts(query.clone()));
    let keeper = Keeper::here();
    view! {
        <Transition fallback=|| view! { <div class="card"><Skeleton lines=6 /></div> }>
            {move || {
                let (keeper, all) = (keeper.clone(), all.clone());
                Suspend::new(async move {
                    match acts.await {
                        Ok(page) if page.items.is_empty() => {
                            view! {
                                <section class="card">
                                    <EmptyState kind=Empty::NothingExists title="Nothing was done here">
                                        <p>"It was not started in this portal: look in the audit log of where it was."</p>
                                    </EmptyState>
                                </section>
                            }
                                .into_any()
                        }
                        Ok(page) => {
                            let more = page.next.is_some();
                            keeper
                                .view(move || {
                                    view! {
                                        <section class="card acts" aria-label="Acts">
                                            {page.items.into_iter().map(|entry| view! { <Entry entry /> }).collect_view()}
                                        </section>
                                        <p class="row small-text">
                                            <a href=all>"Open in the audit log"</a>
                                            <span class="muted">
                                                {if more { "There are older acts. " } else { "" }} "Looking here is recorded, too."
                                            </span>
                                        </p>
                                    }
                                })
                        }
                        Err(error) => {
                            view! {
                                <div class="card card-body">
                                    <ErrorNotice error what="the audit log" />
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

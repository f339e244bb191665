//! Who was in a session: beside its terminal and beside its recording.

use crate::components::TimeAgo;
use leptos::prelude::*;
use muster_domain::sessions::Participant;

/// Everybody who came, when, and until when.
#[component]
pub(super) fn People(participants: Vec<Participant>, id: String) -> impl IntoView {
    let title = format!("people-{id}");
    let heading = title.clone();
    view! {
        <section class="card" aria-labelledby=title data-participants="">
            <header>
                <h2 id=heading>"Participants"</h2>
            </header>
            {if participants.is_empty() {
                view! { <p class="panel-none">"Nobody has attached yet."</p> }.into_any()
            } else {
                view! {
                    <ul class="list">
                        {participants
                            .into_iter()
                            .map(|one| {
                                view! {
                                    <li>
                                        <span class="two-lines grow">
                                            <span class="strong">{one.name}</span>
                                            <small>
                                                {one.role.label()} " from " {one.address} ", joined " <TimeAgo at=one.joined_at />
                                                {one.left_at.map(|at| view! { ", left " <TimeAgo at /> })}
                                            </small>
                                        </span>
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                }
                    .into_any()
            }}
        </section>
    }
}

//! Beside a terminal: the facts of its session, and who looks on.

use super::people::People;
use super::side_history::{Audited, Typed};
use super::words::{RecordingMark, bytes, document, initials, os_user, span};
use crate::components::{CopyButton, Fact, TagList, TimeAgo};
use crate::live::clock::use_now;
use leptos::prelude::*;
use muster_domain::sessions::{SessionDetail, SessionSummary};

/// The panel.
#[component]
pub(super) fn SidePanel(standing: Signal<SessionSummary>, detail: SessionDetail) -> impl IntoView {
    let now = use_now();
    let session = detail.summary.clone();
    let id = session.session_id.to_string();
    let shown = id.clone();
    let (tags, participants) = (detail.tags.clone(), detail.participants.clone());
    let request = session.request.clone();
    let opened_with = document(&session);
    let label = format!("About the session on {}", session.node_name);
    let user = Memo::new(move |_| standing.with(os_user));
    let recording = Memo::new(move |_| standing.with(|session| session.recording));
    let traffic = Memo::new(move |_| standing.with(|session| (session.bytes_out, session.bytes_in)));
    let ends = move || {
        let (over, ends_at) = standing.with(|session| (session.ended_at, session.ends_at));
        match (over, ends_at, now.get()) {
            (Some(ended), ..) => format!("ended {}", ended.readable()),
            (None, Some(ends), Some(now)) => format!("in {}", span(ends.since_ms(now))),
            (None, Some(ends), None) => ends.readable(),
            (None, None, _) => "when its shell ends".into(),
        }
    };
    let watchers = Memo::new(move |_| standing.with(|session| session.watchers.clone()));
    view! {
        <aside class="pane-side stack" aria-label=label>
            <section class="card">
                <header>
                    <h2>"Session"</h2>
                </header>
                <dl class="facts card-body slim">
                    <Fact label="Node">
                        <a href=format!("/fleet/{}", session.node_id)>{session.node_name.clone()}</a>
                    </Fact>
                    <Fact label="User">
                        <span class="mono">{move || user.get()}</span>
                    </Fact>
                    <Fact label="Opened by">
                        {session.owner.clone()} ", " <TimeAgo at=session.started_at />
                    </Fact>
                    <Fact label="Reason">
                        {if session.reason.is_empty() { "none given".to_owned() } else { session.reason.clone() }}
                    </Fact>
                    {opened_with.map(|document| view! { <Fact label="Document"><span class="mono">{document}</span></Fact> })}
                    <Fact label="Approval">
                        {match request {
                            Some(request) => view! { <a href=format!("/approvals/{request}")>{request.to_string()}</a> }.into_any(),
                            None => view! { <span class="muted">"none needed"</span> }.into_any(),
                        }}
                    </Fact>
                    <Fact label="Ends">{ends}</Fact>
                    <Fact label="Recording">
                        {move || view! { <RecordingMark state=recording.get() /> }}
                    </Fact>
                    <Fact label="Traffic">
                        {move || {
                            let (out, typed) = traffic.get();
                            format!("{} shown, {} typed", bytes(out), bytes(typed))
                        }}
                    </Fact>
                    <Fact label="Tags">
                        <TagList tags most=4 />
                    </Fact>
                    <Fact label="Id">
                        <span class="mono session-id">{id.clone()}</span>
                        <CopyButton text=id label="Copy the id" />
                    </Fact>
                </dl>
            </section>
            <section class="card">
                <header>
                    <h2>"Watching"</h2>
                </header>
                <div class="card-body slim row" data-watching="">
                    {move || {
                        let names = watchers.get();
                        if names.is_empty() {
                            return view! { <span class="muted small-text">"Nobody looks on."</span> }.into_any();
                        }
                        names
                            .into_iter()
                            .map(|name| {
                                view! {
                                    <span class="watcher">
                                        <span class="avatar" aria-hidden="true">
                                            {initials(&name)}
                                        </span>
                                        {name}
                                    </span>
                                }
                            })
                            .collect_view()
                            .into_any()
                    }}
                </div>
            </section>
            <People participants id=shown.clone() />
            <Typed detail />
            <Audited id=shown />
        </aside>
    }
}

//! What waits for whoever is signed in, on every page: the count beside “Approvals”, and the panel of the Overview.

use super::api::get_waiting;
use super::words::{Countdown, request_address, touches};
use crate::components::TimeAgo;
use crate::layout::use_frame;
use leptos::prelude::*;
use leptos::task::spawn_local;
use muster_domain::approvals::{RequestSummary, WaitingCount};
use std::time::Duration;

/// How long news may wait for more news.
const RENEW_AFTER: Duration = Duration::from_millis(300);

/// What the portal has said so far about requests.
#[derive(Clone, Copy)]
pub(crate) struct WaitingNow {
    /// `None` until it was asked in the browser: then the page's own copy holds.
    count: RwSignal<Option<u32>>,
    /// Grows whenever something happened to requests.
    heard: RwSignal<u32>,
    asking: StoredValue<bool>,
}

/// Makes the place for it. Once, by the frame.
pub(crate) fn provide_waiting() -> WaitingNow {
    let waiting = WaitingNow {
        count: RwSignal::new(None),
        heard: RwSignal::new(0),
        asking: StoredValue::new(false),
    };
    provide_context(waiting);
    waiting
}

impl WaitingNow {
    /// The one of the frame around.
    pub(super) fn here() -> Option<Self> {
        use_context()
    }

    /// Something happened to requests: asks anew, once for many such words.
    pub(crate) fn hear(self) {
        if self
            .asking
            .try_update_value(|asking| std::mem::replace(asking, true))
            != Some(false)
        {
            return;
        }
        set_timeout(
            move || {
                spawn_local(async move {
                    self.asking.try_update_value(|asking| *asking = false);
                    let _ = self.heard.try_update(|heard| *heard += 1);
                    if let Ok(waiting) = get_waiting().await {
                        let _ = self.count.try_set(Some(waiting.count));
                    }
                });
            },
            RENEW_AFTER,
        );
    }
}

/// Grows whenever something happened to requests.
pub(crate) fn use_heard() -> Signal<u32> {
    match WaitingNow::here() {
        Some(waiting) => waiting.heard.into(),
        None => Signal::stored(0),
    }
}

/// As the badge says it: no more than a hundred are counted.
fn said(count: u32) -> String {
    if count >= 100 {
        "99+".into()
    } else {
        count.to_string()
    }
}

/// How many requests wait for whoever is signed in; nothing when none does.
#[component]
pub(crate) fn ApprovalsBadge() -> impl IntoView {
    let frame = use_frame();
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                let made_with = frame.await.map(|frame| frame.waiting).unwrap_or_default();
                view! { <Count made_with /> }
            })}
        </Suspense>
    }
}

#[component]
fn Count(made_with: u32) -> impl IntoView {
    let waiting = WaitingNow::here();
    let count = move || {
        waiting
            .and_then(|waiting| waiting.count.get())
            .unwrap_or(made_with)
    };
    move || {
        let count = count();
        (count > 0).then(|| {
            view! {
                <span class="rail-count" data-waiting=count.to_string()>
                    {said(count)}
                    <span class="visually-hidden">" waiting for you"</span>
                </span>
            }
        })
    }
}

/// On the Overview: the first requests that wait for whoever looks.
#[component]
pub(crate) fn NeedsDecisionPanel(waiting: WaitingCount) -> impl IntoView {
    let none = waiting.first.is_empty();
    view! {
        <section class="card" data-panel="approvals">
            <header>
                <h2>"Needs your decision"</h2>
                <a class="aside" href="/approvals">
                    {if none { "Approvals →".to_owned() } else { format!("All {} →", said(waiting.count)) }}
                </a>
            </header>
            {none.then(|| view! { <p class="panel-none">"Nothing waits for you."</p> })}
            <ul class="list">{waiting.first.into_iter().map(|request| view! { <Line request /> }).collect_view()}</ul>
        </section>
    }
}

#[component]
fn Line(request: RequestSummary) -> impl IntoView {
    let touches = touches(&request);
    let until = request.review_due_at.unwrap_or(request.expires_at);
    view! {
        <li>
            <span class="two-lines grow">
                <a class="strong" href=request_address(request.request_id.as_str())>
                    {format!("{} · {}", request.request_id, request.title)}
                </a>
                <small>
                    {request.requester} " · " <TimeAgo at=request.asked_at />
                    {(!touches.is_empty()).then(|| format!(" · {touches}"))}
                </small>
            </span>
            {request.glass_broken.then(|| view! { <span class="tag bad">"Glass broken"</span> })}
            <Countdown at=until />
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn more_than_are_counted_are_said_so() {
        assert_eq!(
            (said(3), said(99), said(100)),
            ("3".into(), "99".into(), "99+".into())
        );
    }
}

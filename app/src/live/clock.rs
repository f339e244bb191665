//! The server's time in the browser. `None` until the page is hydrated, so that the first
//! rendering is the same on both sides.

use leptos::prelude::*;
use muster_domain::Timestamp;
use std::time::Duration;

#[derive(Clone, Copy)]
struct PortalClock {
    now: RwSignal<Option<Timestamp>>,
    offset_ms: StoredValue<i64>,
}

/// The browser's own time. Only in event handlers and effects.
fn browser_now() -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 fit for ages"
    )]
    Timestamp(js_sys::Date::now() as i64)
}

/// Makes the clock. Once, at the root.
pub(crate) fn provide_clock() {
    let clock = PortalClock {
        now: RwSignal::new(None),
        offset_ms: StoredValue::new(0),
    };
    provide_context(clock);
    Effect::new(move |_| {
        let tick = move || {
            if let Some(offset) = clock.offset_ms.try_get_value() {
                clock.now.set(Some(browser_now().plus_ms(offset)));
            }
        };
        // Not at once: every part of the page must have been hydrated with the exact times first.
        set_timeout(tick, Duration::from_millis(50));
        let ticking = set_interval_with_handle(tick, Duration::from_secs(1));
        on_cleanup(move || {
            if let Ok(ticking) = ticking {
                ticking.clear();
            }
        });
    });
}

/// Reads the clock of the browser, as the server's: for moments, in what runs after a page is there. On the
/// server, where nobody looks at a page for long, it stands still.
pub(crate) fn use_instant() -> impl Fn() -> Timestamp + Copy + Send + Sync + 'static {
    let offset = use_context::<PortalClock>().map(|clock| clock.offset_ms);
    move || {
        if cfg!(feature = "ssr") {
            return Timestamp(0);
        }
        let offset = offset.and_then(|offset| offset.try_get_value());
        browser_now().plus_ms(offset.unwrap_or(0))
    }
}

/// Sets the clock by the server's: a browser whose clock is wrong shows right ages all the same.
pub(crate) fn set_server_time(server_now: Timestamp) {
    if let Some(clock) = use_context::<PortalClock>() {
        clock.offset_ms.set_value(server_now.since_ms(browser_now()));
    }
}

/// Now, by the server's clock; `None` on the server and until the page is hydrated.
pub(crate) fn use_now() -> Signal<Option<Timestamp>> {
    match use_context::<PortalClock>() {
        Some(clock) => clock.now.into(),
        None => Signal::stored(None),
    }
}

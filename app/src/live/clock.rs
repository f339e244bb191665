//! The server's time in the browser. `None` until the page is hydrated, so that the first
//! rendering is the same on both sides.

use leptos::prelude::*;
use muster_domain::Timestamp;
use std::time::Duration;

/// The clock of all pages.
#[derive(Clone, Copy)]
pub(crate) struct PortalClock {
    now: RwSignal<Option<Timestamp>>,
    /// How far the server's clock is ahead of the browser's, at least; none before the server has said its time.
    ahead_ms: StoredValue<Option<i64>>,
}

/// The browser's own time. Only in event handlers and effects.
fn browser_now() -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 fit for ages"
    )]
    Timestamp(js_sys::Date::now() as i64)
}

/// How far the server's clock is ahead once the browser has heard its time. What is heard was said earlier, by what the way
/// took (a page that loads slowly, a stream that waited): so every time heard is a lower bound, and the largest counts.
fn ahead(known: Option<i64>, said: Timestamp, heard: Timestamp) -> i64 {
    let bound = said.since_ms(heard);
    known.map_or(bound, |known| known.max(bound))
}

impl PortalClock {
    /// Takes in a time that the server has said just now, or something that has happened by its clock.
    pub(crate) fn heard(self, said: Timestamp) {
        let heard = browser_now();
        let Some(known) = self.ahead_ms.try_get_value() else {
            return;
        };
        let ahead = ahead(known, said, heard);
        if known == Some(ahead) {
            return;
        }
        self.ahead_ms.set_value(Some(ahead));
        if self.now.try_get_untracked().flatten().is_some() {
            let _ = self.now.try_set(Some(heard.plus_ms(ahead)));
        }
    }
}

/// Makes the clock. Once, at the root.
pub(crate) fn provide_clock() {
    let clock = PortalClock {
        now: RwSignal::new(None),
        ahead_ms: StoredValue::new(None),
    };
    provide_context(clock);
    Effect::new(move |_| {
        let tick = move || {
            if let Some(ahead) = clock.ahead_ms.try_get_value() {
                clock.now.set(Some(browser_now().plus_ms(ahead.unwrap_or(0))));
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

/// The clock, to tell it what the server says.
pub(crate) fn use_clock() -> PortalClock {
    use_context().unwrap_or_else(|| PortalClock {
        now: RwSignal::new(None),
        ahead_ms: StoredValue::new(None),
    })
}

/// Reads the clock of the browser, as the server's: for moments, in what runs after a page is there. On the
/// server, where nobody looks at a page for long, it stands still.
pub(crate) fn use_instant() -> impl Fn() -> Timestamp + Copy + Send + Sync + 'static {
    let ahead = use_context::<PortalClock>().map(|clock| clock.ahead_ms);
    move || {
        if cfg!(feature = "ssr") {
            return Timestamp(0);
        }
        let ahead = ahead.and_then(|ahead| ahead.try_get_value()).flatten();
        browser_now().plus_ms(ahead.unwrap_or(0))
    }
}

/// Now, by the server's clock; `None` on the server and until the page is hydrated.
pub(crate) fn use_now() -> Signal<Option<Timestamp>> {
    match use_context::<PortalClock>() {
        Some(clock) => clock.now.into(),
        None => Signal::stored(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_loaded_slowly_is_put_right_by_what_comes_later() {
        // The browser's clock is right; what came with the page is four seconds old by the time it is read.
        let slow = ahead(None, Timestamp(1_000), Timestamp(5_000));
        assert_eq!(slow, -4_000);
        let right = ahead(Some(slow), Timestamp(6_000), Timestamp(6_020));
        assert_eq!(right, -20);
        assert_eq!(
            ahead(Some(right), Timestamp(7_000), Timestamp(9_000)),
            -20,
            "a late word takes nothing back"
        );
        assert_eq!(
            ahead(None, Timestamp(90_000), Timestamp(1_000)),
            89_000,
            "a browser in the past"
        );
    }
}

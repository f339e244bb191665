//! Following the end of something that grows, until the reader scrolls up.

use leptos::html;
use leptos::prelude::*;

/// So near to the end counts as the end, in pixels.
const NEAR: i32 = 24;

/// A frame that scrolls, and whether its end is followed.
#[derive(Clone, Copy)]
pub(super) struct Followed {
    pub(super) frame: NodeRef<html::Div>,
    pub(super) on: RwSignal<bool>,
    last_top: StoredValue<i32>,
}

/// What scrolling from `last` to `top` means, with `left` below what is seen: to stop following, to begin, or nothing.
/// That the text grows below is no scrolling; only the reader scrolls up.
const fn meant(last: i32, top: i32, left: i32) -> Option<bool> {
    if top < last && left > NEAR {
        Some(false)
    } else if top > last && left <= NEAR {
        Some(true)
    } else {
        None
    }
}

impl Followed {
    /// Looks at what scrolling meant. For the frame's `scroll` event.
    pub(super) fn scrolled(self) {
        let Some(frame) = self.frame.get_untracked() else {
            return;
        };
        let top = frame.scroll_top();
        let left = frame.scroll_height() - frame.client_height() - top;
        let last = self.last_top.get_value();
        self.last_top.set_value(top);
        if let Some(on) = meant(last, top, left)
            && self.on.get_untracked() != on
        {
            self.on.set(on);
        }
    }

    /// Goes to the end and stays there.
    pub(super) fn begin(self) {
        self.on.set(true);
    }

    /// Stays where it is.
    pub(super) fn stop(self) {
        self.on.set(false);
    }
}

/// A frame whose end is followed whenever `grown` changes.
pub(super) fn use_follow<T: PartialEq + Send + Sync + 'static>(grown: Signal<T>) -> Followed {
    let followed = Followed {
        frame: NodeRef::new(),
        on: RwSignal::new(true),
        last_top: StoredValue::new(0),
    };
    Effect::new(move |_| {
        grown.track();
        if followed.on.get()
            && let Some(frame) = followed.frame.get()
        {
            // After the new lines were put into the page.
            request_animation_frame(move || {
                if followed.on.try_get_untracked() == Some(true) {
                    frame.set_scroll_top(frame.scroll_height());
                }
            });
        }
    });
    followed
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn only_the_reader_stops_it() {
        assert_eq!(meant(500, 300, 200), Some(false), "scrolled up");
        assert_eq!(meant(500, 500, 200), None, "the text grew");
        assert_eq!(meant(500, 700, 400), None, "scrolled down, but not to the end");
        assert_eq!(meant(500, 700, 3), Some(true), "back at the end");
        assert_eq!(meant(500, 490, 10), None, "shortened by a little");
    }
}

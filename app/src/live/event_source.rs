//! Server-sent events with a cursor: after a break the stream goes on where it stopped, with
//! growing pauses between tries and a state that the page shows.

use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use leptos::wasm_bindgen::{JsCast, closure::Closure};
#[cfg(feature = "hydrate")]
use std::{cell::RefCell, rc::Rc, time::Duration};

/// How a stream stands.
#[cfg_attr(
    not(feature = "hydrate"),
    expect(dead_code, reason = "streams change only in the browser")
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StreamState {
    /// Not yet open for the first time.
    #[default]
    Connecting,
    /// Events arrive.
    Open,
    /// Broken; this is the n-th try to get it back.
    Reconnecting(u32),
    /// The server said that there is no more.
    Ended,
}

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct StreamEvent {
    /// Its name; `message` when the server gave none.
    pub(crate) name: String,
    /// Its text.
    pub(crate) data: String,
}

/// Pause before the n-th try, in milliseconds.
#[cfg_attr(
    all(feature = "ssr", not(test)),
    expect(dead_code, reason = "only the browser asks again")
)]
pub(crate) fn pause_ms(attempt: u32) -> u64 {
    (500_u64 << attempt.min(6)).min(30_000)
}

/// Opens a stream and keeps it open until the current owner goes away. Call it in an `Effect`.
/// `names` are the events to hear besides unnamed ones; the event `end` always ends the stream.
/// `cursor` is the id of the last event that is already known; it is sent as `?cursor=`.
#[cfg_attr(
    not(feature = "hydrate"),
    expect(unused_variables, reason = "streams open only in the browser")
)]
pub(crate) fn listen(
    url: String,
    cursor: Option<String>,
    names: &'static [&'static str],
    state: RwSignal<StreamState>,
    on_event: impl Fn(StreamEvent) + 'static,
) {
    #[cfg(feature = "hydrate")]
    {
        let stream = Rc::new(Stream {
            url,
            names,
            cursor: RefCell::new(cursor),
            state,
            on_event: Box::new(on_event),
            source: RefCell::new(None),
            attempt: RefCell::new(0),
        });
        open(&stream);
        let kept = StoredValue::new_local(stream);
        on_cleanup(move || {
            kept.try_with_value(|stream| {
                stream.close();
                // An attempt that is already waiting finds this and does not open again.
                *stream.attempt.borrow_mut() = u32::MAX;
            });
        });
    }
}

#[cfg(feature = "hydrate")]
type Handler = Closure<dyn FnMut(web_sys::MessageEvent)>;

#[cfg(feature = "hydrate")]
struct Stream {
    url: String,
    names: &'static [&'static str],
    cursor: RefCell<Option<String>>,
    state: RwSignal<StreamState>,
    on_event: Box<dyn Fn(StreamEvent)>,
    source: RefCell<Option<(web_sys::EventSource, Vec<Handler>)>>,
    attempt: RefCell<u32>,
}

#[cfg(feature = "hydrate")]
impl Stream {
    fn close(&self) {
        if let Some((source, handlers)) = self.source.borrow_mut().take() {
            source.set_onopen(None);
            source.set_onerror(None);
            source.set_onmessage(None);
            source.close();
            // Kept for one turn of the event loop: this may be running inside one of them.
            set_timeout(move || drop(handlers), Duration::ZERO);
        }
    }

    fn address(&self) -> String {
        match self.cursor.borrow().as_deref() {
            Some(cursor) => {
                let glue = if self.url.contains('?') { '&' } else { '?' };
                format!("{}{glue}cursor={}", self.url, crate::url::encode(cursor))
            }
            None => self.url.clone(),
        }
    }
}

#[cfg(feature = "hydrate")]
fn open(stream: &Rc<Stream>) {
    let Ok(source) = web_sys::EventSource::new(&stream.address()) else {
        return retry(stream);
    };
    let mut handlers: Vec<Handler> = Vec::new();
    for name in stream.names.iter().copied().chain(["message", "end"]) {
        let hearing = Rc::downgrade(stream);
        let handler = Handler::new(move |event: web_sys::MessageEvent| {
            let Some(stream) = hearing.upgrade() else { return };
            let id = event.last_event_id();
            if !id.is_empty() {
                *stream.cursor.borrow_mut() = Some(id);
            }
            if name == "end" {
                stream.close();
                stream.state.set(StreamState::Ended);
            }
            let data = event.data().as_string().unwrap_or_default();
            (stream.on_event)(StreamEvent {
                name: name.to_owned(),
                data,
            });
        });
        let _ = source.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
        handlers.push(handler);
    }
    let opened = Rc::downgrade(stream);
    let on_open = Handler::new(move |_| {
        if let Some(stream) = opened.upgrade() {
            *stream.attempt.borrow_mut() = 0;
            stream.state.set(StreamState::Open);
        }
    });
    source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    let broken = Rc::downgrade(stream);
    let on_error = Handler::new(move |_| {
        if let Some(stream) = broken.upgrade() {
            stream.close();
            retry(&stream);
        }
    });
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    handlers.extend([on_open, on_error]);
    *stream.source.borrow_mut() = Some((source, handlers));
}

#[cfg(feature = "hydrate")]
fn retry(stream: &Rc<Stream>) {
    let attempt = {
        let mut attempt = stream.attempt.borrow_mut();
        *attempt = attempt.saturating_add(1);
        *attempt
    };
    if attempt == u32::MAX {
        return;
    }
    stream.state.set(StreamState::Reconnecting(attempt));
    let stream = Rc::downgrade(stream);
    set_timeout(
        move || {
            if let Some(stream) = stream.upgrade()
                && *stream.attempt.borrow() != u32::MAX
                && stream.source.borrow().is_none()
            {
                open(&stream);
            }
        },
        Duration::from_millis(pause_ms(attempt)),
    );
}

#[cfg(test)]
mod tests {
    use super::pause_ms;

    #[test]
    fn pauses_grow_and_stay_below_half_a_minute() {
        assert_eq!(pause_ms(1), 1_000);
        assert_eq!(pause_ms(3), 4_000);
        assert_eq!(pause_ms(60), 30_000);
    }
}

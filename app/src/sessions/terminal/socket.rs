//! The browser's side of a [`Link`]: opens sockets, keeps time, writes into the terminal, and does what the link
//! says. Decides nothing.

use super::link::{Do, Link, Tell, is_answer};
use super::paste::{Outbox, Paste};
use super::xterm::Screen;
use leptos::prelude::{TimeoutHandle, set_interval_with_handle, set_timeout_with_handle, window};
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::{JsCast, JsValue};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use web_sys::{BinaryType, Event, MessageEvent, WebSocket};

type OnEvent = Closure<dyn FnMut(Event)>;
type OnMessage = Closure<dyn FnMut(MessageEvent)>;

/// A socket with its ears; dropped, it closes and hears no more.
struct Socket {
    socket: WebSocket,
    _events: Vec<OnEvent>,
    _messages: OnMessage,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.set_onmessage(None);
        let _ = self.socket.close();
    }
}

/// A connection that goes on until [`Wire::stop`].
pub(super) struct Wire {
    link: RefCell<Link>,
    outbox: RefCell<Outbox>,
    screen: Screen,
    address: String,
    socket: RefCell<Option<Socket>>,
    waiting: Cell<Option<TimeoutHandle>>,
    clock: Cell<Option<leptos::prelude::IntervalHandle>>,
    wake: RefCell<Option<OnEvent>>,
    reads_only: Cell<bool>,
    /// Writes of old output that the terminal has not worked off.
    old_writes: Cell<u32>,
    stopped: Cell<bool>,
    tell: Box<dyn Fn(Tell)>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Milliseconds, only for differences.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// The address of a session's socket, in the words of this page's own.
fn address(session: &str) -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" {
        "wss"
    } else {
        "ws"
    };
    Some(format!(
        "{scheme}://{}/sessions/{session}/socket",
        location.host().ok()?
    ))
}

/// A name for this page.
fn page_name() -> String {
    let part = || {
        format!(
            "{:013x}",
            (js_sys::Math::random() * 4_503_599_627_370_496.0) as u64
        )
    };
    format!("{}{}", part(), part())
}

impl Wire {
    /// Connects `screen` with a session. `size` is the terminal's here.
    pub(super) fn start(
        session: &str,
        watch: bool,
        size: (u16, u16),
        screen: Screen,
        tell: impl Fn(Tell) + 'static,
    ) -> Option<Rc<Self>> {
        let wire = Rc::new(Self {
            link: RefCell::new(Link::new(page_name(), watch, size)),
            outbox: RefCell::new(Outbox::default()),
            screen,
            address: address(session)?,
            socket: RefCell::new(None),
            waiting: Cell::new(None),
            clock: Cell::new(None),
            wake: RefCell::new(None),
            reads_only: Cell::new(true),
            old_writes: Cell::new(0),
            stopped: Cell::new(false),
            tell: Box::new(tell),
        });
        let ticking = Rc::downgrade(&wire);
        let tick = move || {
            if let Some(wire) = ticking.upgrade() {
                wire.with(|link| link.tick(now()));
            }
        };
        wire.clock
            .set(set_interval_with_handle(tick, Duration::from_secs(1)).ok());
        let waking = Rc::downgrade(&wire);
        let wake = OnEvent::new(move |_| {
            if let Some(wire) = waking.upgrade()
                && !leptos::prelude::document().hidden()
            {
                wire.with(|link| link.hurry(now()));
            }
        });
        let ear = wake.as_ref().unchecked_ref();
        let _ = window().add_event_listener_with_callback("online", ear);
        let _ = leptos::prelude::document().add_event_listener_with_callback("visibilitychange", ear);
        *wire.wake.borrow_mut() = Some(wake);
        wire.open();
        Some(wire)
    }

    /// Ends it for good.
    pub(super) fn stop(&self) {
        self.stopped.set(true);
        if let Some(wake) = self.wake.borrow_mut().take() {
            let ear = wake.as_ref().unchecked_ref();
            let _ = window().remove_event_listener_with_callback("online", ear);
            let _ = leptos::prelude::document().remove_event_listener_with_callback("visibilitychange", ear);
        }
        if let Some(clock) = self.clock.take() {
            clock.clear();
        }
        if let Some(waiting) = self.waiting.take() {
            waiting.clear();
        }
        self.drop_socket();
    }

    /// Kept for one turn of the event loop: this may run inside one of the socket's own ears.
    fn drop_socket(&self) {
        if let Some(socket) = self.socket.borrow_mut().take() {
            leptos::prelude::set_timeout(move || drop(socket), Duration::ZERO);
        }
    }

    fn open(self: &Rc<Self>) {
        if self.stopped.get() {
            return;
        }
        self.drop_socket();
        let Ok(socket) = WebSocket::new(&self.address) else {
            return self.with(|link| link.closed(js_sys::Math::random()));
        };
        socket.set_binary_type(BinaryType::Arraybuffer);
        let hearing = Rc::downgrade(self);
        let of = socket.clone();
        let messages = OnMessage::new(move |event: MessageEvent| {
            let Some(wire) = hearing.upgrade().filter(|wire| wire.is_current(&of)) else {
                return;
            };
            let data = event.data();
            if let Some(text) = data.as_string() {
                wire.with(|link| link.message(&text, now()));
            } else if let Ok(buffer) = data.dyn_into::<js_sys::ArrayBuffer>() {
                let frame = js_sys::Uint8Array::new(&buffer).to_vec();
                wire.with(|link| link.bytes(&frame, now()));
            }
        });
        let opening = Rc::downgrade(self);
        let of = socket.clone();
        let opened = OnEvent::new(move |_| {
            if let Some(wire) = opening.upgrade().filter(|wire| wire.is_current(&of)) {
                wire.with(|link| link.opened(now()));
            }
        });
        let closing = Rc::downgrade(self);
        let of = socket.clone();
        let closed = OnEvent::new(move |_| {
            if let Some(wire) = closing.upgrade().filter(|wire| wire.is_current(&of)) {
                wire.drop_socket();
                wire.with(|link| link.closed(js_sys::Math::random()));
            }
        });
        socket.set_onmessage(Some(messages.as_ref().unchecked_ref()));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        *self.socket.borrow_mut() = Some(Socket {
            socket,
            _events: vec![opened, closed],
            _messages: messages,
        });
    }

    fn is_current(&self, socket: &WebSocket) -> bool {
        self.socket
            .borrow()
            .as_ref()
            .is_some_and(|current| current.socket == *socket)
    }

    /// Tells the link something and does what it says.
    fn with(self: &Rc<Self>, tell: impl FnOnce(&mut Link) -> Vec<Do>) {
        if self.stopped.get() {
            return;
        }
        let done = tell(&mut self.link.borrow_mut());
        for one in done {
            self.act(one);
        }
        let reads_only = !self.link.borrow().takes_input();
        if self.reads_only.replace(reads_only) != reads_only {
            self.screen.read_only(reads_only);
        }
    }

    fn act(self: &Rc<Self>, one: Do) {
        match one {
            Do::Connect(pause) => {
                if let Some(waiting) = self.waiting.take() {
                    waiting.clear();
                }
                let wire = Rc::downgrade(self);
                let open = move || {
                    if let Some(wire) = wire.upgrade() {
                        wire.open();
                    }
                };
                self.waiting
                    .set(set_timeout_with_handle(open, Duration::from_millis(pause)).ok());
            }
            Do::Close => {
                self.drop_socket();
                let again = self.link.borrow_mut().closed(js_sys::Math::random());
                for one in again {
                    self.act(one);
                }
            }
            Do::Text(text) => {
                if let Some(socket) = self.socket.borrow().as_ref() {
                    let _ = socket.socket.send_with_str(&text);
                }
            }
            Do::Bytes(bytes) => {
                if let Some(socket) = self.socket.borrow().as_ref() {
                    let _ = socket.socket.send_with_u8_array(&bytes);
                }
            }
            Do::Reset => self.screen.reset(),
            Do::Size(cols, rows) => self.screen.resize(cols, rows),
            Do::Restore(text) => {
                let restored = self.old_until_done(true, None);
                self.screen.write(&text.into(), restored.unchecked_ref());
            }
            Do::Write { bytes, end, is_old } => {
                let done = self.old_until_done(is_old, Some(end));
                let bytes: JsValue = js_sys::Uint8Array::from(bytes.as_slice()).into();
                self.screen.write(&bytes, done.unchecked_ref());
            }
            Do::Tell(tell) => {
                let more = matches!(tell, Tell::Taken);
                (self.tell)(tell);
                if more {
                    self.pump();
                }
            }
        }
    }

    /// What the terminal calls once it has worked off a write. Until then its answers are to old questions when
    /// the write `is_old`.
    fn old_until_done(self: &Rc<Self>, is_old: bool, end: Option<u64>) -> JsValue {
        let count = u32::from(is_old);
        self.old_writes.set(self.old_writes.get() + count);
        let wire = Rc::downgrade(self);
        Closure::once_into_js(move || {
            if let Some(wire) = wire.upgrade() {
                wire.old_writes.set(wire.old_writes.get().saturating_sub(count));
                if let Some(end) = end {
                    wire.with(|link| link.worked_off(end));
                }
            }
        })
    }

    /// What the terminal says: typed there, or its answer to what a program asked.
    pub(super) fn said(self: &Rc<Self>, text: &str) {
        if self.old_writes.get() == 0 || !is_answer(text) {
            self.typed(text.as_bytes());
        }
    }

    /// Hands on what waits, as far as there is room.
    fn pump(self: &Rc<Self>) {
        let room = self.link.borrow().room();
        let piece = self.outbox.borrow_mut().take(room);
        if !piece.is_empty() {
            self.with(|link| link.input(&piece));
        }
    }

    /// What was typed. It follows what is still being pasted; Ctrl+C stops that first.
    pub(super) fn typed(self: &Rc<Self>, bytes: &[u8]) {
        if !self.link.borrow().takes_input() {
            return;
        }
        if bytes == b"\x03" {
            self.cancel_paste();
        }
        self.outbox.borrow_mut().add(bytes);
        self.pump();
    }

    /// A paste begins. `false` when it is too large.
    pub(super) fn paste(self: &Rc<Self>, paste: &Paste) -> bool {
        let taken = self.outbox.borrow_mut().paste(paste);
        self.pump();
        taken
    }

    /// Stops the paste that is on its way.
    pub(super) fn cancel_paste(self: &Rc<Self>) {
        if !self.outbox.borrow().is_pasting() {
            return;
        }
        self.link.borrow_mut().take_back();
        self.outbox.borrow_mut().cancel();
        self.pump();
    }

    /// Bytes of the large paste on its way that have gone, and all of them.
    pub(super) fn pasted(&self) -> Option<(usize, usize)> {
        let under_way = self.link.borrow().under_way();
        self.outbox.borrow_mut().progress(under_way)
    }

    /// Whether what is typed reaches the node now.
    pub(super) fn takes_input(&self) -> bool {
        self.link.borrow().takes_input()
    }

    /// There is room for another size now.
    pub(super) fn fit(self: &Rc<Self>, cols: u16, rows: u16) {
        self.screen.resize(cols, rows);
        self.with(|link| link.resize(cols, rows));
    }
}

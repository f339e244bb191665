//! Plays a recording into a terminal: fetches chunks, writes what a moment needs, runs the clock. Seeks are exact
//! (empty terminal, keyframe, events up to the moment), and of many that come quickly only the latest is done.

use super::super::api::get_chunk;
use super::super::terminal::xterm::Screen;
use super::timeline::{Chunks, Timeline, Way, at, until, way};
use crate::error::AppError;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::closure::Closure;
use leptos::wasm_bindgen::{JsCast, JsValue};
use muster_domain::sessions::{RecordedChunk, RecordedEvent, RecordingView};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen_futures::JsFuture;

/// What the page shows of the player and what it chooses.
#[derive(Clone, Copy)]
pub(super) struct Controls {
    /// The moment on show, in milliseconds.
    pub(super) now: RwSignal<f64>,
    pub(super) playing: RwSignal<bool>,
    pub(super) speed: RwSignal<f64>,
    pub(super) skip_idle: RwSignal<bool>,
    /// Whether a chunk is awaited.
    pub(super) waiting: RwSignal<bool>,
    pub(super) error: RwSignal<Option<AppError>>,
    /// Columns and rows of the recorded terminal.
    pub(super) size: RwSignal<(u16, u16)>,
}

impl Controls {
    pub(super) fn new(start: f64) -> Self {
        Self {
            now: RwSignal::new(start),
            playing: RwSignal::new(false),
            speed: RwSignal::new(1.0),
            skip_idle: RwSignal::new(true),
            waiting: RwSignal::new(false),
            error: RwSignal::new(None),
            size: RwSignal::new((80, 24)),
        }
    }
}

/// Where the terminal is: chunk, events of it that were written, moment.
type Here = Option<(u32, usize, f64)>;

/// The player of one recording.
pub(super) struct Machine {
    session: String,
    screen: Screen,
    controls: Controls,
    timeline: RefCell<Timeline>,
    chunks: RefCell<Chunks>,
    here: Cell<Here>,
    /// The moment to go to; a later wish replaces it.
    wanted: Cell<Option<f64>>,
    busy: Cell<bool>,
    stopped: Cell<bool>,
    /// The chunk that was last fetched before it was needed.
    ahead: Cell<Option<u32>>,
}

impl Machine {
    pub(super) fn new(view: &RecordingView, screen: Screen, controls: Controls) -> Rc<Self> {
        Rc::new(Self {
            session: view.session.session_id.to_string(),
            screen,
            controls,
            timeline: RefCell::new(Timeline::new(view)),
            chunks: RefCell::default(),
            here: Cell::new(None),
            wanted: Cell::new(None),
            busy: Cell::new(false),
            stopped: Cell::new(false),
            ahead: Cell::new(None),
        })
    }

    /// A recording that is still being made has grown.
    pub(super) fn grown(&self, view: &RecordingView) {
        let before = self.timeline.replace(Timeline::new(view));
        if let Some(last) = before.chunk_at(before.duration) {
            self.chunks.borrow_mut().forget(last);
            // Where the last one was sealed, it ends elsewhere than what was seen of it: its place is looked for anew.
            let sealed = self.timeline.borrow().has(last + 1);
            if sealed && self.here.get().is_some_and(|(chunk, ..)| chunk >= last) {
                self.here.set(None);
            }
        }
    }

    pub(super) fn stop(&self) {
        self.stopped.set(true);
    }

    pub(super) fn duration(&self) -> f64 {
        self.timeline.borrow().duration
    }

    /// Goes to a moment.
    pub(super) fn seek(self: &Rc<Self>, when: f64) {
        let when = self.timeline.borrow().clamp(when);
        let _ = self.controls.now.try_set(when);
        self.wanted.set(Some(when));
        self.work();
    }

    /// `wall` milliseconds have passed.
    pub(super) fn tick(self: &Rc<Self>, wall: f64) {
        let playing = self.controls.playing.try_get_untracked() == Some(true);
        // While something is still being written the recording waits, too.
        if !playing || self.busy.get() || self.wanted.get().is_some() {
            return;
        }
        let now = self.controls.now.get_untracked();
        let (speed, skip) = (
            self.controls.speed.get_untracked(),
            self.controls.skip_idle.get_untracked(),
        );
        let next = self.timeline.borrow().advance(now, wall, speed, skip);
        if next >= self.duration() {
            self.controls.playing.set(false);
        }
        self.seek(next);
    }

    /// To the next thing that was written.
    pub(super) fn next_frame(self: &Rc<Self>) {
        let Some((chunk, written, now)) = self.here.get() else {
            return;
        };
        let machine = Rc::clone(self);
        spawn_local(async move {
            let mut index = chunk;
            let mut from = written;
            while let Some(chunk) = machine.fetch(index).await {
                let shows = |event: &&RecordedEvent| {
                    matches!(event, RecordedEvent::Output(..) | RecordedEvent::Bytes(..)) && at(event) > now
                };
                if let Some(event) = chunk.events.iter().skip(from).find(shows) {
                    return machine.seek(at(event));
                }
                index += 1;
                from = 0;
                if !machine.timeline.borrow().has(index) {
                    break;
                }
            }
        });
    }

    fn work(self: &Rc<Self>) {
        if self.busy.replace(true) {
            return;
        }
        let machine = Rc::clone(self);
        spawn_local(async move {
            while let (false, Some(when)) = (machine.stopped.get(), machine.wanted.take()) {
                machine.go(when).await;
            }
            machine.busy.set(false);
        });
    }

    /// Fetches a chunk, unless it is at hand.
    async fn fetch(&self, index: u32) -> Option<Rc<RecordedChunk>> {
        let there = self.chunks.borrow_mut().get(index);
        if there.is_some() {
            return there;
        }
        let _ = self.controls.waiting.try_set(true);
        let answer = get_chunk(self.session.clone(), index).await;
        let _ = self.controls.waiting.try_set(false);
        match answer {
            Ok(chunk) => {
                let _ = self.controls.error.try_set(None);
                let chunk = Rc::new(chunk);
                self.chunks.borrow_mut().keep(chunk.clone());
                Some(chunk)
            }
            Err(error) => {
                let _ = self.controls.playing.try_set(false);
                let _ = self.controls.error.try_set(Some(error));
                None
            }
        }
    }

    async fn go(self: &Rc<Self>, when: f64) {
        let Some(index) = self.timeline.borrow().chunk_at(when) else {
            return;
        };
        let Some(chunk) = self.fetch(index).await else {
            return;
        };
        // Somebody wants to be elsewhere by now.
        if self.stopped.get() || self.wanted.get().is_some() {
            return;
        }
        let mut from = 0;
        match way(self.here.get(), index, when) {
            Way::On(written) => from = written.min(chunk.events.len()),
            Way::Over(written) => {
                let Some(before) = self.fetch(index - 1).await else {
                    return;
                };
                self.write(before.events.get(written..).unwrap_or_default());
            }
            Way::Jump => {
                self.screen.reset();
                self.screen.resize(chunk.cols, chunk.rows);
                let _ = self.controls.size.try_set((chunk.cols, chunk.rows));
                self.screen.write_only(&chunk.keyframe);
            }
        }
        let to = until(&chunk.events, when).max(from);
        self.write(chunk.events.get(from..to).unwrap_or_default());
        self.here.set(Some((index, to, when)));
        self.settled().await;
        self.look_ahead(index + 1, &chunk, when);
    }

    /// Writes events, text that follows text as one.
    fn write(&self, events: &[RecordedEvent]) {
        let mut text = String::new();
        let flush = |text: &mut String| {
            if !text.is_empty() {
                self.screen.write_only(text);
                text.clear();
            }
        };
        for event in events {
            match event {
                RecordedEvent::Output(_, more) => text.push_str(more),
                RecordedEvent::Bytes(_, base64) => {
                    flush(&mut text);
                    // One character for each byte.
                    let bytes: Vec<u8> = window()
                        .atob(base64)
                        .unwrap_or_default()
                        .chars()
                        .filter_map(|c| u8::try_from(u32::from(c)).ok())
                        .collect();
                    let bytes: JsValue = js_sys::Uint8Array::from(bytes.as_slice()).into();
                    let nothing = Closure::once_into_js(|| ());
                    self.screen.write(&bytes, nothing.unchecked_ref());
                }
                RecordedEvent::Resize(_, cols, rows) => {
                    flush(&mut text);
                    self.screen.resize(*cols, *rows);
                    let _ = self.controls.size.try_set((*cols, *rows));
                }
                RecordedEvent::Input(..) | RecordedEvent::Note(..) => {}
            }
        }
        flush(&mut text);
    }

    /// Until the terminal has worked off what was written.
    async fn settled(&self) {
        let settled = js_sys::Promise::new(&mut |resolve, _| self.screen.write(&"".into(), &resolve));
        let _ = JsFuture::from(settled).await;
    }

    /// The next chunk is fetched when the end of this one comes near.
    fn look_ahead(self: &Rc<Self>, next: u32, chunk: &RecordedChunk, when: f64) {
        let near = chunk.events.last().is_some_and(|last| at(last) - when < 20_000.0);
        if !near
            || self.controls.playing.try_get_untracked() != Some(true)
            || !self.timeline.borrow().has(next)
            || self.ahead.replace(Some(next)) == Some(next)
            || self.chunks.borrow_mut().get(next).is_some()
        {
            return;
        }
        let machine = Rc::clone(self);
        spawn_local(async move {
            if let Ok(chunk) = get_chunk(machine.session.clone(), next).await {
                machine.chunks.borrow_mut().keep(Rc::new(chunk));
            }
        });
    }
}

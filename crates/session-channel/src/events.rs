//! Events that wait to be fetched, counted in number and bytes.
//! Only the counting: the events themselves are the ends'.

use std::collections::VecDeque;

use crate::limits::Limits;

/// How much an event holds.
pub(crate) trait Weight {
    fn weight(&self) -> usize;
}

pub(crate) struct Events<E> {
    queue: VecDeque<E>,
    bytes: usize,
}

impl<E: Weight> Events<E> {
    pub(crate) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Whether another message may be taken. One message more than the limit can be held: whether it fits is
    /// asked before its size is known.
    pub(crate) fn have_room(&self, limits: &Limits) -> bool {
        self.queue.len() < limits.events && self.bytes < limits.event_bytes
    }

    pub(crate) fn push(&mut self, event: E) {
        self.bytes += event.weight();
        self.queue.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<E> {
        let event = self.queue.pop_front()?;
        self.bytes -= event.weight();
        Some(event)
    }

    /// Puts `event` in the place of the last one, if `replaces` says so of it.
    pub(crate) fn push_or_replace(&mut self, event: E, replaces: impl Fn(&E) -> bool) {
        match self.queue.back_mut() {
            Some(last) if replaces(last) => {
                self.bytes = self.bytes - last.weight() + event.weight();
                *last = event;
            }
            _ => self.push(event),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

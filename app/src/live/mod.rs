//! What changes while a page is open: the server's time, and streams of events.

pub(crate) mod clock;
pub(crate) mod event_source;

//! What changes while a page is open: the server's time, and streams of events; and what only browsers can hold.

pub(crate) mod clock;
pub(crate) mod event_source;
pub(crate) mod local;

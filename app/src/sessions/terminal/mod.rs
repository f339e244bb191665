//! A terminal in the browser: its connection (`link`, pure; `socket`, the browser's side), what is pasted into it
//! (`paste`, pure), xterm.js (`xterm`), and the view that joins them.

mod find_bar;
mod link;
mod paste;
mod socket;
mod tools;
mod view;
pub(super) mod xterm;

pub(super) use link::{Phase, Tell};
pub(super) use tools::{Tools, use_looks};
pub(super) use view::TerminalView;

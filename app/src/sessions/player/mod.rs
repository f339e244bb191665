//! Playing recordings: where one is and what comes next (`timeline`, pure), the machine that writes it into a
//! terminal (`machine`), and the page with all around it.

mod bar;
mod keys;
mod machine;
mod moments;
mod page;
mod panels;
mod screen;
mod timeline;
mod transcript;

pub(crate) use page::RecordingPage;

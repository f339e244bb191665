//! Parameter pages: what there is, folder by folder; one parameter with its versions, labels and tags; writing one.

mod acts;
mod api;
mod ask_api;
mod compare_view;
mod label_acts;
mod list_page;
mod plan_view;
mod put_form;
#[cfg(feature = "ssr")]
mod put_input;
mod put_page;
mod reveal;
mod rows;
mod tags_card;
mod url;
mod versions_card;
mod view_page;

pub(crate) use list_page::ListPage;
pub(crate) use plan_view::WillChange;
pub(crate) use put_page::{EditPage, NewPage};
pub(crate) use url::use_path;
pub(crate) use view_page::ViewPage;

//! A node's tags.

use super::fixed::Fixed;
use leptos::prelude::*;
use muster_domain::fleet::Tag;

fn chip(tag: &Tag) -> Fixed {
    Fixed::new("span", "tag")
        .attribute("title", &format!("{}={}", tag.key, tag.value))
        .child(Fixed::new("span", "tag-key").text(&tag.key))
        .text(&tag.value)
}

/// The first `most` tags, and how many more there are.
pub(crate) fn tag_list(tags: &[Tag], most: usize) -> Fixed {
    let list = tags
        .iter()
        .take(most)
        .fold(Fixed::new("span", "tag-list"), |list, tag| list.child(chip(tag)));
    let rest: Vec<String> = tags
        .iter()
        .skip(most)
        .map(|tag| format!("{}={}", tag.key, tag.value))
        .collect();
    if rest.is_empty() {
        return list;
    }
    let more = Fixed::new("span", "tag more").attribute("title", &rest.join(", "));
    list.child(more.text(&format!("+{}", rest.len())))
}

/// One tag, `Key: Value`.
#[component]
pub(crate) fn TagChip(tag: Tag) -> impl IntoView {
    chip(&tag).view()
}

/// The first `most` tags, and how many more there are.
#[component]
pub(crate) fn TagList(tags: Vec<Tag>, #[prop(default = usize::MAX)] most: usize) -> impl IntoView {
    tag_list(&tags, most).view()
}

//! A node's tags.

use super::fixed::Fixed;
use leptos::prelude::*;
use muster_domain::fleet::Tag;

fn chip(into: Fixed, tag: &Tag) -> Fixed {
    into.inside("span", "tag", |chip| {
        let chip = chip.attribute("title", &format!("{}={}", tag.key, tag.value));
        chip.inside("span", "tag-key", |key| key.text(&tag.key))
            .text(&tag.value)
    })
}

/// The first `most` tags, and how many more there are.
pub(crate) fn tag_list(into: Fixed, tags: &[Tag], most: usize) -> Fixed {
    into.inside("span", "tag-list", |list| {
        let list = tags.iter().take(most).fold(list, chip);
        let rest: Vec<String> = tags
            .iter()
            .skip(most)
            .map(|tag| format!("{}={}", tag.key, tag.value))
            .collect();
        if rest.is_empty() {
            return list;
        }
        list.inside("span", "tag more", |more| {
            more.attribute("title", &rest.join(", "))
                .text(&format!("+{}", rest.len()))
        })
    })
}

/// One tag, `Key: Value`.
#[component]
pub(crate) fn TagChip(tag: Tag) -> impl IntoView {
    chip(Fixed::bare(), &tag).view()
}

/// The first `most` tags, and how many more there are.
#[component]
pub(crate) fn TagList(tags: Vec<Tag>, #[prop(default = usize::MAX)] most: usize) -> impl IntoView {
    tag_list(Fixed::bare(), &tags, most).view()
}

//! A node's tags.

use leptos::prelude::*;
use muster_domain::fleet::Tag;

/// One tag, `Key: Value`.
#[component]
pub(crate) fn TagChip(tag: Tag) -> impl IntoView {
    let whole = format!("{}={}", tag.key, tag.value);
    view! {
        <span class="tag" title=whole>
            <span class="tag-key">{tag.key}</span>
            {tag.value}
        </span>
    }
}

/// The first `most` tags, and how many more there are.
#[component]
pub(crate) fn TagList(tags: Vec<Tag>, #[prop(default = usize::MAX)] most: usize) -> impl IntoView {
    let more = tags.len().saturating_sub(most);
    let rest: Vec<String> = tags
        .iter()
        .skip(most)
        .map(|tag| format!("{}={}", tag.key, tag.value))
        .collect();
    view! {
        <span class="tag-list">
            {tags.into_iter().take(most).map(|tag| view! { <TagChip tag /> }).collect_view()}
            {(more > 0).then(|| view! { <span class="tag more" title=rest.join(", ")>{format!("+{more}")}</span> })}
        </span>
    }
}

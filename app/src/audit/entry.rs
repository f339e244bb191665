//! One act as a row that opens.

use crate::components::{CopyButton, Fact, StatusBadge, TimeAgo, text_parts};
use leptos::prelude::*;
use muster_domain::audit::AuditEntryView;

/// JSON with line breaks and indents; other text as it is.
pub(super) fn pretty(detail: &str) -> String {
    serde_json::from_str::<serde_json::Value>(detail)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| detail.to_owned())
}

/// Where a resource can be looked at, when it has a page.
fn page_of(resource: &str) -> Option<String> {
    let (kind, id) = resource.split_once(':')?;
    match kind {
        "node" => Some(format!("/fleet/{id}")),
        "command" => Some(format!("/commands/{id}")),
        _ => None,
    }
}

/// One row, and below it the detail. A `<details>` in the first cell would not reach across the
/// columns, so each act is a small grid of its own.
#[component]
pub(super) fn Entry(entry: AuditEntryView) -> impl IntoView {
    let sequences = match entry.outcome_sequence {
        Some(outcome) => format!("{} (begun), {outcome} (outcome)", entry.sequence),
        None => entry.sequence.to_string(),
    };
    let detail = pretty(&entry.detail);
    let link = page_of(&entry.resource);
    let message = entry.message.clone();
    view! {
        <details class="act" data-row="">
            <summary data-act="open" class="act-row">
                <span class="muted act-time">
                    <TimeAgo at=entry.at />
                </span>
                <span class="strong act-actor">{entry.actor.clone()}</span>
                <span class="mono act-action">{entry.action.clone()}</span>
                <span class="mono act-resource">{entry.resource.clone()}</span>
                <span class="act-outcome">
                    <StatusBadge badge=entry.outcome label=entry.outcome.as_str() />
                </span>
                <span class="mono muted act-address">{entry.address.clone()}</span>
            </summary>
            <div class="act-detail">
                <dl class="facts">
                    {(!message.is_empty()).then(|| view! { <Fact label="Why">{message}</Fact> })}
                    <Fact label="Time">
                        <span class="mono">{entry.at.rfc3339()}</span>
                    </Fact>
                    <Fact label="Resource">
                        {match link {
                            Some(href) => view! { <a class="mono" href=href>{entry.resource}</a> }.into_any(),
                            None => view! { <span class="mono">{if entry.resource.is_empty() { "–".to_owned() } else { entry.resource }}</span> }.into_any(),
                        }}
                    </Fact>
                    <Fact label="From">
                        {format!("{} by {}", entry.address, entry.via)}
                        <div class="muted small-text">{entry.user_agent}</div>
                    </Fact>
                    <Fact label="Rows">{sequences}</Fact>
                    <Fact label="Act">
                        <span class="mono">{entry.act_id.to_string()}</span>
                    </Fact>
                    <Fact label="Hash">
                        <span class="mono">{entry.hash.clone()}</span>
                        " "
                        <CopyButton text=entry.hash label="Copy the hash" />
                    </Fact>
                </dl>
                <pre class="code" tabindex="0" aria-label="Detail as JSON">{text_parts(detail)}</pre>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_is_indented_and_nonsense_is_kept() {
        assert_eq!(pretty(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
        assert_eq!(pretty("{broken"), "{broken");
        assert_eq!(page_of("node:mi-1").as_deref(), Some("/fleet/mi-1"));
        assert_eq!(page_of("user:alice"), None);
    }
}

//! The conditions on show, each with a way to take it off, and the form that adds one. All of
//! it is links and a plain GET form; script only completes values.

use super::url_state::FleetUrl;
use crate::components::{Glyph, Icon};
use leptos::ev;
use leptos::prelude::*;
use leptos_router::components::Form;
use muster_domain::fleet::Facet;
use muster_domain::fleet_filter::{Property, Token};

const OPERATORS: &[(&str, &str)] = &[
    ("~", "contains"),
    ("=", "is"),
    ("!=", "is not"),
    (">", "longer ago than"),
    ("<", "less long ago than"),
];

/// The operator that is meant most often.
fn usual_operator(property: &str) -> &'static str {
    match property {
        "ping" => ">",
        "text" | "name" | "id" | "platform" | "address" => "~",
        _ => "=",
    }
}

/// Values to offer for a property; for free text, whole conditions.
fn suggestions(facets: &[Facet], property: &str) -> Vec<(String, String)> {
    if property == "ping" {
        return ["15m", "2h", "1d", "7d"]
            .into_iter()
            .map(|age| (age.to_owned(), String::new()))
            .collect();
    }
    let whole = property == "text" || property.is_empty();
    facets
        .iter()
        .filter(|facet| whole || facet.property == property)
        .flat_map(|facet| {
            facet
                .values
                .iter()
                .take(if whole { 12 } else { 50 })
                .map(move |(value, count)| {
                    let text = if whole {
                        format!("{}={value}", facet.property)
                    } else {
                        value.clone()
                    };
                    (text, format!("{count} nodes"))
                })
        })
        .collect()
}

/// How a value is shown in a chip.
fn shown_value(token: &Token) -> String {
    let values: Vec<&str> = token
        .values
        .iter()
        .map(|value| match (&token.property, value.as_str()) {
            (Property::Status, "ConnectionLost") => "Not reporting",
            (Property::Status, "Inactive") => "Deregistered",
            (_, "") => "(empty)",
            (_, other) => other,
        })
        .collect();
    values.join(", ")
}

/// Chips and form.
#[component]
pub(super) fn FilterBar(state: Memo<FleetUrl>, facets: Vec<Facet>) -> impl IntoView {
    let tags: Vec<String> = facets
        .iter()
        .filter(|facet| facet.property.starts_with("tag:"))
        .map(|facet| facet.property.clone())
        .collect();
    let draft = state.get_untracked().draft.unwrap_or_default();
    let property = RwSignal::new(if draft.property.is_empty() {
        "text".to_owned()
    } else {
        draft.property
    });
    let operator = RwSignal::new(if draft.operator.is_empty() {
        "~".to_owned()
    } else {
        draft.operator
    });
    let choose = move |event: ev::Event| {
        let chosen = event_target_value(&event);
        operator.set(usual_operator(&chosen).to_owned());
        property.set(chosen);
    };
    let options: Vec<(String, String)> = [
        Property::Text,
        Property::Status,
        Property::Name,
        Property::Id,
        Property::Platform,
        Property::Agent,
        Property::Address,
        Property::LastPing,
    ]
    .into_iter()
    .map(|one| {
        (
            one.word(),
            if one == Property::Text {
                "Any text".into()
            } else {
                one.label()
            },
        )
    })
    .chain(tags.into_iter().map(|word| {
        let label = format!("Tag {}", word.strip_prefix("tag:").unwrap_or(&word));
        (word, label)
    }))
    .collect();
    let value_ref = NodeRef::<leptos::html::Input>::new();
    // A condition that was taken over leaves the field empty for the next one.
    Effect::new(move |before: Option<String>| {
        let filter = state.with(|state| state.filter.to_string());
        if before.is_some_and(|before| before != filter)
            && let Some(input) = value_ref.get_untracked()
        {
            input.set_value("");
        }
        filter
    });
    view! {
        <div class="filter-bar">
            <Form method="GET" action="/fleet" attr:class="filter-form" attr:role="search" attr:aria-label="Filter nodes">
                {move || {
                    state
                        .get()
                        .hidden(&[])
                        .into_iter()
                        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
                        .collect_view()
                }}
                <select
                    name="property"
                    aria-label="Property"
                    on:change=choose
                    prop:value=move || property.get()
                >
                    {options
                        .into_iter()
                        .map(|(word, label)| {
                            let chosen = property.get_untracked() == word;
                            view! {
                                <option value=word selected=chosen>
                                    {label}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                <select
                    name="operator"
                    aria-label="Comparison"
                    on:change=move |event| operator.set(event_target_value(&event))
                    prop:value=move || operator.get()
                >
                    {OPERATORS
                        .iter()
                        .map(|(symbol, label)| {
                            let chosen = operator.get_untracked() == *symbol;
                            view! {
                                <option value=*symbol selected=chosen>
                                    {*label}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                <input
                    node_ref=value_ref
                    type="text"
                    name="value"
                    id="filter-value"
                    aria-label="Value, or a whole condition such as tag:Team=web"
                    placeholder="Value, or tag:Team=web"
                    list="filter-values"
                    autocomplete="off"
                    spellcheck="false"
                    data-filter=""
                    value=draft.value
                />
                <datalist id="filter-values">
                    {move || {
                        suggestions(&facets, &property.get())
                            .into_iter()
                            .map(|(value, label)| view! { <option value=value label=label></option> })
                            .collect_view()
                    }}
                </datalist>
                <button type="submit" class="btn">
                    <Icon glyph=Glyph::Plus />
                    "Add filter"
                </button>
            </Form>
            <Chips state />
            {move || {
                let state = state.get();
                // What makes the filter unreadable stands where the rows would be.
                let rest = state.problems.into_iter().filter(|one| Some(one) != state.unreadable.as_ref());
                rest
                    .map(|problem| {
                        view! {
                            <div class="notice bad" role="alert">
                                <Icon glyph=Glyph::Warning />
                                <div>{problem} " The other conditions hold."</div>
                            </div>
                        }
                    })
                    .collect_view()
            }}
        </div>
    }
}

#[component]
fn Chips(state: Memo<FleetUrl>) -> impl IntoView {
    view! {
        <div class="chips">
            {move || {
                let state = state.get();
                state
                    .filter
                    .tokens
                    .iter()
                    .enumerate()
                    .map(|(at, token)| {
                        let value = shown_value(token);
                        let label = token.property.label();
                        let remove = format!("Remove the condition {label} {} {value}", token.operator.label());
                        view! {
                            <span class="chip">
                                <span>
                                    <b>{label}</b>
                                    {format!(" {} ", token.operator.label())}
                                    {value}
                                </span>
                                <a href=state.without(at).address() aria-label=remove data-noscroll="">
                                    <Icon glyph=Glyph::Cross />
                                </a>
                            </span>
                        }
                    })
                    .collect_view()
            }}
            {move || {
                let state = state.get();
                (state.filter.tokens.len() > 1)
                    .then(|| {
                        view! {
                            <a class="btn quiet small" href=state.without_filter().address() data-noscroll="">
                                "Clear all"
                            </a>
                        }
                    })
            }}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_offers_whole_conditions() {
        let facets = [Facet {
            property: "tag:Team".into(),
            values: vec![("web".into(), 3)],
        }];
        assert_eq!(suggestions(&facets, "text")[0].0, "tag:Team=web");
        assert_eq!(
            suggestions(&facets, "tag:Team")[0],
            ("web".into(), "3 nodes".into())
        );
        assert!(suggestions(&facets, "status").is_empty());
        assert_eq!(suggestions(&facets, "ping")[0].0, "15m");
    }

    #[test]
    fn a_chip_speaks_the_operators_language() {
        let token = Token::parse("status=ConnectionLost,Online").unwrap();
        assert_eq!(shown_value(&token), "Not reporting, Online");
    }
}

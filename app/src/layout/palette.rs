//! The command palette: pages at once, and whatever the portal finds. A combobox with a list,
//! as the ARIA authoring practices describe it.

use super::search_api::search;
use crate::components::dialog::{close_dialog, open_dialog};
use crate::components::{Glyph, Icon};
use leptos::ev;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use muster_domain::overview::SearchHit;
use std::time::Duration;

const PAGES: &[(&str, &str, &str)] = &[
    ("Overview", "What needs you now", "/"),
    ("Fleet", "All managed nodes", "/fleet"),
    (
        "Nodes that do not report",
        "Fleet, filtered",
        "/fleet?filter=status%3DConnectionLost",
    ),
    ("Add node", "Create an activation", "/fleet/add"),
    ("Terminals", "What is open and what was recorded", "/terminals"),
    ("Open terminal", "A shell on a node", "/terminals/new"),
    ("Commands", "What ran and what runs", "/commands"),
    ("Run command", "Run a document on nodes", "/commands/new"),
    ("Approvals", "What waits for you", "/approvals"),
    (
        "My requests",
        "Approvals that you asked for",
        "/approvals?tab=mine",
    ),
    (
        "Ask for a role",
        "For a time, on a part of the fleet",
        "/approvals/role",
    ),
    ("Policies", "Which acts need approval", "/approvals/policies"),
    ("Delegations", "Who decides for whom", "/approvals/delegations"),
    ("Runbooks", "Work of several steps, to be started", "/runbooks"),
    (
        "Schedules",
        "Runbooks that are started by themselves",
        "/schedules",
    ),
    (
        "Calendar",
        "Windows, freezes, and what is to come",
        "/approvals/calendar",
    ),
    ("Executions", "Runbooks that ran and that run", "/executions"),
    (
        "Maintenance windows",
        "What is done by itself, and when",
        "/windows",
    ),
    (
        "New maintenance window",
        "A schedule, its nodes, its tasks",
        "/windows/new",
    ),
    (
        "Deployments",
        "Which release of which application runs where",
        "/deployments",
    ),
    (
        "New application",
        "Its environments, and the runbook that deploys it",
        "/deployments/new",
    ),
    ("Parameters", "Configuration and secrets, by name", "/parameters"),
    ("New parameter", "Text, list or secret", "/parameters/new"),
    ("Patching", "Which patches are missing where", "/patching"),
    (
        "Patch baselines",
        "Which patches nodes should have",
        "/patching/baselines",
    ),
    (
        "Exceptions",
        "Patches that nodes need not have for a time",
        "/patching/exceptions",
    ),
    (
        "Nodes that were never scanned",
        "Patching, filtered",
        "/patching?state=never",
    ),
    ("Audit log", "Who did what", "/audit"),
    ("Profile", "Password, theme, shortcuts", "/settings/profile"),
    ("Sessions", "Where you are signed in", "/settings/sessions"),
    ("API tokens", "With what programs act as you", "/settings/tokens"),
    ("Users", "Accounts and their roles", "/settings/users"),
    ("Roles", "Who may do what", "/settings/roles"),
];

/// Pages whose name or explanation contains all words of `text`.
fn matching_pages(text: &str) -> Vec<SearchHit> {
    let words: Vec<String> = text
        .to_lowercase()
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    PAGES
        .iter()
        .filter(|(title, subtitle, _)| {
            let all = format!("{title} {subtitle}").to_lowercase();
            words.iter().all(|word| all.contains(word))
        })
        .map(|(title, subtitle, url)| SearchHit {
            kind: "Page".into(),
            title: (*title).into(),
            subtitle: (*subtitle).into(),
            url: (*url).into(),
        })
        .collect()
}

fn glyph(kind: &str) -> Glyph {
    match kind {
        "Node" => Glyph::Fleet,
        "Connection" => Glyph::Switch,
        "Command" => Glyph::Command,
        "Request" => Glyph::Check,
        "Runbook" | "Execution" => Glyph::Runbook,
        "Parameter" => Glyph::Key,
        "Baseline" => Glyph::Patch,
        "Window" => Glyph::Calendar,
        "Application" => Glyph::Deploy,
        "Session" => Glyph::Terminal,
        "User" => Glyph::User,
        "View" => Glyph::Bookmark,
        _ => Glyph::Right,
    }
}

/// The palette. Open while `open` is true.
#[component]
pub(super) fn Palette(open: RwSignal<bool>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let marked = RwSignal::new(0_usize);
    // The answer with the question it belongs to: a late answer to an old question is not shown.
    let found = RwSignal::new((String::new(), Vec::<SearchHit>::new()));
    let navigate = use_navigate();
    let ask = Action::new(move |question: &String| {
        let question = question.clone();
        async move {
            let hits = search(question.clone()).await.unwrap_or_default();
            if text.get_untracked().trim() == question {
                found.set((question, hits));
            }
        }
    });
    // Nothing while it is closed: every page has a palette, and few are opened.
    let hits = Memo::new(move |_| {
        if !open.get() {
            return Vec::new();
        }
        let question = text.get();
        let mut hits = matching_pages(&question);
        found.with(|(of, more)| {
            if !question.trim().is_empty() && question.trim() == of {
                hits.splice(0..0, more.iter().cloned());
            }
        });
        hits
    });
    Effect::new(move |_| {
        if open.get() {
            text.set(String::new());
            marked.set(0);
            open_dialog("palette");
            if let Some(input) = document().get_element_by_id("palette-input") {
                use leptos::wasm_bindgen::JsCast;
                if let Ok(input) = input.dyn_into::<web_sys::HtmlInputElement>() {
                    input.set_value("");
                    let _ = input.focus();
                }
            }
        } else {
            close_dialog("palette");
        }
    });
    let go = Callback::new(move |at: usize| {
        if let Some(hit) = hits.with_untracked(|hits| hits.get(at).cloned()) {
            open.set(false);
            // Another connection is another address.
            if hit.url.starts_with("http") {
                let _ = window().location().set_href(&hit.url);
            } else {
                navigate(&hit.url, NavigateOptions::default());
            }
        }
    });
    let keydown = move |event: ev::KeyboardEvent| {
        let count = hits.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" => marked.update(|at| *at = if *at + 1 < count { *at + 1 } else { 0 }),
            "ArrowUp" => marked.update(|at| *at = at.checked_sub(1).unwrap_or(count.saturating_sub(1))),
            "Enter" => go.run(marked.get_untracked()),
            _ => return,
        }
        event.prevent_default();
        if let Some(row) = document().get_element_by_id(&format!("palette-{}", marked.get_untracked())) {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            row.scroll_into_view_with_scroll_into_view_options(&options);
        }
    };
    let input = move |event: ev::Event| {
        text.set(event_target_value(&event));
        marked.set(0);
        let asked = text.get_untracked().trim().to_owned();
        if asked.is_empty() {
            return;
        }
        // One question per pause in typing, not one per letter.
        set_timeout(
            move || {
                if text.try_get_untracked().is_some_and(|now| now.trim() == asked) {
                    ask.dispatch(asked);
                }
            },
            Duration::from_millis(160),
        );
    };
    view! {
        <dialog id="palette" class="palette" aria-label="Search and go to" on:close=move |_| open.set(false)>
            <div class="palette-input">
                <Icon glyph=Glyph::Search />
                <input
                    id="palette-input"
                    type="text"
                    role="combobox"
                    aria-expanded="true"
                    aria-controls="palette-list"
                    aria-autocomplete="list"
                    aria-activedescendant=move || {
                        hits.with(|hits| !hits.is_empty()).then(|| format!("palette-{}", marked.get()))
                    }
                    aria-label="Search nodes, commands and pages"
                    placeholder="Search nodes, commands, pages…"
                    autocomplete="off"
                    spellcheck="false"
                    on:input=input
                    on:keydown=keydown
                />
                <kbd>"Esc"</kbd>
            </div>
            <ul id="palette-list" role="listbox" aria-label="Results">
                {move || {
                    hits.get()
                        .into_iter()
                        .enumerate()
                        .map(|(at, hit)| {
                            view! {
                                <li
                                    id=format!("palette-{at}")
                                    role="option"
                                    aria-selected=move || (marked.get() == at).to_string()
                                    on:click=move |_| go.run(at)
                                    on:mousemove=move |_| {
                                        if marked.get_untracked() != at {
                                            marked.set(at);
                                        }
                                    }
                                >
                                    <Icon glyph=glyph(&hit.kind) />
                                    <span class="palette-title">{hit.title}</span>
                                    <span class="muted">{hit.subtitle}</span>
                                    <span class="palette-kind">{hit.kind}</span>
                                </li>
                            }
                        })
                        .collect_view()
                }}
            </ul>
            <div class="palette-none" role="status">
                {move || (open.get() && hits.with(Vec::is_empty)).then_some("Nothing found. Try a node's name, an id or a page.")}
            </div>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::matching_pages;

    #[test]
    fn pages_are_found_by_any_of_their_words() {
        assert!(matching_pages("").len() > 5);
        assert_eq!(matching_pages("run doc")[0].title, "Run command");
        assert!(matching_pages("zebra").is_empty());
    }
}

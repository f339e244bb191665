//! What a request about a parameter would do, for those who decide on it: line by line for texts; of a secret, that it
//! would be another one.

use super::url::view_path;
use crate::approvals::TextDiff;
use crate::components::Fact;
use leptos::prelude::*;
use muster_domain::approvals::{Act, PlannedContent, PlannedLabels, PlannedParameter};

/// What stays as it is where nothing is said.
fn settings(content: &PlannedContent) -> Vec<(&'static str, String)> {
    let named = [
        ("Tier", &content.tier),
        ("Data type", &content.data_type),
        ("Key", &content.key_id),
        ("Description", &content.description),
        ("Allowed pattern", &content.allowed_pattern),
        ("Policies", &content.policies),
    ];
    named
        .into_iter()
        .filter_map(|(label, text)| Some((label, text.clone().filter(|text| !text.is_empty())?)))
        .collect()
}

/// What becomes of its value, in words.
fn value_words(parameter: &PlannedParameter, content: &PlannedContent) -> String {
    match (content.value.is_some(), content.restores) {
        (false, Some(version)) if parameter.now.as_ref().is_some_and(|now| now.version == version) => {
            "The secret stays as it is.".into()
        }
        (false, Some(version)) => {
            format!("The secret of version {version} comes back. It is not shown here.")
        }
        (false, None) => "A new secret value. It is sealed until it is written, and not shown here.".into(),
        (true, Some(version)) => format!("The value of version {version} comes back."),
        (true, None) => String::new(),
    }
}

/// Which labels go where, and what is read by them before and after.
#[component]
fn LabelFacts(labels: PlannedLabels) -> impl IntoView {
    let version = labels.version;
    let each = labels
        .labels
        .iter()
        .map(|label| {
            let from = match labels.held.get(label) {
                Some(held) if *held == version && !labels.away => "is there already".to_owned(),
                Some(held) if labels.away => format!("goes from version {held}; nothing is read by it then"),
                Some(held) => format!("moves from version {held} to version {version}"),
                None => format!("is new, at version {version}"),
            };
            view! {
                <li>
                    <span class="tag">{label.clone()}</span>
                    " "
                    {from}
                </li>
            }
        })
        .collect_view();
    let texts = labels
        .value
        .filter(|_| !labels.away)
        .map(|new| (labels.replaced, new));
    view! {
        <Fact label="Labels">
            <ul data-labels="">
                {each}
            </ul>
        </Fact>
        {texts
            .map(|(old, new)| match old {
                Some(old) if old == new => view! { <Fact label="Read by it">"the same value as before"</Fact> }.into_any(),
                Some(old) => view! { <Fact label="Read by it"><TextDiff old new label="What would be read" /></Fact> }.into_any(),
                None => view! { <Fact label="Read by it"><pre class="code parameter-value">{new}</pre></Fact> }.into_any(),
            })}
    }
}

/// The facts.
#[component]
pub(crate) fn WillChange(act: Act, parameter: PlannedParameter) -> impl IntoView {
    let now = match &parameter.now {
        Some(now) => format!("version {}", now.version),
        None => "does not exist yet".to_owned(),
    };
    let revealed = parameter.revealed;
    let content = parameter.becomes.clone();
    let words = content
        .as_ref()
        .map(|content| value_words(&parameter, content))
        .unwrap_or_default();
    let texts = content
        .as_ref()
        .and_then(|content| content.value.clone())
        .map(|new| {
            let old = parameter.now.as_ref().and_then(|now| now.value.clone());
            (old.unwrap_or_default(), new)
        });
    view! {
        <Fact label="Parameter">
            <a class="mono break-anywhere" href=view_path(&parameter.name)>
                {parameter.name.clone()}
            </a>
        </Fact>
        <Fact label="Type">{parameter.kind.clone()}</Fact>
        <Fact label="Now">{now}</Fact>
        {revealed
            .map(|version| {
                view! { <Fact label="Shown">{format!("the secret of version {version}, once, to who asked")}</Fact> }
            })}
        {parameter.labels.map(|labels| view! { <LabelFacts labels=*labels /> })}
        {(act == Act::DeleteParameter)
            .then(|| view! { <Fact label="Afterwards">"gone, with all of its versions, labels and tags"</Fact> })}
        {(!words.is_empty()).then(|| view! { <Fact label="Value"><span data-value-words="">{words}</span></Fact> })}
        {texts
            .map(|(old, new)| {
                view! {
                    <Fact label="Changes">
                        {if old == new {
                            view! { "The value stays as it is." }.into_any()
                        } else {
                            view! { <TextDiff old new label="What would change" /> }.into_any()
                        }}
                    </Fact>
                }
            })}
        {content
            .map(|content| {
                settings(&content)
                    .into_iter()
                    .map(|(label, text)| view! { <Fact label=label><span class="break-anywhere">{text}</span></Fact> })
                    .collect_view()
            })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::approvals::PlannedVersion;

    #[test]
    fn of_a_secret_only_that_it_changes_is_said() {
        let mut parameter = PlannedParameter {
            name: "/a".into(),
            kind: "SecureString".into(),
            now: Some(PlannedVersion {
                version: 3,
                modified_at: 0,
                value: None,
            }),
            revealed: None,
            becomes: None,
            labels: None,
        };
        let mut content = PlannedContent {
            value: None,
            value_reference: "00ff".into(),
            restores: None,
            tier: Some("Standard".into()),
            data_type: None,
            key_id: Some(String::new()),
            description: None,
            allowed_pattern: None,
            policies: None,
        };
        let said = |parameter: &PlannedParameter, content: &PlannedContent| value_words(parameter, content);
        assert!(said(&parameter, &content).starts_with("A new secret"));
        content.restores = Some(1);
        assert!(said(&parameter, &content).contains("version 1"));
        content.restores = Some(3);
        assert!(said(&parameter, &content).contains("stays as it is"));
        content.value = Some("x".into());
        content.restores = None;
        parameter.now = None;
        assert_eq!(said(&parameter, &content), "");
        assert_eq!(settings(&content), [("Tier", "Standard".to_owned())]);
    }
}

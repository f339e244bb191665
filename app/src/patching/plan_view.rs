//! What a request about a patch baseline would do, for those who decide on it: line by line.

use super::baseline_url::view_path;
use crate::approvals::TextDiff;
use crate::components::Fact;
use leptos::prelude::*;
use muster_domain::approvals::{BaselineAct, PlannedBaseline};
use muster_domain::patching::{short_id, system_label};

/// What comes of it, in words; empty where the lines say it.
fn afterwards(baseline: &PlannedBaseline) -> String {
    let system = system_label(&baseline.operating_system);
    match baseline.does {
        BaselineAct::Create => {
            "It is made. It holds for no node before it is the default or has a patch group.".into()
        }
        BaselineAct::Edit => String::new(),
        BaselineAct::SetDefault => {
            format!("It holds for all nodes with {system} whose patch group has no baseline of its own.")
        }
        BaselineAct::AddGroup => {
            format!(
                "It holds for nodes with {system} in the patch group {}.",
                baseline.group
            )
        }
        BaselineAct::RemoveGroup => format!(
            "It holds no longer for the patch group {}: there the default for {system} does.",
            baseline.group
        ),
        BaselineAct::Delete => "It is gone, and nothing brings it back.".into(),
    }
}

/// The facts.
#[component]
pub(crate) fn WillChangeBaseline(baseline: PlannedBaseline) -> impl IntoView {
    let words = afterwards(&baseline);
    let old = baseline.now.as_ref().map(|now| now.content.lines());
    let sha256 = baseline.now.as_ref().map(|now| now.sha256.clone());
    let new = baseline.becomes.as_ref().map(|content| content.lines());
    let name = if baseline.baseline_id.is_empty() {
        baseline.name.clone().into_any()
    } else {
        view! { <a href=view_path(&baseline.baseline_id)>{baseline.name.clone()}</a> }.into_any()
    };
    view! {
        <Fact label="Baseline">{name}</Fact>
        <Fact label="Operating system">{system_label(&baseline.operating_system).to_owned()}</Fact>
        {sha256
            .map(|sha256| {
                let short = sha256.get(..12).unwrap_or_default().to_owned();
                view! {
                    <Fact label="What it says now">
                        <span class="mono" title=sha256>{short}</span>
                    </Fact>
                }
            })}
        {(!baseline.displaces.is_empty())
            .then(|| {
                view! {
                    <Fact label="Takes the place of">
                        <a class="mono" href=view_path(&baseline.displaces)>
                            {short_id(&baseline.displaces).to_owned()}
                        </a>
                    </Fact>
                }
            })}
        {(!words.is_empty()).then(|| view! { <Fact label="Afterwards"><span data-afterwards="">{words}</span></Fact> })}
        {match (old, new) {
            (old, Some(new)) => {
                let old = old.unwrap_or_default();
                view! {
                    <Fact label="Changes">
                        {if old == new {
                            view! { "It says the same as now." }.into_any()
                        } else {
                            view! { <TextDiff old new label="What would change" /> }.into_any()
                        }}
                    </Fact>
                }
                    .into_any()
            }
            (Some(old), None) => view! { <Fact label="It says"><pre class="code">{old}</pre></Fact> }.into_any(),
            (None, None) => ().into_any(),
        }}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_it_is_said_unless_the_lines_do() {
        let mut baseline = PlannedBaseline {
            does: BaselineAct::AddGroup,
            baseline_id: "pb-1".into(),
            name: "web".into(),
            operating_system: "DEBIAN".into(),
            now: None,
            becomes: None,
            group: "Web".into(),
            displaces: String::new(),
        };
        assert!(afterwards(&baseline).contains("Debian Server in the patch group Web"));
        baseline.does = BaselineAct::Edit;
        assert_eq!(afterwards(&baseline), "");
    }
}

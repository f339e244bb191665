//! Letting nodes join: makes an activation and shows, this once, how to use it.

use super::activation_api::CreateActivation;
use crate::components::{
    CopyButton, Fact, FormError, Glyph, Icon, PageHead, SubmitButton, TextArea, TextField, TimeAgo, Tone,
};
use crate::error::{action_error, field_error};
use crate::forms::{action_answer, keep_fields};
use crate::layout::Permitted;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::action::Action;
use muster_domain::fleet::ActivationCreated;

/// The commands to run on the machine, as `(what it does, text)`.
fn steps(created: &ActivationCreated) -> Vec<(&'static str, String)> {
    let endpoint = created
        .endpoint
        .as_ref()
        .map(|endpoint| format!(" \\\n  --endpoint {endpoint}"))
        .unwrap_or_default();
    vec![
        (
            "Register the machine, once:",
            format!(
                "sudo muster agent register \\\n  --activation-id {} \\\n  --activation-code {} \\\n  --region {}{endpoint}",
                created.activation_id, created.activation_code, created.region
            ),
        ),
        ("Start the agent:", "sudo muster agent run".to_owned()),
    ]
}

/// The page.
#[component]
pub(crate) fn AddNodePage() -> impl IntoView {
    let create = ServerAction::<CreateActivation>::new();
    let error = action_error(create);
    keep_fields::<CreateActivation>();
    let answer = action_answer(create);
    let created = move || answer.get().and_then(Result::ok);
    view! {
        <nav class="crumbs" aria-label="Path">
            <a href="/fleet">"Fleet"</a>
            " / Add node"
        </nav>
        <PageHead
            title="Add node"
            subtitle=|| "An activation lets machines join as nodes, for as long and for as many as you say."
        />
        <Permitted action=Action::FleetCreateActivation what="let nodes join">
            {move || match created() {
                Some(created) => view! { <Created created /> }.into_any(),
                None => {
                    view! {
                        <section class="card card-body">
                            <ActionForm action=create attr:class="form">
                                <FormError error />
                                <TextField
                                    name="description"
                                    label="What it is for"
                                    hint="Shown in Systems Manager, so that others know."
                                    placeholder="Web servers in Frankfurt"
                                    error=field_error(error, "description")
                                />
                                <TextField
                                    name="default_instance_name"
                                    label="Name for joining nodes"
                                    hint="May stay empty: then a node shows its computer name."
                                    error=field_error(error, "default_instance_name")
                                />
                                <div class="form-row">
                                    <TextField
                                        name="registration_limit"
                                        label="How many may join"
                                        kind="number"
                                        value="1"
                                        min="1"
                                        max="1000"
                                        error=field_error(error, "registration_limit")
                                    />
                                    <TextField
                                        name="expires_in_hours"
                                        label="Valid for, in hours"
                                        kind="number"
                                        value="24"
                                        min="1"
                                        max="720"
                                        error=field_error(error, "expires_in_hours")
                                    />
                                </div>
                                <TextArea
                                    name="tags"
                                    label="Tags for joining nodes"
                                    hint="Key=Value, one a line. Tags decide who may act on a node."
                                    rows=3
                                    mono=true
                                    placeholder="Environment=Staging"
                                    error=field_error(error, "tags")
                                />
                                <div class="row">
                                    <SubmitButton tone=Tone::Primary pending=create.pending()>
                                        "Create activation"
                                    </SubmitButton>
                                    <a class="btn" href="/fleet">
                                        "Cancel"
                                    </a>
                                </div>
                            </ActionForm>
                        </section>
                    }
                        .into_any()
                }
            }}
        </Permitted>
    }
}

#[component]
fn Created(created: ActivationCreated) -> impl IntoView {
    let steps = steps(&created);
    view! {
        <section class="card stack activation" aria-labelledby="created-title">
            <div class="card-body stack">
                <h2 id="created-title">"Activation created"</h2>
                <div class="notice warn" role="status">
                    <Icon glyph=Glyph::Warning />
                    <div>
                        <strong>"The code is shown only now."</strong>
                        " Copy it before you leave this page. Whoever has it can join as a node until it expires."
                    </div>
                </div>
                <dl class="facts">
                    <Fact label="Activation id">
                        <span class="mono">{created.activation_id.clone()}</span>
                        " "
                        <CopyButton text=created.activation_id.clone() label="Copy the activation id" />
                    </Fact>
                    <Fact label="Activation code">
                        <span class="mono" data-secret="">
                            {created.activation_code.clone()}
                        </span>
                        " "
                        <CopyButton text=created.activation_code.clone() label="Copy the activation code" />
                    </Fact>
                    <Fact label="Region">{created.region.clone()}</Fact>
                    <Fact label="Expires">
                        <TimeAgo at=created.expires_at />
                    </Fact>
                </dl>
                <h3>"On the machine"</h3>
                {steps
                    .into_iter()
                    .map(|(what, text)| {
                        view! {
                            <div class="code-step">
                                <div class="row">
                                    <span class="muted grow">{what}</span>
                                    <CopyButton text=text.clone() label="Copy the command" />
                                </div>
                                <pre class="code">{text}</pre>
                            </div>
                        }
                    })
                    .collect_view()}
                <p class="muted">
                    "The node appears in the fleet within seconds of its first report. An Amazon SSM Agent joins with the same id and code."
                </p>
                <div class="row">
                    <a class="btn primary" href="/fleet">
                        "Open fleet"
                    </a>
                </div>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::Timestamp;

    #[test]
    fn the_commands_name_the_endpoint_only_when_it_is_ours() {
        let mut created = ActivationCreated {
            activation_id: "id".into(),
            activation_code: "code".into(),
            region: "eu-west-1".into(),
            endpoint: None,
            expires_at: Timestamp(0),
        };
        assert!(!steps(&created)[0].1.contains("--endpoint"));
        created.endpoint = Some("http://127.0.0.1:3000".into());
        assert!(steps(&created)[0].1.ends_with("--endpoint http://127.0.0.1:3000"));
    }
}

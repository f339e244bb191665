//! The form that makes a parameter, or writes its next version against the one that was looked at.

use super::api::PutFn;
use super::ask_api::AskPut;
use super::url::view_path;
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{FormError, Glyph, Icon, SelectField, SubmitButton, TextArea, TextField, Tone};
use crate::error::{AppError, action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::parameters::{DATA_TYPES, ParameterDetail, ParameterKind, ParameterTier};

/// What the form begins with.
#[derive(Clone)]
pub(super) struct Begin {
    name: String,
    kind: ParameterKind,
    /// The version that is replaced; none makes a parameter.
    replaces: Option<i64>,
    value: String,
    tier: ParameterTier,
    data_type: String,
    key_id: String,
    description: String,
    allowed_pattern: String,
    policies: String,
}

impl Begin {
    /// A new parameter in a folder.
    pub(super) fn new(kind: ParameterKind, folder: &str) -> Self {
        Self {
            name: if folder.is_empty() {
                "/".to_owned()
            } else {
                format!("/{folder}/")
            },
            kind,
            replaces: None,
            value: String::new(),
            tier: ParameterTier::Standard,
            data_type: "text".into(),
            key_id: String::new(),
            description: String::new(),
            allowed_pattern: String::new(),
            policies: String::new(),
        }
    }

    /// What a parameter is now. A secret is not among it.
    ///
    /// # Errors
    /// Why it cannot be changed now.
    pub(super) fn of(detail: ParameterDetail) -> Result<Self, String> {
        let live = detail.live?;
        let summary = detail.summary;
        let policies = if summary.policies.is_empty() {
            String::new()
        } else {
            format!("[{}]", summary.policies.join(","))
        };
        Ok(Self {
            name: summary.name,
            kind: summary.kind,
            replaces: Some(summary.version),
            value: live.value.unwrap_or_default(),
            tier: summary.tier,
            data_type: summary.data_type,
            key_id: summary.key_id,
            description: summary.description,
            allowed_pattern: summary.allowed_pattern,
            policies,
        })
    }
}

/// The tiers that can be chosen: there is no way back from the advanced one.
fn tiers(now: ParameterTier, is_new: bool) -> Vec<(String, String)> {
    ParameterTier::ALL
        .iter()
        .filter(|tier| is_new || now != ParameterTier::Advanced || **tier != ParameterTier::Standard)
        .map(|tier| (tier.as_str().to_owned(), tier.label().to_owned()))
        .collect()
}

/// The id of the form.
const FORM_ID: &str = "put-parameter";

/// The form.
#[component]
pub(super) fn PutForm(begin: Begin) -> impl IntoView {
    keep_fields::<PutFn>();
    keep_fields::<AskPut>();
    let put = ServerAction::<PutFn>::new();
    let ask = ServerAction::<AskPut>::new();
    let (refused, ask_error) = (action_error(put), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let is_new = begin.replaces.is_none();
    let secret = begin.kind.is_secret();
    let back = if is_new {
        "/parameters".to_owned()
    } else {
        view_path(&begin.name)
    };
    let versions = format!("{back}#versions");
    let data_types = DATA_TYPES
        .iter()
        .filter(|(word, _)| *word != "aws:ec2:image" || begin.kind == ParameterKind::String)
        .map(|(word, label)| ((*word).to_owned(), (*label).to_owned()))
        .collect();
    let is_overtaken = move || {
        !is_new && error.with(|error| matches!(error, Some(AppError::Portal(PortalError::Conflict { .. }))))
    };
    view! {
        <section class="card" aria-labelledby="put-title">
            <header>
                <h2 id="put-title">
                    {match begin.replaces {
                        None => format!("A new {}", begin.kind.as_str()),
                        Some(version) => format!("Version {} of a {}", version + 1, begin.kind.as_str()),
                    }}
                </h2>
            </header>
            <div class="card-body">
                <ActionForm action=put attr:id=FORM_ID attr:class="form wide">
                    <FormError error />
                    {move || {
                        is_overtaken()
                            .then(|| {
                                view! {
                                    <p class="small-text" data-overtaken="">
                                        "What you typed is still here. "
                                        <a href=versions.clone() target="_blank" rel="external noopener">
                                            "Look at the versions in another tab"
                                        </a>
                                        ", then open Edit again."
                                    </p>
                                }
                            })
                    }}
                    <input type="hidden" name="kind" value=begin.kind.as_str() />
                    {match begin.replaces {
                        None => {
                            view! {
                                <TextField
                                    name="name"
                                    label="Name"
                                    value=begin.name
                                    hint="Slashes make folders: /app/production/db-host. Letters, digits and . - _, up to 15 levels."
                                    required=true
                                    error=field_error(error, "name")
                                />
                            }
                                .into_any()
                        }
                        Some(version) => {
                            view! {
                                <input type="hidden" name="name" value=begin.name />
                                <input type="hidden" name="replaces" value=version.to_string() />
                            }
                                .into_any()
                        }
                    }}
                    {if secret {
                        view! {
                            <TextArea
                                name="secret_value"
                                id="value"
                                label=if is_new { "Value" } else { "New value" }
                                rows=4
                                mono=true
                                hint=if is_new {
                                    "It is encrypted by Systems Manager and kept nowhere else."
                                } else {
                                    "The secret is not shown here. Leave this empty, and it stays as it is."
                                }
                                error=field_error(error, "value")
                            />
                            <TextField
                                name="key_id"
                                label="Key"
                                value=begin.key_id
                                placeholder="alias/aws/ssm"
                                hint="Of the key management service, by alias, id or ARN. Empty is the account's own."
                                error=field_error(error, "key_id")
                            />
                        }
                            .into_any()
                    } else {
                        view! {
                            <TextArea
                                name="value"
                                label="Value"
                                rows=6
                                mono=true
                                value=begin.value
                                hint=if begin.kind == ParameterKind::StringList {
                                    "Separated by commas, without blanks. Not for secrets: everybody who may look sees it."
                                } else {
                                    "Not for secrets: everybody who may look sees it. A secret is a SecureString."
                                }
                                error=field_error(error, "value")
                            />
                        }
                            .into_any()
                    }}
                    <TextArea
                        name="description"
                        label="Description (optional)"
                        rows=2
                        value=begin.description
                        error=field_error(error, "description")
                    />
                    <div class="form-row">
                        <SelectField
                            name="tier"
                            label="Tier"
                            options=tiers(begin.tier, is_new)
                            selected=begin.tier.as_str()
                            hint="AWS charges for Advanced, and there is no way back."
                            error=field_error(error, "tier")
                        />
                        <SelectField
                            name="data_type"
                            label="Data type"
                            options=data_types
                            selected=begin.data_type
                            error=field_error(error, "data_type")
                        />
                        <TextField
                            name="allowed_pattern"
                            label="Allowed pattern (optional)"
                            value=begin.allowed_pattern
                            placeholder="[a-z]+"
                            hint="A regular expression that values have to match."
                            error=field_error(error, "allowed_pattern")
                        />
                    </div>
                    <TextArea
                        name="policies"
                        label="Policies (optional)"
                        rows=2
                        mono=true
                        value=begin.policies
                        placeholder="[{\"Type\":\"Expiration\",\"Version\":\"1.0\",\"Attributes\":{\"Timestamp\":\"2030-01-01T00:00:00Z\"}}]"
                        hint="A list in JSON: Expiration, ExpirationNotification, NoChangeNotification. They take the advanced tier."
                        error=field_error(error, "policies")
                    />
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: FORM_ID, now: "Write it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=put.pending()>
                            <Icon glyph=Glyph::Check />
                            {if is_new { "Create parameter" } else { "Write version" }}
                        </SubmitButton>
                        <a class="btn quiet" href=back>
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_way_back_from_the_advanced_tier() {
        let words =
            |now, is_new| -> Vec<String> { tiers(now, is_new).into_iter().map(|(word, _)| word).collect() };
        assert_eq!(
            words(ParameterTier::Advanced, false),
            ["Advanced", "Intelligent-Tiering"]
        );
        assert_eq!(words(ParameterTier::Standard, true).len(), 3);
        assert_eq!(Begin::new(ParameterKind::String, "app/prod").name, "/app/prod/");
    }
}

//! The form that makes a baseline, or lets one say something else than what was looked at.

use super::baseline_api::PutBaseline;
use super::baseline_ask_api::AskPutBaseline;
use super::baseline_url::view_path;
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{
    CheckField, FormError, Glyph, Icon, SelectField, SubmitButton, TextArea, TextField, Tone,
};
use crate::error::{AppError, action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::PortalError;
use muster_domain::patching::{
    ApprovalRule, BaselineContent, BaselineDetail, COMPLIANCE_LEVELS, MAX_RULES, OPERATING_SYSTEMS,
    PatchFilter, REJECTED_ACTIONS, system_label,
};

/// What the form begins with.
#[derive(Clone)]
pub(super) struct Begin {
    /// The baseline that is changed, and what it said when it was looked at; none makes one.
    of: Option<(String, String)>,
    content: BaselineContent,
}

impl Begin {
    /// A new baseline.
    pub(super) fn new() -> Self {
        Self {
            of: None,
            content: BaselineContent {
                operating_system: "DEBIAN".into(),
                approved_level: "UNSPECIFIED".into(),
                rejected_action: "ALLOW_AS_DEPENDENCY".into(),
                rules: vec![ApprovalRule {
                    filters: vec![PatchFilter {
                        key: "PRODUCT".into(),
                        values: vec!["*".into()],
                    }],
                    compliance_level: "UNSPECIFIED".into(),
                    approve_after_days: Some(7),
                    approve_until_date: None,
                    enable_non_security: false,
                }],
                ..BaselineContent::default()
            },
        }
    }

    /// A new baseline that says what another one does.
    pub(super) fn copy(detail: BaselineDetail) -> Self {
        let mut content = detail.summary.content;
        // Names of those that come with Systems Manager begin so.
        let name = content.name.trim_start_matches("AWS-").to_owned();
        content.name = format!("Own-{name}").chars().take(128).collect();
        Self { of: None, content }
    }

    /// What a baseline says now.
    pub(super) fn of(detail: BaselineDetail) -> Self {
        Self {
            of: Some((detail.summary.baseline_id, detail.summary.sha256)),
            content: detail.summary.content,
        }
    }
}

fn levels() -> Vec<(String, String)> {
    COMPLIANCE_LEVELS
        .iter()
        .map(|level| ((*level).to_owned(), (*level).to_owned()))
        .collect()
}

fn words(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(word, label)| ((*word).to_owned(), (*label).to_owned()))
        .collect()
}

const FORM_ID: &str = "put-baseline";

/// One rule. Its fields have its number.
#[component]
fn RuleFields(at: usize, rule: Option<ApprovalRule>, error: Signal<Option<AppError>>) -> impl IntoView {
    let is_new = rule.is_none();
    let rule = rule.unwrap_or_else(|| ApprovalRule {
        filters: Vec::new(),
        compliance_level: "UNSPECIFIED".into(),
        approve_after_days: None,
        approve_until_date: None,
        enable_non_security: false,
    });
    let about = move |field: &str| {
        let field = format!("{field}.{at}");
        Signal::derive(move || error.with(|error| error.as_ref().and_then(|error| error.about(&field))))
    };
    view! {
        <fieldset class="baseline-rule">
            <legend>{if is_new { "Another rule (optional)".to_owned() } else { format!("Rule {}", at + 1) }}</legend>
            <TextArea
                name=format!("filters[{at}]")
                id=format!("filters-{at}")
                label="Which patches"
                rows=3
                mono=true
                value=PatchFilter::write(&rule.filters)
                placeholder="CLASSIFICATION=Security"
                hint="One condition a line, values separated by commas. All conditions hold; PRODUCT=* is all patches."
                error=about("filters")
            />
            <div class="form-row">
                <TextField
                    name=format!("days[{at}]")
                    id=format!("days-{at}")
                    label="Approve after days"
                    value=rule.approve_after_days.map(|days| days.to_string()).unwrap_or_default()
                    hint="0 to 360, after they came out."
                    error=about("days")
                />
                <TextField
                    name=format!("until[{at}]")
                    id=format!("until-{at}")
                    label="Or until date"
                    value=rule.approve_until_date.clone().unwrap_or_default()
                    placeholder="2030-01-31"
                    hint="Those that came out until then."
                    error=about("until")
                />
                <SelectField
                    name=format!("levels[{at}]")
                    id=format!("levels-{at}")
                    label="Missing ones count as"
                    options=levels()
                    selected=rule.compliance_level.clone()
                    error=about("levels")
                />
            </div>
            <CheckField
                name=format!("non_security[{at}]")
                label="Also updates that are no security updates"
                checked=rule.enable_non_security
            />
        </fieldset>
    }
}

/// The form.
#[component]
pub(super) fn BaselineForm(begin: Begin) -> impl IntoView {
    keep_fields::<PutBaseline>();
    keep_fields::<AskPutBaseline>();
    let put = ServerAction::<PutBaseline>::new();
    let ask = ServerAction::<AskPutBaseline>::new();
    let (refused, ask_error) = (action_error(put), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let content = begin.content;
    let is_new = begin.of.is_none();
    let back = match &begin.of {
        Some((id, _)) => view_path(id),
        None => "/patching/baselines".to_owned(),
    };
    let versions = format!("{back}#versions");
    let is_overtaken = move || {
        !is_new && error.with(|error| matches!(error, Some(AppError::Portal(PortalError::Conflict { .. }))))
    };
    let system = content.operating_system.clone();
    let blank = (content.rules.len() < MAX_RULES).then_some(None);
    let rules: Vec<Option<ApprovalRule>> = content.rules.iter().cloned().map(Some).chain(blank).collect();
    view! {
        <ActionForm action=put attr:id=FORM_ID attr:class="stack">
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
            {begin
                .of
                .map(|(id, seen)| {
                    view! {
                        <input type="hidden" name="baseline_id" value=id />
                        <input type="hidden" name="seen" value=seen />
                    }
                })}
            <section class="card" aria-labelledby="names-title">
                <header>
                    <h2 id="names-title">"What it is"</h2>
                </header>
                <div class="card-body form wide">
                    <TextField
                        name="name"
                        label="Name"
                        value=content.name.clone()
                        hint="3 to 128 letters, digits and . - _"
                        required=true
                        error=field_error(error, "name")
                    />
                    {if is_new {
                        view! {
                            <SelectField
                                name="operating_system"
                                label="Operating system"
                                options=words(&OPERATING_SYSTEMS)
                                selected=system
                                hint="It cannot be changed later."
                                error=field_error(error, "operating_system")
                            />
                        }
                            .into_any()
                    } else {
                        view! {
                            <input type="hidden" name="operating_system" value=system.clone() />
                            <p class="muted small-text">{format!("For {}.", system_label(&system))}</p>
                        }
                            .into_any()
                    }}
                    <TextArea
                        name="description"
                        label="Description (optional)"
                        rows=2
                        value=content.description.clone()
                        error=field_error(error, "description")
                    />
                </div>
            </section>
            <section class="card" aria-labelledby="rules-title">
                <header>
                    <h2 id="rules-title">"Rules"</h2>
                    <span class="aside">"the first that fits holds"</span>
                </header>
                <div class="card-body form wide">
                    <p class="muted small-text">"To remove a rule, empty its conditions, its days and its date."</p>
                    {rules
                        .into_iter()
                        .enumerate()
                        .map(|(at, rule)| view! { <RuleFields at rule error /> })
                        .collect_view()}
                </div>
            </section>
            <section class="card" aria-labelledby="named-title">
                <header>
                    <h2 id="named-title">"Patches by name"</h2>
                </header>
                <div class="card-body form wide">
                    <TextArea
                        name="approved_patches"
                        label="Approved (optional)"
                        rows=3
                        mono=true
                        value=content.approved_patches.join("\n")
                        hint="One a line, up to 50: a name such as openssl*, or a KB number on Windows."
                        error=field_error(error, "approved_patches")
                    />
                    <SelectField
                        name="approved_level"
                        label="Missing approved ones count as"
                        options=levels()
                        selected=content.approved_level.clone()
                        error=field_error(error, "approved_level")
                    />
                    <CheckField
                        name="approved_non_security"
                        label="Approved ones may be other than security updates"
                        checked=content.approved_non_security
                    />
                    <TextArea
                        name="rejected_patches"
                        label="Rejected (optional)"
                        rows=3
                        mono=true
                        value=content.rejected_patches.join("\n")
                        hint="One a line, up to 50."
                        error=field_error(error, "rejected_patches")
                    />
                    <SelectField
                        name="rejected_action"
                        label="What becomes of rejected ones"
                        options=words(&REJECTED_ACTIONS)
                        selected=content.rejected_action.clone()
                        error=field_error(error, "rejected_action")
                    />
                    {(!content.sources.is_empty() || !content.global_filters.is_empty())
                        .then(|| {
                            view! {
                                <p class="muted small-text">
                                    "Its other repositories and what it is about at all stay as they are: the portal does not change those."
                                </p>
                            }
                        })}
                </div>
            </section>
            {move || {
                needs
                    .get()
                    .map(|refusal| {
                        let asking = Asking { action: ask, form: FORM_ID, now: "Change it now, unapproved" };
                        view! { <AskPanel refusal asking error=ask_error /> }
                    })
            }}
            <div class="row">
                <SubmitButton tone=Tone::Primary pending=put.pending()>
                    <Icon glyph=Glyph::Check />
                    {if is_new { "Create baseline" } else { "Save baseline" }}
                </SubmitButton>
                <a class="btn quiet" href=back>
                    "Cancel"
                </a>
            </div>
        </ActionForm>
    }
}

//! What is done with a baseline as a whole: leaving it behind, or saying for what it holds. Each is a card of its own with an
//! address, so that it can be asked for where policies want that.

use super::baseline_api::{ApplyBaseline, DeleteBaselineFn};
use super::baseline_ask_api::{AskApplyBaseline, AskDeleteBaseline};
use super::baseline_url::{Doing, view_path};
use super::exception_card::ExceptCard;
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{FormError, Glyph, Icon, SubmitButton, TextField, Tone};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::patching::{BaselineDetail, system_label};

/// The card for what the address says; nothing where there is nothing to do, or the actor may not.
#[component]
pub(super) fn Acts(detail: BaselineDetail, doing: Doing) -> impl IntoView {
    match doing {
        Doing::Delete if detail.may_delete && !detail.summary.is_given => {
            view! { <Delete detail /> }.into_any()
        }
        Doing::SetDefault | Doing::AddGroup | Doing::RemoveGroup(_) if detail.may_change => {
            view! { <Apply detail doing /> }.into_any()
        }
        Doing::Except if detail.may_change && !detail.summary.is_given => {
            view! { <ExceptCard detail /> }.into_any()
        }
        _ => ().into_any(),
    }
}

const DELETE_ID: &str = "delete-baseline";

#[component]
fn Delete(detail: BaselineDetail) -> impl IntoView {
    keep_fields::<DeleteBaselineFn>();
    keep_fields::<AskDeleteBaseline>();
    let delete = ServerAction::<DeleteBaselineFn>::new();
    let ask = ServerAction::<AskDeleteBaseline>::new();
    let (refused, ask_error) = (action_error(delete), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let summary = detail.summary;
    let name = summary.name.clone();
    let back = view_path(&summary.baseline_id);
    view! {
        <section class="card danger-card" aria-labelledby="delete-title">
            <header>
                <h2 id="delete-title">{format!("Delete {name}?")}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=delete attr:id=DELETE_ID attr:class="form wide">
                    <FormError error />
                    <p>
                        "It is gone for Systems Manager, and nothing brings it back; the portal keeps what it said. It cannot be deleted while it is a default or has patch groups."
                    </p>
                    <input type="hidden" name="baseline_id" value=summary.baseline_id.clone() />
                    <input type="hidden" name="seen" value=summary.sha256.clone() />
                    <input type="hidden" name="name" value=name.clone() />
                    <TextField
                        name="confirmation"
                        label="Type its name"
                        placeholder=name.clone()
                        required=true
                        error=field_error(error, "confirmation")
                    />
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: DELETE_ID, now: "Delete it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Danger pending=delete.pending()>
                            <Icon glyph=Glyph::Cross />
                            "Delete it"
                        </SubmitButton>
                        <a class="btn quiet" href=back data-escape="" data-noscroll="">
                            "Keep it"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

/// What the card says.
struct Words {
    what: &'static str,
    title: String,
    text: String,
    button: &'static str,
    group: Option<String>,
}

fn words(detail: &BaselineDetail, doing: &Doing) -> Words {
    let name = &detail.summary.name;
    let system = system_label(&detail.summary.operating_system);
    match doing {
        Doing::AddGroup => Words {
            what: "group",
            title: format!("Let {name} hold for a patch group"),
            text: format!(
                "It holds for nodes with {system} whose tag “Patch Group” says so, from their next scan on."
            ),
            button: "Add the group",
            group: None,
        },
        Doing::RemoveGroup(group) => Words {
            what: "ungroup",
            title: format!("Take the patch group {group} from {name}?"),
            text: format!("From their next scan on, nodes in it are held against the default for {system}."),
            button: "Take it away",
            group: Some(group.clone()),
        },
        _ => Words {
            what: "default",
            title: format!("Let {name} be the default for {system}?"),
            text: format!(
                "From their next scan on, all nodes with {system} are held against it whose patch group has no baseline of \
                 its own. To undo this, set the one as default that is it now."
            ),
            button: "Set as default",
            group: None,
        },
    }
}

const APPLY_ID: &str = "apply-baseline";

#[component]
fn Apply(detail: BaselineDetail, doing: Doing) -> impl IntoView {
    keep_fields::<ApplyBaseline>();
    keep_fields::<AskApplyBaseline>();
    let apply = ServerAction::<ApplyBaseline>::new();
    let ask = ServerAction::<AskApplyBaseline>::new();
    let (refused, ask_error) = (action_error(apply), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let words = words(&detail, &doing);
    let summary = detail.summary;
    let back = view_path(&summary.baseline_id);
    view! {
        <section class="card" aria-labelledby="apply-title">
            <header>
                <h2 id="apply-title">{words.title}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=apply attr:id=APPLY_ID attr:class="form wide">
                    <FormError error />
                    <p>{words.text}</p>
                    <input type="hidden" name="baseline_id" value=summary.baseline_id.clone() />
                    <input type="hidden" name="seen" value=summary.sha256.clone() />
                    <input type="hidden" name="what" value=words.what />
                    {match words.group {
                        Some(group) => view! { <input type="hidden" name="group" value=group /> }.into_any(),
                        None if words.what == "group" => {
                            view! {
                                <TextField
                                    name="group"
                                    label="Patch group"
                                    placeholder="WebServers"
                                    required=true
                                    error=field_error(error, "group")
                                />
                            }
                                .into_any()
                        }
                        None => ().into_any(),
                    }}
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: APPLY_ID, now: "Do it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=apply.pending()>
                            {words.button}
                        </SubmitButton>
                        <a class="btn quiet" href=back data-escape="" data-noscroll="">
                            "Cancel"
                        </a>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

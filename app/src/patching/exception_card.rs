//! The card in which a patch is excepted on a baseline, and what an approver sees of that.

use super::baseline_url::view_path;
use super::exception_api::{AskException, GrantExceptionFn};
use crate::approvals::{AskPanel, Asking, needs_of};
use crate::components::{Fact, FormError, SubmitButton, TextArea, TextField, Tone};
use crate::error::{action_error, field_error};
use crate::forms::keep_fields;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::approvals::PlannedException;
use muster_domain::patching::{BaselineDetail, system_label};

const EXCEPT_ID: &str = "except-patch";

/// The form.
#[component]
pub(super) fn ExceptCard(detail: BaselineDetail) -> impl IntoView {
    keep_fields::<GrantExceptionFn>();
    keep_fields::<AskException>();
    let grant = ServerAction::<GrantExceptionFn>::new();
    let ask = ServerAction::<AskException>::new();
    let (refused, ask_error) = (action_error(grant), action_error(ask));
    let error = Signal::derive(move || ask_error.get().or_else(|| refused.get()));
    let needs = needs_of(refused, ask_error);
    let summary = detail.summary;
    let back = view_path(&summary.baseline_id);
    view! {
        <section class="card" aria-labelledby="except-title">
            <header>
                <h2 id="except-title">{format!("Except a patch on {}", summary.name)}</h2>
            </header>
            <div class="card-body">
                <ActionForm action=grant attr:id=EXCEPT_ID attr:class="form wide">
                    <FormError error />
                    <p>
                        "Until its day the baseline rejects the patch, so that nodes are not missing it. Then the portal takes it out again by itself."
                    </p>
                    <input type="hidden" name="baseline_id" value=summary.baseline_id.clone() />
                    <input type="hidden" name="seen" value=summary.sha256.clone() />
                    <div class="form-row">
                        <TextField
                            name="patch"
                            label="Patch"
                            placeholder="openssl*"
                            required=true
                            error=field_error(error, "patch")
                        />
                        <TextField
                            name="expires"
                            label="Until (day, UTC)"
                            placeholder="2030-01-31"
                            hint="Within a year, to the end of that day; or a moment such as 2030-01-31T12:00:00Z."
                            required=true
                            error=field_error(error, "expires")
                        />
                    </div>
                    <TextArea
                        name="because"
                        label="Why nodes cannot have it"
                        rows=2
                        required=true
                        error=field_error(error, "because")
                    />
                    <TextArea
                        name="control"
                        label="What protects them instead"
                        rows=2
                        required=true
                        hint="The compensating control."
                        error=field_error(error, "control")
                    />
                    {move || {
                        needs
                            .get()
                            .map(|refusal| {
                                let asking = Asking { action: ask, form: EXCEPT_ID, now: "Grant it now, unapproved" };
                                view! { <AskPanel refusal asking error=ask_error /> }
                            })
                    }}
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=grant.pending()>
                            "Except the patch"
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

/// What a request for an exception would do, for those who decide on it.
#[component]
pub(crate) fn WillExcept(exception: PlannedException) -> impl IntoView {
    view! {
        <Fact label="Baseline">
            <a href=view_path(&exception.baseline_id)>{exception.baseline.clone()}</a>
        </Fact>
        <Fact label="Operating system">{system_label(&exception.operating_system).to_owned()}</Fact>
        <Fact label="Patch">
            <span class="mono break-anywhere">{exception.patch.clone()}</span>
        </Fact>
        <Fact label="Why">
            <span data-because="">{exception.because.clone()}</span>
        </Fact>
        <Fact label="Instead">{exception.control.clone()}</Fact>
        <Fact label="Until">{exception.expires_at.readable()}</Fact>
        <Fact label="Afterwards">"The baseline rejects the patch until then; the portal takes it out again by itself."</Fact>
    }
}

//! What else can be done with a request: use it, take it back, remind those who can decide, ask for more time.

use super::api::{ExtendRequest, RemindDeciders, WithdrawRequest};
use super::request_view::Shown;
use crate::components::{
    ConfirmDialog, DialogCancel, FormError, Glyph, Icon, SubmitButton, Tone, close_dialogs, use_toaster,
};
use crate::error::{AppError, action_error};
use crate::url::address;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use muster_domain::approvals::{PlanSubject, RequestDetail};

/// Where an approval is used; nothing where it is not used by hand.
fn use_address(detail: &RequestDetail) -> Option<String> {
    let PlanSubject::Terminal { os_user, .. } = &detail.plan.subject else {
        return None;
    };
    let node = detail.plan.nodes.first()?;
    detail.may_use.then(|| {
        address(
            "/terminals/new",
            [
                ("node", node.node_id.to_string()),
                ("request", detail.summary.request_id.to_string()),
                ("os_user", os_user.clone()),
            ],
        )
    })
}

/// Which of the acts there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Offered {
    use_at: Option<String>,
    withdraw: bool,
    remind: bool,
    extend: bool,
}

/// Says what came of an act without an answer, and looks at the request again.
fn announce<S>(action: ServerAction<S>, shown: Shown, said: &'static str)
where
    S: ServerFn<Output = (), Error = AppError> + Clone + Send + Sync + 'static,
{
    let toaster = use_toaster();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => {
            close_dialogs();
            toaster.say(said);
            shown.acted();
        }
        Some(Err(_)) => shown.renew(),
        None => {}
    });
}

/// The buttons; nothing where there is nothing to do.
#[component]
pub(super) fn Acts(shown: Shown) -> impl IntoView {
    let withdraw = ServerAction::<WithdrawRequest>::new();
    let remind = ServerAction::<RemindDeciders>::new();
    let extend = ServerAction::<ExtendRequest>::new();
    announce(withdraw, shown, "The request is withdrawn.");
    announce(remind, shown, "Those who can decide were reminded.");
    announce(extend, shown, "The request waits its whole time again.");
    let (withdraw_error, remind_error, extend_error) =
        (action_error(withdraw), action_error(remind), action_error(extend));
    let offered = Memo::new(move |_| {
        shown.detail.with(|detail| Offered {
            use_at: use_address(detail),
            withdraw: detail.may_withdraw,
            remind: detail.may_remind,
            extend: detail.may_extend,
        })
    });
    let id = StoredValue::new(shown.id());
    view! {
        <FormError error=remind_error />
        <FormError error=extend_error />
        {move || {
            let offered = offered.get();
            (offered != Offered::default())
                .then(|| {
                    view! {
                        <div class="row request-acts">
                            {offered
                                .use_at
                                .map(|href| {
                                    view! {
                                        <a class="btn primary" href=href data-use="">
                                            <Icon glyph=Glyph::Terminal />
                                            "Open the terminal"
                                        </a>
                                    }
                                })}
                            {offered
                                .remind
                                .then(|| {
                                    view! {
                                        <ActionForm action=remind>
                                            <input type="hidden" name="request_id" value=id.get_value() />
                                            <SubmitButton pending=remind.pending()>"Remind"</SubmitButton>
                                        </ActionForm>
                                    }
                                })}
                            {offered
                                .extend
                                .then(|| {
                                    view! {
                                        <ActionForm action=extend>
                                            <input type="hidden" name="request_id" value=id.get_value() />
                                            <SubmitButton pending=extend.pending()>"Ask for more time"</SubmitButton>
                                        </ActionForm>
                                    }
                                })}
                            {offered
                                .withdraw
                                .then(|| {
                                    view! {
                                        <ConfirmDialog
                                            id="withdraw-request"
                                            trigger="Withdraw"
                                            title=format!("Withdraw {}?", id.get_value())
                                            tone=Tone::Danger
                                        >
                                            <p>"Nothing of it will run. To have it all the same, ask again."</p>
                                            <ActionForm action=withdraw>
                                                <input type="hidden" name="request_id" value=id.get_value() />
                                                <FormError error=withdraw_error />
                                                <div class="dialog-actions">
                                                    <DialogCancel id="withdraw-request" label="Keep it" />
                                                    <SubmitButton tone=Tone::Danger pending=withdraw.pending()>
                                                        "Withdraw request"
                                                    </SubmitButton>
                                                </div>
                                            </ActionForm>
                                        </ConfirmDialog>
                                    }
                                })}
                        </div>
                    }
                })
        }}
    }
}

//! What else can be done with a request: use it, take it back, remind those who can decide, ask for more time.

use super::api::{ExtendRequest, RemindDeciders, WithdrawRequest};
use super::request_view::Shown;
use crate::components::{
    ConfirmDialog, DialogCancel, FormError, Glyph, Icon, SubmitButton, Tone, close_dialogs, use_toaster,
};
use crate::error::{AppError, action_error};
use crate::parameters::use_path;
use crate::url::address;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use muster_domain::approvals::{PlanSubject, RequestDetail, RequestSummary};
use muster_domain::sessions::is_default;

/// Characters of a session's reason at most.
const SESSION_REASON: usize = 256;

/// What the terminal is for, as the session keeps it: one line, with the ticket.
fn session_reason(request: &RequestSummary) -> String {
    let line = request.reason.lines().next().unwrap_or_default();
    let said = if request.ticket.is_empty() {
        line.to_owned()
    } else {
        format!("{}: {line}", request.ticket)
    };
    said.chars().take(SESSION_REASON).collect()
}

/// Where an approval is used; nothing where it is not used by hand.
fn use_address(detail: &RequestDetail) -> Option<String> {
    if let PlanSubject::Parameter { parameter } = &detail.plan.subject {
        let request = detail.summary.request_id.as_str();
        return detail
            .may_use
            .then(|| use_path(&parameter.name, parameter.revealed, request));
    }
    let PlanSubject::Terminal {
        os_user, document, ..
    } = &detail.plan.subject
    else {
        return None;
    };
    let node = detail.plan.nodes.first()?;
    detail.may_use.then(|| {
        let chosen = (!is_default(document)).then(|| ("document", document.clone()));
        let rest = [
            ("node", node.node_id.to_string()),
            ("request", detail.summary.request_id.to_string()),
            ("os_user", os_user.clone()),
            ("reason", session_reason(&detail.summary)),
        ];
        address("/terminals/new", rest.into_iter().chain(chosen))
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
    let is_secret = shown
        .detail
        .with_untracked(|detail| matches!(detail.plan.subject, PlanSubject::Parameter { .. }));
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
                                            {if is_secret {
                                                view! {
                                                    <Icon glyph=Glyph::Eye />
                                                    "Look at the secret"
                                                }
                                                    .into_any()
                                            } else {
                                                view! {
                                                    <Icon glyph=Glyph::Terminal />
                                                    "Open the terminal"
                                                }
                                                    .into_any()
                                            }}
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

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(may_use: bool) -> RequestDetail {
        serde_json::from_value(serde_json::json!({
            "summary": {
                "request_id": "CR-7", "act": "sessions.start", "title": "Terminal as root on db-1", "requester": "op",
                "asked_at": 0, "state": "Approved", "expires_at": 0, "usable_until": 1, "ended_at": null, "given": 1,
                "needed": 1, "nodes": 1, "in_production": 0, "reason": "Disk full\nsecond line", "ticket": "OPS-1",
                "glass_broken": false, "review_due_at": null, "is_own": true, "waits_for_me": false, "alike": null,
            },
            "plan": {
                "act": "sessions.start",
                "subject": {"does": "terminal", "os_user": "root", "minutes": 60},
                "targets": "db-1",
                "nodes": [{"node_id": "mi-1", "name": "db-1", "environment": ""}],
                "not_before": null,
            },
            "digest": "", "generation": 1, "changed": [], "caution": "", "texts": null, "tracks": [], "decisions": [],
            "blast": {"by_environment": [], "online": 1, "not_reporting": 0, "with_terminals": 0, "reboot_pending": null},
            "past": [], "outcome": null, "problem": "", "history": [], "windows": [], "runs_at": null,
            "why_not_decide": "", "stands_in": [], "deciders": [], "may_withdraw": true, "may_extend": false, "may_remind": false,
            "may_use": may_use, "may_export": false, "may_review": false, "review": null,
        }))
        .unwrap()
    }

    #[test]
    fn an_approved_terminal_is_opened_as_it_was_approved() {
        assert_eq!(
            use_address(&terminal(true)).as_deref(),
            Some("/terminals/new?node=mi-1&request=CR-7&os_user=root&reason=OPS-1:%20Disk%20full")
        );
        assert_eq!(use_address(&terminal(false)), None);
    }
}

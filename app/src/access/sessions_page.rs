//! Where one is signed in, and how to end it.

use super::api::{RevokeSession, SignOutEverywhere, list_sessions};
use crate::components::{
    Badge, ConfirmDialog, DialogCancel, ErrorNotice, Keeper, PageHead, Skeleton, StatusBadge, SubmitButton,
    TableCard, TimeAgo, Tone, close_dialogs, use_toaster,
};
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::access::SessionView;

/// `Firefox on Linux` from what a browser says it is; cut short when it is something else.
fn browser(user_agent: &str) -> String {
    let find = |names: &[(&'static str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    // The order matters: browsers name their ancestors too.
    let program = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.into(),
        _ if user_agent.is_empty() => "Unknown program".into(),
        _ => user_agent.chars().take(40).collect(),
    }
}

/// The page.
#[component]
pub(crate) fn SessionsPage() -> impl IntoView {
    let revoke = ServerAction::<RevokeSession>::new();
    let everywhere = ServerAction::<SignOutEverywhere>::new();
    let toaster = use_toaster();
    let keeper = Keeper::here();
    let sessions = Resource::new(move || revoke.version().get(), |_| list_sessions());
    Effect::new(move |_| match revoke.value().get() {
        Some(Ok(())) => {
            close_dialogs();
            toaster.say("Session ended.");
        }
        Some(Err(error)) => toaster.complain(error.to_string()),
        None => {}
    });
    view! {
        <PageHead title="Sessions" subtitle=|| "Browsers in which you are signed in">
            <ConfirmDialog
                id="sign-out-everywhere"
                trigger="Sign out everywhere"
                title="Sign out in all browsers?"
                tone=Tone::Danger
            >
                <p>"All your sessions end, this one too. Commands that run go on."</p>
                <ActionForm action=everywhere>
                    <div class="dialog-actions">
                        <DialogCancel id="sign-out-everywhere" />
                        <SubmitButton tone=Tone::Danger pending=everywhere.pending()>
                            "Sign out everywhere"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </ConfirmDialog>
        </PageHead>
        <Transition fallback=|| view! { <div class="card"><Skeleton /></div> }>
            {move || {
                let keeper = keeper.clone();
                Suspend::new(async move {
                    match sessions.await {
                        Ok(sessions) => keeper.view(move || view! { <List sessions revoke /> }),
                        Err(error) => view! { <ErrorNotice error what="your sessions" /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn List(sessions: Vec<SessionView>, revoke: ServerAction<RevokeSession>) -> impl IntoView {
    view! {
        <TableCard label="Sessions">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Browser"</th>
                        <th scope="col">"Address"</th>
                        <th scope="col">"Signed in"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col">"Ends at the latest"</th>
                        <th scope="col">
                            <span class="visually-hidden">"Acts"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {sessions.into_iter().map(|session| view! { <Line session revoke /> }).collect_view()}
                </tbody>
            </table>
        </TableCard>
    }
}

#[component]
fn Line(session: SessionView, revoke: ServerAction<RevokeSession>) -> impl IntoView {
    let name = browser(&session.user_agent);
    let dialog = format!("revoke-{}", session.id);
    let title = format!("End the session of {name} at {}?", session.address);
    view! {
        <tr data-row="" tabindex="-1">
            <td>
                <div class="two-lines" title=session.user_agent.clone()>
                    <span class="strong">{name}</span>
                    {session.current.then(|| view! { <small><StatusBadge badge=Badge::Ok label="This browser" /></small> })}
                </div>
            </td>
            <td class="mono nowrap">{session.address.clone()}</td>
            <td class="muted nowrap">
                <TimeAgo at=session.signed_in_at />
            </td>
            <td class="muted nowrap">
                <TimeAgo at=session.last_seen_at />
            </td>
            <td class="muted nowrap">
                <TimeAgo at=session.expires_at />
            </td>
            <td class="right">
                {(!session.current)
                    .then(|| {
                        view! {
                            <ConfirmDialog id=dialog.clone() trigger="End" title small=true>
                                <p>"Whoever uses it has to sign in again."</p>
                                <ActionForm action=revoke>
                                    <input type="hidden" name="session_id" value=session.id.to_string() />
                                    <div class="dialog-actions">
                                        <DialogCancel id=dialog.clone() />
                                        <SubmitButton tone=Tone::Danger pending=revoke.pending()>
                                            "End session"
                                        </SubmitButton>
                                    </div>
                                </ActionForm>
                            </ConfirmDialog>
                        }
                    })}
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_named_by_program_and_system() {
        for (text, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0",
                "Edge on Windows",
            ),
            ("curl/8.1", "curl/8.1"),
            ("", "Unknown program"),
        ] {
            assert_eq!(browser(text), name);
        }
    }
}

//! One's own API tokens: which there are, a new one that is shown once, and taking one back.

use super::profile_page::place;
use super::tokens_api::{CreateToken, RevokeToken, list_tokens};
use crate::components::{
    ConfirmDialog, CopyButton, DialogCancel, Empty, EmptyState, ErrorNotice, FormError, Glyph, Icon, Keeper,
    PageHead, Skeleton, SubmitButton, TableCard, TextField, TimeAgo, Tone, close_dialogs, use_toaster,
};
use crate::error::{action_error, field_error};
use crate::forms::{action_answer, keep_fields};
use crate::layout::use_frame;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::access::{GrantView, MAX_TOKEN_DAYS, TokenCreated, TokenView};

/// What a token may do: what its owner may.
fn rights(grants: &[GrantView]) -> String {
    let all: Vec<String> = grants
        .iter()
        .map(|grant| format!("{} {}", grant.role.as_str(), place(&grant.scope)))
        .collect();
    match all.as_slice() {
        [] => "nothing yet, as you have no role".to_owned(),
        all => all.join("; "),
    }
}

/// The page.
#[component]
pub(crate) fn TokensPage() -> impl IntoView {
    let create = ServerAction::<CreateToken>::new();
    let revoke = ServerAction::<RevokeToken>::new();
    let toaster = use_toaster();
    let keeper = Keeper::here();
    let tokens = Resource::new(
        move || (create.version().get(), revoke.version().get()),
        |_| list_tokens(),
    );
    Effect::new(move |_| match revoke.value().get() {
        Some(Ok(())) => {
            close_dialogs();
            toaster.say("Token taken back.");
        }
        Some(Err(error)) => toaster.complain(error.to_string()),
        None => {}
    });
    let answer = action_answer(create);
    let created = move || answer.get().and_then(Result::ok);
    view! {
        <PageHead
            title="API tokens"
            subtitle=|| "With a token a program acts as you: the command line, a script, a tunnel."
        />
        <div class="grid-main">
            <div class="stack">
                {move || created().map(|created| view! { <Created created /> })}
                <Transition fallback=|| view! { <div class="card"><Skeleton /></div> }>
                    {move || {
                        let keeper = keeper.clone();
                        Suspend::new(async move {
                            match tokens.await {
                                Ok(tokens) => keeper.view(move || view! { <List tokens revoke /> }),
                                Err(error) => view! { <ErrorNotice error what="your tokens" /> }.into_any(),
                            }
                        })
                    }}
                </Transition>
            </div>
            <NewToken create />
        </div>
    }
}

#[component]
fn NewToken(create: ServerAction<CreateToken>) -> impl IntoView {
    keep_fields::<CreateToken>();
    let form = NodeRef::<leptos::html::Form>::new();
    Effect::new(move |_| {
        if let (Some(Ok(_)), Some(form)) = (create.value().get(), form.get_untracked()) {
            form.reset();
        }
    });
    let error = action_error(create);
    let frame = use_frame();
    view! {
        <section class="card" aria-labelledby="new-token-title">
            <header>
                <h2 id="new-token-title">"New token"</h2>
            </header>
            <div class="card-body">
                <ActionForm action=create node_ref=form attr:class="form">
                    <FormError error />
                    <TextField
                        name="name"
                        label="What it is for"
                        hint="So that you know later which one to take back."
                        placeholder="Backup job on build-3"
                        required=true
                        error=field_error(error, "name")
                    />
                    <TextField
                        name="days"
                        label="Valid for, in days"
                        kind="number"
                        value="30"
                        min="1"
                        max=MAX_TOKEN_DAYS.to_string()
                        required=true
                        error=field_error(error, "days")
                    />
                    <p class="muted small-text">
                        "It may do what you may at that time, but not make other tokens. What you may now:"
                    </p>
                    <Transition fallback=|| ()>
                        {move || Suspend::new(async move {
                            frame
                                .await
                                .ok()
                                .map(|frame| view! { <p class="small-text strong">{rights(&frame.profile.grants)}</p> })
                        })}
                    </Transition>
                    <div class="row">
                        <SubmitButton tone=Tone::Primary pending=create.pending()>
                            "Create token"
                        </SubmitButton>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

#[component]
fn Created(created: TokenCreated) -> impl IntoView {
    let command = format!("export MUSTER_TOKEN={}", created.secret);
    view! {
        <section class="card" aria-labelledby="token-created-title">
            <div class="card-body stack">
                <h2 id="token-created-title">"Token created"</h2>
                <div class="notice warn" role="status">
                    <Icon glyph=Glyph::Warning />
                    <div>
                        <strong>"The token is shown only now."</strong>
                        " Copy it before you leave this page. Whoever has it acts as you until it ends or is taken back."
                    </div>
                </div>
                <div class="code-step">
                    <div class="row">
                        <span class="muted grow">"The token:"</span>
                        <CopyButton text=created.secret.clone() label="Copy the token" />
                    </div>
                    <pre class="code" data-secret="">
                        {created.secret}
                    </pre>
                </div>
                <div class="code-step">
                    <div class="row">
                        <span class="muted grow">"For the command line:"</span>
                        <CopyButton text=command.clone() label="Copy the command" />
                    </div>
                    <pre class="code">{command}</pre>
                </div>
                <p class="muted small-text">
                    "Other programs send it with each request, as " <code>"Authorization: Bearer …"</code> "."
                </p>
            </div>
        </section>
    }
}

#[component]
fn List(tokens: Vec<TokenView>, revoke: ServerAction<RevokeToken>) -> impl IntoView {
    if tokens.is_empty() {
        return view! {
            <section class="card">
                <EmptyState kind=Empty::NothingExists title="You have no token">
                    <p>"Make one where a program has to act as you. Your password is for browsers only."</p>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    view! {
        <TableCard label="Your tokens">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"For"</th>
                        <th scope="col">"Created"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col">"Ends"</th>
                        <th scope="col">
                            <span class="visually-hidden">"Acts"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{tokens.into_iter().map(|token| view! { <Line token revoke /> }).collect_view()}</tbody>
            </table>
        </TableCard>
    }
    .into_any()
}

#[component]
fn Line(token: TokenView, revoke: ServerAction<RevokeToken>) -> impl IntoView {
    let dialog = format!("revoke-{}", token.id);
    let title = format!("Take back “{}”?", token.name);
    view! {
        <tr data-row="" tabindex="-1">
            <td class="strong">{token.name.clone()}</td>
            <td class="muted nowrap">
                <TimeAgo at=token.created_at />
            </td>
            <td class="muted nowrap">
                {match token.last_used_at {
                    Some(at) => view! { <TimeAgo at /> }.into_any(),
                    None => "never".into_any(),
                }}
            </td>
            <td class="muted nowrap">
                <TimeAgo at=token.expires_at />
            </td>
            <td class="right">
                <ConfirmDialog id=dialog.clone() trigger="Take back" title small=true>
                    <p>"Programs that use it are refused from then on. This cannot be undone."</p>
                    <ActionForm action=revoke>
                        <input type="hidden" name="token_id" value=token.id.to_string() />
                        <div class="dialog-actions">
                            <DialogCancel id=dialog.clone() />
                            <SubmitButton tone=Tone::Danger pending=revoke.pending()>
                                "Take back"
                            </SubmitButton>
                        </div>
                    </ActionForm>
                </ConfirmDialog>
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_do_what_its_owner_may() {
        assert!(rights(&[]).starts_with("nothing yet"));
    }
}

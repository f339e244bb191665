//! Checking that the log is intact, from the page.

use super::api::VerifyLog;
use crate::components::{ErrorNotice, Fact, Glyph, Icon, SubmitButton, TimeAgo, grouped, plural};
use crate::error::action_error;
use crate::forms::action_answer;
use leptos::form::ActionForm;
use leptos::prelude::*;
use muster_domain::audit::VerifyReport;

/// The button. Its report is shown by [`VerifyResult`].
#[component]
pub(super) fn VerifyButton(action: ServerAction<VerifyLog>) -> impl IntoView {
    view! {
        <ActionForm action>
            <SubmitButton pending=action.pending()>
                <Icon glyph=Glyph::Shield />
                "Verify now"
            </SubmitButton>
        </ActionForm>
    }
}

/// What the check found.
#[component]
pub(super) fn VerifyResult(action: ServerAction<VerifyLog>) -> impl IntoView {
    let answer = action_answer(action);
    let error = action_error(action);
    view! {
        <div role="status" class="verify">
            {move || match answer.get().or_else(|| error.get().map(Err)) {
                Some(Ok(report)) => view! { <Report report /> }.into_any(),
                Some(Err(error)) => view! { <ErrorNotice error what="the check" /> }.into_any(),
                None => ().into_any(),
            }}
        </div>
    }
}

#[component]
fn Report(report: VerifyReport) -> impl IntoView {
    let intact = report.findings.is_empty();
    let count = u64::try_from(report.findings.len()).unwrap_or(u64::MAX);
    view! {
        <section class=if intact { "notice ok" } else { "notice bad" } aria-label="Report of the check">
            <Icon glyph=if intact { Glyph::Check } else { Glyph::Warning } />
            <div class="grow">
                <strong>
                    {if intact {
                        "The log is intact.".to_owned()
                    } else {
                        format!("The log is not intact: {}.", plural(count, "finding", "findings"))
                    }}
                </strong>
                <dl class="facts">
                    <Fact label="Rows read">{grouped(report.rows)}</Fact>
                    <Fact label="Signed checkpoints">{grouped(report.checkpoints)}</Fact>
                    <Fact label="Last hash">
                        <span class="mono">{report.head}</span>
                    </Fact>
                    <Fact label="Checked">
                        <TimeAgo at=report.checked_at />
                    </Fact>
                </dl>
                <ul>
                    {report
                        .findings
                        .into_iter()
                        .map(|finding| view! { <li>{format!("Row {}: {}", finding.sequence, finding.message)}</li> })
                        .collect_view()}
                </ul>
            </div>
        </section>
    }
}

//! Executions as the rows of a table, wherever some are listed.

use crate::components::time_ago::duration;
use crate::components::{ProgressBar, StatusBadge, TableCard, TimeAgo, grouped};
use leptos::prelude::*;
use muster_domain::runbooks::ExecutionSummary;

/// The table.
#[component]
pub(super) fn ExecutionsTable(#[prop(into)] label: String, rows: Vec<ExecutionSummary>) -> impl IntoView {
    view! {
        <TableCard label>
            <table class="executions">
                <thead>
                    <tr>
                        <th scope="col">"Execution"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Steps"</th>
                        <th scope="col">"Requested by"</th>
                        <th scope="col">"When"</th>
                        <th scope="col" class="right">
                            "Duration"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(|row| view! { <Row row /> }).collect_view()}</tbody>
            </table>
        </TableCard>
    }
}

#[component]
fn Row(row: ExecutionSummary) -> impl IntoView {
    let took = row
        .ended_at
        .map(|ended| duration(ended.since_ms(row.requested_at)));
    let title = if row.reason.is_empty() {
        row.document.clone()
    } else {
        row.reason.clone()
    };
    let document = (!row.reason.is_empty()).then(|| format!("{} · ", row.document));
    let at = (!row.current_step.is_empty()).then(|| format!(" · {}", row.current_step));
    view! {
        <tr data-row="" tabindex="-1">
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" href=format!("/executions/{}", row.execution_id)>
                        {title}
                    </a>
                    <small>
                        {document}
                        <span class="mono">{row.execution_id.to_string()}</span>
                    </small>
                </div>
            </td>
            <td>
                <StatusBadge badge=row.status label=row.status.label() />
            </td>
            <td>
                <div class="command-progress">
                    <ProgressBar completed=row.steps_ended errors=row.steps_failed total=row.steps />
                    <span class="nowrap">
                        {format!("{} / {}", grouped(row.steps_ended.into()), grouped(row.steps.into()))}
                        <span class="muted">{at}</span>
                    </span>
                </div>
            </td>
            <td>{row.requested_by}</td>
            <td class="muted nowrap">
                <TimeAgo at=row.requested_at />
            </td>
            <td class="right nowrap muted">{took.unwrap_or_else(|| "—".into())}</td>
        </tr>
    }
}

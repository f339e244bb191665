//! The steps of an execution in their order, what the chosen one was given and told, and what it all has started.

use super::execution_page::Live;
use super::executions_table::ExecutionsTable;
use super::retry_step::RetryStep;
use crate::components::time_ago::duration;
use crate::components::{CopyButton, Glyph, Icon, StatusBadge, TableCard, text_parts};
use crate::live::clock::use_now;
use leptos::prelude::*;
use muster_domain::runbooks::{Retried, StepExecution};
use std::collections::BTreeMap;

/// The part.
#[component]
pub(super) fn StepsTab(page: Live) -> impl IntoView {
    let chosen = Memo::new(move |_| {
        let at = page.url.with(|url| url.step)?;
        page.live
            .with(|live| live.steps.iter().find(|step| step.position == at).cloned())
    });
    let places = Memo::new(move |_| {
        page.live
            .with(|live| live.steps.iter().map(|step| step.position).collect::<Vec<_>>())
    });
    let outputs = Memo::new(move |_| page.detail.with(|detail| detail.outputs.clone()));
    let children = Memo::new(move |_| page.detail.with(|detail| detail.children.clone()));
    let parent = page.detail.with_untracked(|detail| detail.parent.clone());
    view! {
        <div class="stack">
            {parent
                .map(|parent| {
                    view! {
                        <p class="small-text">
                            "Started by the execution "
                            <a class="mono" href=format!("/executions/{parent}")>
                                {parent.to_string()}
                            </a>
                        </p>
                    }
                })}
            // Above the list, where one lands after choosing a step far down.
            {move || chosen.get().map(|step| view! { <Chosen page step /> })}
            {move || {
                let places = places.get();
                if places.is_empty() {
                    view! {
                        <section class="card card-body">
                            <p class="muted">"No step is known yet: Systems Manager has not answered."</p>
                        </section>
                    }
                        .into_any()
                } else {
                    view! {
                        <TableCard label="Steps of this execution">
                            <table class="execution-steps">
                                <thead>
                                    <tr>
                                        <th scope="col" class="right">
                                            "#"
                                        </th>
                                        <th scope="col">"Step"</th>
                                        <th scope="col">"Status"</th>
                                        <th scope="col">"Started"</th>
                                        <th scope="col" class="right">
                                            "Duration"
                                        </th>
                                        <th scope="col" class="right">
                                            "Usually"
                                        </th>
                                    </tr>
                                </thead>
                                <tbody>{places.into_iter().map(|at| view! { <Row page at /> }).collect_view()}</tbody>
                            </table>
                        </TableCard>
                    }
                        .into_any()
                }
            }}
            {move || {
                let outputs = outputs.get();
                (!outputs.is_empty())
                    .then(|| {
                        view! {
                            <section class="card" aria-labelledby="told-title">
                                <header>
                                    <h2 id="told-title">"What it told"</h2>
                                </header>
                                <div class="card-body">
                                    <Values values=outputs.into_iter().map(|(name, values)| (name, values.join("\n"))).collect() />
                                </div>
                            </section>
                        }
                    })
            }}
            {move || {
                let rows = children.get();
                (!rows.is_empty())
                    .then(|| {
                        view! {
                            <h2 class="section-title">"Executions that it started"</h2>
                            <ExecutionsTable label="Executions that it started" rows />
                        }
                    })
            }}
        </div>
    }
}

#[component]
fn Row(page: Live, at: u32) -> impl IntoView {
    let now = use_now();
    let step = ArcMemo::new(move |_| {
        page.live
            .with(|live| live.steps.iter().find(|step| step.position == at).cloned())
    });
    // Counted, not owned: the address changes while the table may be on its way out.
    let here = ArcMemo::new(move |_| page.url.with(|url| url.step == Some(at)));
    let (selected, current) = (here.clone(), here);
    let href = move || page.url.with(|url| url.with_step(Some(at)));
    let with = {
        let step = step.clone();
        move |say: fn(&StepExecution) -> String| step.with(|step| step.as_ref().map(say).unwrap_or_default())
    };
    let name = {
        let with = with.clone();
        move || with(|step| step.name.clone())
    };
    let label = name.clone();
    let action = {
        let with = with.clone();
        move || with(|step| step.action.clone())
    };
    let message = {
        let with = with.clone();
        move || with(|step| step.failure_message.clone())
    };
    let status = {
        let step = step.clone();
        move || step.with(|step| step.as_ref().map(|step| step.status))
    };
    let links = {
        let step = step.clone();
        move || {
            step.with(|step| {
                let step = step.as_ref()?;
                let child = step
                    .child()
                    .map(|id| (format!("/executions/{id}"), "Execution →"));
                let command = step.command().map(|id| (format!("/commands/{id}"), "Command →"));
                child.or(command)
            })
        }
    };
    let started = {
        let step = step.clone();
        move || {
            step.with(|step| {
                step.as_ref()
                    .and_then(|step| step.started_at)
                    .map_or_else(|| "—".to_owned(), |at| at.readable())
            })
        }
    };
    let took = {
        let step = step.clone();
        move || {
            step.with(|step| {
                let Some(step) = step else { return "—".to_owned() };
                let end = step
                    .ended_at
                    .or_else(|| now.get().filter(|_| !step.status.is_final()));
                step.started_at
                    .zip(end)
                    .map_or_else(|| "—".into(), |(start, end)| duration(end.since_ms(start)))
            })
        }
    };
    let to_retry = {
        let step = step.clone();
        ArcMemo::new(move |_| {
            let may = page.detail.with(|detail| detail.retry_from.contains(&at));
            step.with(|step| {
                let step = step.as_ref().filter(|_| may)?;
                Some((step.step_execution_id.clone(), step.name.clone()))
            })
        })
    };
    // On the newest of a name: that is the one that was done again.
    let again = {
        let step = step.clone();
        ArcMemo::new(move |_| {
            let name = step.with(|step| step.as_ref().map(|step| step.name.clone()))?;
            let newest = page.live.with(|live| {
                let of_name = live.steps.iter().filter(|step| step.name == name);
                of_name.map(|step| step.position).max()
            });
            let said = page.detail.with(|detail| Retried::words(&detail.retried, &name));
            said.filter(|_| newest == Some(at))
        })
    };
    let usually = {
        let step = step.clone();
        move || {
            step.with(|step| {
                let name = step.as_ref().map(|step| step.name.clone()).unwrap_or_default();
                page.detail
                    .with(|detail| detail.usual_steps_ms.get(&name).copied())
                    .map_or_else(|| "—".to_owned(), duration)
            })
        }
    };
    let state = {
        let status = status.clone();
        move || status().map(|status| status.as_str())
    };
    view! {
        <tr data-row="" tabindex="-1" class:selected=move || selected.get() data-step=label data-step-status=state>
            <td class="right mono muted">{at + 1}</td>
            <td>
                <div class="two-lines">
                    <a class="strong" data-act="open" data-noscroll="" href=href aria-current=move || current.get().then_some("true")>
                        {name}
                    </a>
                    <small>
                        <span class="mono">{action}</span>
                        {move || links().map(|(href, label)| view! { " " <a href=href>{label}</a> })}
                    </small>
                    {move || {
                        again
                            .get()
                            .map(|text| {
                                view! {
                                    <small data-again="">
                                        <Icon glyph=Glyph::Refresh />
                                        " "
                                        {text}
                                    </small>
                                }
                            })
                    }}
                </div>
            </td>
            <td>
                {move || status().map(|status| view! { <StatusBadge badge=status label=status.label() /> })}
                {move || {
                    let text = message();
                    (!text.is_empty()).then(|| view! { <div class="small-text bad-text step-message">{text}</div> })
                }}
                {move || to_retry.get().map(|(step, name)| view! { <RetryStep page step name /> })}
            </td>
            <td class="muted nowrap">{started}</td>
            <td class="right nowrap">{took}</td>
            <td class="right nowrap muted">{usually}</td>
        </tr>
    }
}

/// Names and what they hold.
#[component]
fn Values(values: BTreeMap<String, String>) -> impl IntoView {
    values
        .into_iter()
        .map(|(name, text)| {
            let text = pretty(&text);
            view! {
                <div class="code-step">
                    <div class="row">
                        <h3>{name.clone()}</h3>
                        <CopyButton text=text.clone() label=format!("Copy {name}") />
                    </div>
                    <pre class="code" data-value=name>
                        {text_parts(text)}
                    </pre>
                </div>
            }
        })
        .collect_view()
}

/// JSON in lines, a JSON text without its quotes; anything else as it is.
fn pretty(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::String(inner)) => inner,
        Ok(value @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
            serde_json::to_string_pretty(&value).unwrap_or_else(|_| text.to_owned())
        }
        _ => text.to_owned(),
    }
}

/// What one step was given and told.
#[component]
fn Chosen(page: Live, step: StepExecution) -> impl IntoView {
    let close = page.url.with_untracked(|url| url.with_step(None));
    let (no_inputs, no_outputs) = (step.inputs.is_empty(), step.outputs.is_empty());
    let outputs: BTreeMap<String, String> = step
        .outputs
        .into_iter()
        .map(|(name, values)| (name, values.join("\n")))
        .collect();
    view! {
        <section class="card step-panel" aria-labelledby="step-title">
            <header>
                <h2 id="step-title">{step.name}</h2>
                <StatusBadge badge=step.status label=step.status.label() />
                <div class="row aside">
                    {(!step.response_code.is_empty()).then(|| format!("response {}", step.response_code))}
                    <a class="btn small quiet" href=close data-escape="" data-noscroll="" aria-label="Close the step">
                        <Icon glyph=Glyph::Cross />
                    </a>
                </div>
            </header>
            <div class="card-body step-values">
                <div>
                    <h3 class="section-title">"Inputs"</h3>
                    {no_inputs.then(|| view! { <p class="muted small-text">"Not begun, or given none."</p> })}
                    <Values values=step.inputs />
                </div>
                <div>
                    <h3 class="section-title">"Outputs"</h3>
                    {no_outputs.then(|| view! { <p class="muted small-text">"None yet."</p> })}
                    <Values values=outputs />
                </div>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn values_are_shown_as_people_read_them() {
        assert_eq!(pretty("\"a\\nb\""), "a\nb");
        assert_eq!(pretty("[1]"), "[\n  1\n]");
        assert_eq!(pretty("{broken"), "{broken");
        assert_eq!(pretty("7"), "7");
    }
}

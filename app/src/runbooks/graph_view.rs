//! The steps of a runbook as a drawing: boxes, and lines for where they lead.

use super::execution_page::Live;
use super::execution_url::ExecutionUrl;
use super::graph::{Way, ways};
use crate::components::{Badge, Fixed};
use leptos::prelude::*;
use muster_domain::runbooks::{EdgeKind, ExecutionStatus, RunbookStep};

const ROW: usize = 68;
const BOX_HEIGHT: usize = 46;
const BOX_WIDTH: usize = 240;
const LANE: usize = 22;
const MARGIN: usize = 18;
/// Characters that fit into a box.
const LETTERS: usize = 30;

/// How a step stands, and where its box leads.
pub(super) struct Standing {
    pub(super) status: Option<ExecutionStatus>,
    pub(super) href: Option<String>,
}

fn short(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LETTERS - 1).collect();
    short.push('…');
    short
}

const fn class(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Next => "way",
        EdgeKind::Choice => "way way-choice",
        EdgeKind::Failure => "way way-failure",
        EdgeKind::Cancel => "way way-cancel",
    }
}

/// The line of a way, with an arrow's head at its end.
fn line(way: &Way, x: usize) -> (String, String) {
    let top = |row: usize| MARGIN + row * ROW;
    if way.lane == 0 {
        let middle = x + BOX_WIDTH / 2;
        let (from, to) = (top(way.from) + BOX_HEIGHT, top(way.to));
        return (
            format!("M{middle} {from}V{to}"),
            format!(
                "M{} {}L{middle} {to}L{} {}",
                middle - 4,
                to - 6,
                middle + 4,
                to - 6
            ),
        );
    }
    // Out a little below the middle and in a little above it, so that a box's two ends do not meet.
    let from = top(way.from) + BOX_HEIGHT / 2 + 8;
    let to = top(way.to) + BOX_HEIGHT / 2 - 8;
    if way.is_left() {
        let lane = x - way.lane * LANE;
        (
            format!("M{x} {from}H{lane}V{to}H{x}"),
            format!("M{} {}L{x} {to}L{} {}", x - 6, to - 4, x - 6, to + 4),
        )
    } else {
        let side = x + BOX_WIDTH;
        let lane = side + way.lane * LANE;
        (
            format!("M{side} {from}H{lane}V{to}H{side}"),
            format!("M{} {}L{side} {to}L{} {}", side + 6, to - 4, side + 6, to + 4),
        )
    }
}

/// The drawing.
pub(super) fn drawing(steps: &[RunbookStep], standing: impl Fn(&RunbookStep) -> Standing) -> Fixed {
    let (ways, left, right) = ways(steps);
    let x = MARGIN + left * LANE;
    let width = x + BOX_WIDTH + right * LANE + MARGIN;
    let height = 2 * MARGIN + steps.len() * ROW - (ROW - BOX_HEIGHT);
    let mut svg = Fixed::new("svg", "step-graph")
        .attribute("viewBox", &format!("0 0 {width} {height}"))
        .attribute("width", &width.to_string())
        .attribute("height", &height.to_string())
        .attribute("role", "group")
        .attribute("aria-label", "Steps and where they lead");
    for way in &ways {
        let (line, head) = line(way, x);
        svg = svg.inside("g", class(way.kind), |group| {
            group
                .attribute("aria-hidden", "true")
                .inside("path", "", |path| path.attribute("d", &line))
                .inside("path", "", |path| path.attribute("d", &head))
        });
    }
    for (row, step) in steps.iter().enumerate() {
        let Standing { status, href } = standing(step);
        let look = status.map_or("plain", |status| Badge::from(status).class());
        let said = status.map_or_else(
            || step.action.clone(),
            |status| format!("{} · {}", step.action, status.label()),
        );
        let top = MARGIN + row * ROW;
        let fill = |part: Fixed| {
            part.inside("rect", "", |rect| {
                rect.attribute("x", &x.to_string())
                    .attribute("y", &top.to_string())
                    .attribute("width", &BOX_WIDTH.to_string())
                    .attribute("height", &BOX_HEIGHT.to_string())
                    .attribute("rx", "8")
            })
            .inside("text", "graph-name", |text| {
                text.attribute("x", &(x + 14).to_string())
                    .attribute("y", &(top + 19).to_string())
                    .text(&short(&step.name))
            })
            .inside("text", "graph-action", |text| {
                text.attribute("x", &(x + 14).to_string())
                    .attribute("y", &(top + 36).to_string())
                    .text(&short(&said))
            })
        };
        let class = format!("graph-step {look}");
        svg = match href {
            Some(href) => svg.inside("a", &class, |link| {
                fill(
                    link.attribute("href", &href)
                        .attribute("data-graph-step", &step.name),
                )
            }),
            None => svg.inside("g", &class, |group| {
                fill(group.attribute("data-graph-step", &step.name))
            }),
        };
    }
    svg
}

/// What the lines mean.
#[component]
pub(super) fn Legend() -> impl IntoView {
    view! {
        <p class="row small-text muted graph-legend">
            <span class="legend-next">"next"</span>
            <span class="legend-choice">"a choice"</span>
            <span class="legend-failure">"after a failure"</span>
            <span class="legend-cancel">"when cancelled"</span>
        </p>
    }
}

/// The drawing in its frame, which scrolls where there is little room.
#[component]
pub(super) fn GraphCard(children: Children) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="graph-title">
            <header>
                <h2 id="graph-title">"Steps and where they lead"</h2>
            </header>
            <div class="card-body">
                <Legend />
                <div class="graph-frame" tabindex="0" role="region" aria-label="Drawing of the steps">
                    {children()}
                </div>
            </div>
        </section>
    }
}

/// The part of an execution's page: each step as it stands.
#[component]
pub(super) fn ExecutionGraph(page: Live) -> impl IntoView {
    let steps = page.detail.with_untracked(|detail| detail.document_steps.clone());
    if steps.is_empty() {
        return view! {
            <section class="card card-body">
                <p class="muted">"The runbook's text is not known here, so there is nothing to draw."</p>
            </section>
        }
        .into_any();
    }
    let url: ExecutionUrl = page.url.get_untracked();
    view! {
        <GraphCard>
            {move || {
                page.live
                    .with(|live| {
                        drawing(
                                &steps,
                                |step| {
                                    // A step that was begun more than once stands as it did last.
                                    let known = live.steps.iter().rev().find(|one| one.name == step.name);
                                    Standing {
                                        status: known.map(|step| step.status),
                                        href: known.map(|step| url.with_step(Some(step.position))),
                                    }
                                },
                            )
                            .view()
                    })
            }}
        </GraphCard>
    }
    .into_any()
}

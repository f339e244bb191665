//! What the parts of the terminals' page share: one [`Pane`] for each session that was opened on it. A pane that is
//! not on show stays connected, so that changing tabs loses nothing.

use super::api::get_session;
use super::terminal::{Phase, Tell};
use crate::error::AppError;
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::sessions::{EndReason, SessionDetail, SessionSummary};

/// Terminals that stay connected at most; the one out of sight for longest goes first.
const MOST: usize = 8;

/// What a warning says: when it ends, why, and whether more time can be asked for.
pub(super) type Warned = (Timestamp, EndReason, bool);

/// One session on the page.
#[derive(Clone, Copy)]
pub(super) struct Pane {
    /// As it was when the pane was opened.
    pub(super) detail: Resource<Result<SessionDetail, AppError>>,
    /// As the connection last had it.
    heard: RwSignal<Option<SessionSummary>>,
    pub(super) phase: RwSignal<Phase>,
    pub(super) may_type: RwSignal<Option<bool>>,
    pub(super) waits_for: RwSignal<Option<String>>,
    pub(super) warned: RwSignal<Option<Warned>>,
    pub(super) notice: RwSignal<Option<String>>,
    pub(super) round_trip: RwSignal<Option<u32>>,
    /// What the shell calls itself.
    pub(super) title: RwSignal<String>,
    /// The node's name, once it is known.
    pub(super) node: RwSignal<String>,
    pub(super) finding: RwSignal<bool>,
}

impl Pane {
    fn new(id: &str) -> Self {
        let asked = id.to_owned();
        Self {
            detail: Resource::new(move || asked.clone(), get_session),
            heard: RwSignal::new(None),
            phase: RwSignal::new(Phase::default()),
            may_type: RwSignal::new(None),
            waits_for: RwSignal::new(None),
            warned: RwSignal::new(None),
            notice: RwSignal::new(None),
            round_trip: RwSignal::new(None),
            title: RwSignal::new(String::new()),
            node: RwSignal::new(String::new()),
            finding: RwSignal::new(false),
        }
    }

    /// The session as it stands: as heard, else as it came with the page.
    pub(super) fn standing(self, otherwise: &SessionSummary) -> SessionSummary {
        self.heard.get().unwrap_or_else(|| otherwise.clone())
    }

    /// Whether the connection has said that the session is over.
    pub(super) fn is_over(self) -> bool {
        self.heard
            .with(|heard| heard.as_ref().is_some_and(|session| session.status.is_over()))
    }

    /// Takes what the connection says.
    pub(super) fn hear(self, said: Tell) {
        match said {
            Tell::Phase(phase) => {
                if phase != Phase::Live {
                    let _ = self.round_trip.try_set(None);
                }
                let _ = self.phase.try_set(phase);
            }
            Tell::Session(session, may_type, waits_for) => {
                // More time was given: what was warned of is put off.
                let _ = self.warned.try_update(|warned| {
                    let later = |(at, ..): &mut Warned| session.ends_at.is_some_and(|ends| ends > *at);
                    if session.status.is_over() || warned.as_mut().is_some_and(later) {
                        *warned = None;
                    }
                });
                let _ = self.may_type.try_set(Some(may_type));
                let _ = self.waits_for.try_set(waits_for);
                let _ = self.heard.try_set(Some(*session));
            }
            Tell::Warning {
                ends_at,
                reason,
                may_ask,
            } => {
                let _ = self.warned.try_set(Some((ends_at, reason, may_ask)));
            }
            Tell::Notice(text) => {
                let _ = self.notice.try_set(Some(text));
            }
            Tell::RoundTrip(ms) => {
                let _ = self.round_trip.try_set(Some(ms));
            }
            Tell::Taken => {}
        }
    }
}

/// All panes of the page.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    panes: RwSignal<Vec<(String, Pane)>>,
    owner: StoredValue<Owner>,
}

impl Desk {
    /// Under the component that is being made.
    pub(super) fn new() -> Self {
        Self {
            panes: RwSignal::new(Vec::new()),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// The pane of a session; made when there is none.
    pub(super) fn pane(self, id: &str) -> Pane {
        let there = self
            .panes
            .with_untracked(|panes| panes.iter().find(|(of, _)| of == id).map(|(_, pane)| *pane));
        if let Some(pane) = there {
            return pane;
        }
        let pane = self.owner.with_value(|owner| owner.with(|| Pane::new(id)));
        self.panes.update(|panes| panes.push((id.to_owned(), pane)));
        pane
    }

    /// The sessions that were opened here, in that order.
    pub(super) fn opened(self) -> Vec<String> {
        self.panes
            .with(|panes| panes.iter().map(|(id, _)| id.clone()).collect())
    }

    /// Lets go of panes when there are too many, except of those on show.
    pub(super) fn tidy(self, on_show: &[String]) {
        if self.panes.with_untracked(Vec::len) <= MOST {
            return;
        }
        self.panes.update(|panes| {
            if let Some(at) = panes.iter().position(|(id, _)| !on_show.contains(id)) {
                panes.remove(at);
            }
        });
    }

    /// What the tab of a session says: the shell's own title, else the node's name.
    pub(super) fn title_of(self, id: &str) -> Option<String> {
        let pane = self
            .panes
            .with(|panes| panes.iter().find(|(of, _)| of == id).map(|(_, pane)| *pane))?;
        [pane.title, pane.node]
            .into_iter()
            .map(|name| name.get())
            .find(|name| !name.trim().is_empty())
    }
}

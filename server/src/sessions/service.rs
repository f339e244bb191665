//! What can be done with sessions, behind the door. Starting is in `start`.

use crate::approvals::gate::tags;
use crate::approvals::{Gate, rows as approvals};
use crate::error::store;
use crate::fleet::queries as fleet;
use crate::sessions::live::{Command, EndOrder, LiveGround};
use crate::sessions::queries::{self, SessionRow, Viewer};
use crate::sessions::recordings::Store;
use async_trait::async_trait;
use muster_domain::action::Action;
use muster_domain::approvals::{Act, Proposal};
use muster_domain::audit::Intent;
use muster_domain::ids::{NodeId, NodeSessionId};
use muster_domain::paging::Page;
use muster_domain::permission::{Role, Scope};
use muster_domain::sessions::{
    EndReason, EndSession, Hit, LivePage, LiveQuery, OpenTunnel, RecordedChunk, RecordedCommand,
    RecordingState, RecordingView, SessionDetail, SessionQuery, SessionSummary, Sessions, StartOptions,
    StartSession, TranscriptLine,
};
use muster_domain::{Actor, PortalError, Timestamp};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The sessions' service.
#[derive(Clone)]
pub struct SessionService {
    /// What sessions stand on.
    pub ground: LiveGround,
    /// Whether one may be opened at once.
    pub gate: Gate,
    /// Where recordings are written and read.
    pub recordings: Store,
    /// The folder in which it is noted how far each session has come.
    pub folder: PathBuf,
    /// Who has which recording open, and since when: opening one is written to the audit log, its parts are not.
    pub opened: Arc<Mutex<HashMap<(String, NodeSessionId), Timestamp>>>,
}

/// How long ending a session waits for the end.
const END_SHOWN_WITHIN: Duration = Duration::from_secs(5);
/// Opening a recording again after so long is another row in the audit log.
const OPENED_MS: i64 = 3_600_000;

/// No such session, or none that the person may know of.
pub(super) fn not_found(id: &NodeSessionId) -> PortalError {
    PortalError::NotFound {
        what: format!("The session {id}"),
    }
}

/// Why nothing can be done in a session that has no task.
pub(super) fn not_live(row: &SessionRow) -> PortalError {
    if row.summary.status.is_over() {
        PortalError::Conflict {
            message: "This session has already ended.".into(),
        }
    } else {
        PortalError::Unavailable {
            message:
                "This session is being opened, or taken up again after a restart: try again in a moment."
                    .into(),
        }
    }
}

impl SessionService {
    async fn row(
        &self,
        actor: &Actor,
        id: &NodeSessionId,
        scopes: &[Scope],
    ) -> Result<SessionRow, PortalError> {
        let viewer = Viewer {
            scopes,
            user: actor.user_id.as_ref(),
        };
        let mut row = queries::get(&self.ground.db, id, &viewer)
            .await
            .map_err(store)?
            .ok_or_else(|| not_found(id))?;
        self.freshen(&mut row.summary);
        Ok(row)
    }

    /// What the task knows is newer than what the database has.
    fn freshen(&self, summary: &mut SessionSummary) {
        if let Some(shared) = self.ground.live.get(&summary.session_id) {
            let is_own = summary.is_own;
            summary.clone_from(&shared.state().row.summary);
            summary.is_own = is_own;
        }
    }

    /// The session, if its recording may be played: by who oversees its node, and by its owner.
    pub(super) async fn playable(
        &self,
        actor: &Actor,
        id: &NodeSessionId,
        scopes: &[Scope],
    ) -> Result<SessionRow, PortalError> {
        let row = self.row(actor, id, scopes).await?;
        if !row.summary.is_own && !self.oversees(actor, &row.summary).await? {
            return Err(PortalError::Forbidden {
                message:
                    "You may play recordings of your own sessions only. Ask an auditor or an administrator."
                        .into(),
            });
        }
        if row.summary.recording == RecordingState::None {
            return Err(PortalError::NotFound {
                what: format!("A recording of the session {id}"),
            });
        }
        Ok(row)
    }

    /// The act that fetching a part of a recording is: part of playing it, once playing it was recorded.
    fn part_of_playing(&self, actor: &Actor, session: &NodeSessionId) -> Action {
        let now = self.ground.clock.now();
        let key = (actor.name.clone(), session.clone());
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|_, since| now.since_ms(*since) < OPENED_MS);
        if opened.contains_key(&key) {
            Action::SessionsRead
        } else {
            Action::SessionsPlay
        }
    }

    /// Playing was allowed, and stands in the audit log.
    fn plays(&self, actor: &Actor, session: &NodeSessionId) {
        let key = (actor.name.clone(), session.clone());
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.entry(key).or_insert_with(|| self.ground.clock.now());
    }

    /// Reads a part of a recording, for who may play it.
    async fn part<T: Send>(
        &self,
        actor: &Actor,
        session: &NodeSessionId,
        check: Result<(), PortalError>,
        read: impl Future<Output = Result<T, PortalError>> + Send,
    ) -> Result<T, PortalError> {
        let action = self.part_of_playing(actor, session);
        let intent = Intent::new(action, format!("session:{session}"));
        self.ground
            .door
            .pass(actor, intent, check, async |pass| {
                self.playable(actor, session, &pass.scopes).await?;
                self.plays(actor, session);
                read.await
            })
            .await
    }

    async fn oversees(&self, actor: &Actor, summary: &SessionSummary) -> Result<bool, PortalError> {
        let scopes: Vec<Scope> = actor
            .grants
            .iter()
            .filter(|grant| grant.role != Role::Operator && grant.role.allows(Action::SessionsPlay))
            .map(|grant| grant.scope.clone())
            .collect();
        self.covers(summary, &scopes).await
    }

    async fn covers(&self, summary: &SessionSummary, scopes: &[Scope]) -> Result<bool, PortalError> {
        if scopes.contains(&Scope::All) {
            return Ok(true);
        }
        let node = std::slice::from_ref(&summary.node_id);
        Ok(!fleet::by_ids(&self.ground.db, node, scopes)
            .await
            .map_err(store)?
            .is_empty())
    }
}

#[async_trait]
impl Sessions for SessionService {
    async fn options(&self, actor: &Actor, node: NodeId) -> Result<StartOptions, PortalError> {
        let intent = Intent::new(Action::SessionsRead, format!("node:{node}"));
        self.ground
            .door
            .pass(actor, intent, Ok(()), async |_| {
                let scopes = actor.scopes_for(Action::SessionsStart);
                let found = self.node(&node, &scopes).await?;
                self.options_on(found).await
            })
            .await
    }

    async fn start(&self, actor: &Actor, input: StartSession) -> Result<NodeSessionId, PortalError> {
        self.start_whoever_watches(actor, input).await
    }

    async fn tunnel(&self, actor: &Actor, input: OpenTunnel) -> Result<NodeSessionId, PortalError> {
        let id = NodeSessionId::new(self.ground.random.uuid());
        let intent = Intent::new(Action::SessionsTunnel, format!("session:{id}"))
            .with("node", input.node.as_str())
            .with("port", input.port)
            .with("host", input.host.clone())
            .with("reason", input.reason.clone());
        let check = input.check(self.ground.policy.needs_reason);
        self.ground
            .door
            .pass(actor, intent, check, async |pass| {
                let node = self.node(&input.node, &pass.scopes).await?;
                let proposal = Proposal {
                    act: Some(Act::OpenTunnel),
                    nodes: vec![tags(&node)],
                    ..Proposal::default()
                };
                self.gate.admit(actor, &proposal).await?;
                self.begin_tunnel(actor, id.clone(), input.clone(), node).await?;
                Ok(id)
            })
            .await
    }

    async fn live(&self, actor: &Actor, query: LiveQuery) -> Result<LivePage, PortalError> {
        let intent = Intent::new(Action::SessionsRead, "");
        self.ground
            .door
            .pass(actor, intent, Ok(()), async |pass| {
                let viewer = Viewer {
                    scopes: &pass.scopes,
                    user: actor.user_id.as_ref(),
                };
                let db = &self.ground.db;
                let rows = queries::open(db, &query, &viewer).await.map_err(store)?;
                let all = LiveQuery::default();
                let open = queries::count_open(db, &all, &viewer).await.map_err(store)?;
                let asked = LiveQuery {
                    cursor: None,
                    limit: None,
                    ..query
                };
                let matching = if asked == all {
                    open
                } else {
                    queries::count_open(db, &asked, &viewer).await.map_err(store)?
                };
                let mut sessions: Vec<_> = rows.items.into_iter().map(|row| row.summary).collect();
                for summary in &mut sessions {
                    self.freshen(summary);
                }
                // One that has just ended is in the history, or will be in a moment.
                sessions.retain(|summary| !summary.status.is_over());
                Ok(LivePage {
                    sessions,
                    matching: matching.all,
                    open: open.all,
                    recorded: open.recorded,
                    next: rows.next,
                })
            })
            .await
    }

    async fn list(&self, actor: &Actor, query: SessionQuery) -> Result<Page<SessionSummary>, PortalError> {
        self.ground
            .door
            .pass(
                actor,
                Intent::new(Action::SessionsRead, ""),
                Ok(()),
                async |pass| {
                    let viewer = Viewer {
                        scopes: &pass.scopes,
                        user: actor.user_id.as_ref(),
                    };
                    let mut page = queries::list(&self.ground.db, &query, &viewer)
                        .await
                        .map_err(store)?;
                    for summary in &mut page.items {
                        self.freshen(summary);
                    }
                    Ok(page)
                },
            )
            .await
    }

    async fn get(&self, actor: &Actor, session: NodeSessionId) -> Result<SessionDetail, PortalError> {
        let intent = Intent::new(Action::SessionsRead, format!("session:{session}"));
        self.ground
            .door
            .pass(actor, intent, Ok(()), async |pass| {
                let row = self.row(actor, &session, &pass.scopes).await?;
                let node = std::slice::from_ref(&row.summary.node_id);
                let found = fleet::by_ids(&self.ground.db, node, &[Scope::All])
                    .await
                    .map_err(store)?;
                let summary = &row.summary;
                let (goes_on, own) = (!summary.status.is_over(), summary.is_own);
                let may = async |action| self.covers(summary, &actor.scopes_for(action)).await;
                Ok(SessionDetail {
                    tags: found.into_iter().next().map(|node| node.tags).unwrap_or_default(),
                    participants: queries::participants(&self.ground.db, &session)
                        .await
                        .map_err(store)?,
                    recording_sha256: row.recording_sha256.clone(),
                    may_type: goes_on && own && may(Action::SessionsAttach).await?,
                    may_watch: goes_on && !own && may(Action::SessionsWatch).await?,
                    may_end: goes_on
                        && if own {
                            may(Action::SessionsEnd).await?
                        } else {
                            may(Action::SessionsEndOther).await?
                        },
                    may_play: summary.recording != RecordingState::None
                        && (own || self.oversees(actor, summary).await?),
                    summary: row.summary,
                })
            })
            .await
    }

    async fn end(&self, actor: &Actor, input: EndSession) -> Result<(), PortalError> {
        let id = input.session.clone();
        let own = Viewer {
            scopes: &[],
            user: actor.user_id.as_ref(),
        };
        let is_own = queries::get(&self.ground.db, &id, &own)
            .await
            .map_err(store)?
            .is_some();
        let action = if is_own {
            Action::SessionsEnd
        } else {
            Action::SessionsEndOther
        };
        let mut check = input.check();
        if !is_own && input.reason.trim().is_empty() {
            check = check.and(Err(PortalError::invalid(
                "reason",
                "Say why: its owner is shown the reason.",
            )));
        }
        let intent = Intent::new(action, format!("session:{id}")).with("reason", input.reason.clone());
        self.ground
            .door
            .pass(actor, intent, check, async |pass| {
                let row = self.row(actor, &id, &pass.scopes).await?;
                let over = || PortalError::Conflict {
                    message: "This session has already ended.".into(),
                };
                let shared = self.ground.live.get(&id).ok_or_else(|| not_live(&row))?;
                let order = EndOrder {
                    reason: if is_own {
                        EndReason::EndedByOwner
                    } else {
                        EndReason::EndedByOther
                    },
                    message: input.reason.trim().to_owned(),
                    by: actor.name.clone(),
                };
                let mut pulse = shared.listen();
                if !shared.tell(Command::End(order)).await {
                    return Err(over());
                }
                // Whoever asked looks at the list next: what has ended should not stand there as going on.
                let ended =
                    async { while self.ground.live.get(&id).is_some() && pulse.changed().await.is_ok() {} };
                let _ = tokio::time::timeout(END_SHOWN_WITHIN, ended).await;
                Ok(())
            })
            .await
    }

    async fn more_time(&self, actor: &Actor, session: NodeSessionId) -> Result<Timestamp, PortalError> {
        let intent = Intent::new(Action::SessionsMoreTime, format!("session:{session}"));
        self.ground
            .door
            .pass(actor, intent, Ok(()), async |pass| {
                let row = self.row(actor, &session, &pass.scopes).await?;
                let refused = |message: String| PortalError::Conflict { message };
                if !row.summary.is_own {
                    return Err(PortalError::Forbidden {
                        message: "Only its owner can ask for more time in a session.".into(),
                    });
                }
                // What was approved for a time ends with it, whatever the settings would give.
                if let Some(request) = approvals::of_outcome(&self.ground.db, session.as_str())
                    .await
                    .map_err(store)?
                {
                    return Err(refused(format!(
                        "This session was approved for this long ({}). Ask for another terminal on this node: it can be \
                         approved before this one ends.",
                        request.id
                    )));
                }
                let over = || refused("This session has already ended.".into());
                let shared = self.ground.live.get(&session).ok_or_else(over)?;
                let (answer, answered) = tokio::sync::oneshot::channel();
                shared.tell(Command::MoreTime(answer)).await;
                let ends_at = answered.await.map_err(|_| over())?.map_err(refused)?;
                pass.note("ends_at", ends_at.rfc3339());
                Ok(ends_at)
            })
            .await
    }

    async fn recording(&self, actor: &Actor, session: NodeSessionId) -> Result<RecordingView, PortalError> {
        // One that is still being made is looked at again and again, to follow it.
        let action = match self.ground.live.get(&session) {
            Some(_) => self.part_of_playing(actor, &session),
            None => Action::SessionsPlay,
        };
        let intent = Intent::new(action, format!("session:{session}"));
        self.ground
            .door
            .pass(actor, intent, Ok(()), async |pass| {
                let row = self.playable(actor, &session, &pass.scopes).await?;
                self.plays(actor, &session);
                let participants = queries::participants(&self.ground.db, &session)
                    .await
                    .map_err(store)?;
                self.recordings.view(row.summary, participants).await
            })
            .await
    }

    async fn chunk(
        &self,
        actor: &Actor,
        session: NodeSessionId,
        index: u32,
    ) -> Result<RecordedChunk, PortalError> {
        let read = self.recordings.chunk(&session, index);
        self.part(actor, &session, Ok(()), read).await
    }

    async fn commands(
        &self,
        actor: &Actor,
        session: NodeSessionId,
    ) -> Result<Vec<RecordedCommand>, PortalError> {
        let read = self.recordings.commands(&session);
        self.part(actor, &session, Ok(()), read).await
    }

    async fn transcript(
        &self,
        actor: &Actor,
        session: NodeSessionId,
    ) -> Result<Vec<TranscriptLine>, PortalError> {
        let read = self.recordings.transcript(&session);
        self.part(actor, &session, Ok(()), read).await
    }

    async fn search(
        &self,
        actor: &Actor,
        session: NodeSessionId,
        text: String,
    ) -> Result<Vec<Hit>, PortalError> {
        let check = if text.trim().is_empty() || text.chars().count() > 200 {
            Err(PortalError::invalid(
                "text",
                "Write 1 to 200 characters to search for.",
            ))
        } else {
            Ok(())
        };
        let read = self.recordings.search(&session, text.trim());
        self.part(actor, &session, check, read).await
    }

    async fn verify(&self, actor: &Actor, session: NodeSessionId) -> Result<Vec<String>, PortalError> {
        let intent = Intent::new(Action::SessionsVerify, format!("session:{session}"));
        self.ground
            .door
            .pass(actor, intent, Ok(()), async |pass| {
                let row = self.playable(actor, &session, &pass.scopes).await?;
                if !row.summary.status.is_over() {
                    return Err(PortalError::Conflict {
                        message: "This session goes on: its recording is signed when it ends.".into(),
                    });
                }
                let findings = self.recordings.verify(&session, &row.recording_sha256).await?;
                pass.note("findings", findings.len());
                Ok(findings)
            })
            .await
    }
}

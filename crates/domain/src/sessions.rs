//! Sessions on nodes: terminals, their recordings, and tunnels to ports. What the browser's terminal and the portal
//! say to each other is in [`wire`]. "Session" is Systems Manager's word; a browser that is signed in is in `access`.

mod document;
mod input;
mod views;
pub mod wire;

pub use document::{SESSION_PREFERENCES, ShellDocument, is_default};
pub use input::{EndSession, LiveQuery, OpenTunnel, SessionQuery, StartSession};
pub use views::{
    EndReason, Hit, LivePage, Participant, ParticipantRole, RecordedChunk, RecordedCommand, RecordedEvent,
    RecordingState, RecordingView, SessionDetail, SessionKind, SessionStatus, SessionSummary, StartOptions,
    TranscriptLine,
};

use crate::actor::Actor;
use crate::error::PortalError;
use crate::ids::{NodeId, NodeSessionId};
use crate::paging::Page;
use async_trait::async_trait;

/// What can be done with sessions. Every call passes the door.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// What can be chosen before a session is started on `node`, and what policy asks for.
    async fn options(&self, actor: &Actor, node: NodeId) -> Result<StartOptions, PortalError>;
    /// Starts a session. It goes on without a browser until somebody or a limit ends it.
    async fn start(&self, actor: &Actor, input: StartSession) -> Result<NodeSessionId, PortalError>;
    /// Starts a session that carries connections to a port. Its client attaches like a terminal's page.
    async fn tunnel(&self, actor: &Actor, input: OpenTunnel) -> Result<NodeSessionId, PortalError>;
    /// A page of the sessions that go on, one's own first, then newest first, and how many there are.
    async fn live(&self, actor: &Actor, query: LiveQuery) -> Result<LivePage, PortalError>;
    /// Sessions of the past and the present, newest first.
    async fn list(&self, actor: &Actor, query: SessionQuery) -> Result<Page<SessionSummary>, PortalError>;
    /// One session with all that belongs to it.
    async fn get(&self, actor: &Actor, session: NodeSessionId) -> Result<SessionDetail, PortalError>;
    /// Ends a session: one's own, or with the right to it another's, for a reason.
    async fn end(&self, actor: &Actor, input: EndSession) -> Result<(), PortalError>;
    /// More time for one's own session, within what policy allows. Answers when it ends now.
    async fn more_time(&self, actor: &Actor, session: NodeSessionId)
    -> Result<crate::Timestamp, PortalError>;
    /// A session's recording, to be played; written to the audit log.
    async fn recording(&self, actor: &Actor, session: NodeSessionId) -> Result<RecordingView, PortalError>;
    /// The events of one chunk of a recording.
    async fn chunk(
        &self,
        actor: &Actor,
        session: NodeSessionId,
        index: u32,
    ) -> Result<RecordedChunk, PortalError>;
    /// What was typed in a session, as far as its recording tells; at most 2,000. Reading it is playing the recording.
    async fn commands(
        &self,
        actor: &Actor,
        session: NodeSessionId,
    ) -> Result<Vec<RecordedCommand>, PortalError>;
    /// The recording as lines of text.
    async fn transcript(
        &self,
        actor: &Actor,
        session: NodeSessionId,
    ) -> Result<Vec<TranscriptLine>, PortalError>;
    /// Where `text` stands in the recording, in order; at most 500.
    async fn search(
        &self,
        actor: &Actor,
        session: NodeSessionId,
        text: String,
    ) -> Result<Vec<Hit>, PortalError>;
    /// Checks a recording's chunks and signature; the findings, none when it is intact.
    async fn verify(&self, actor: &Actor, session: NodeSessionId) -> Result<Vec<String>, PortalError>;
}

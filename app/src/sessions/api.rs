//! The server functions of the terminals' pages. Thin: they read texts and ask the services.

#[cfg(feature = "ssr")]
use super::list_url::read_status;
#[cfg(feature = "ssr")]
use crate::backend::{call, redirect_to};
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::url::keep;
use crate::wire::Json;
use leptos::prelude::*;
use muster_domain::Timestamp;
use muster_domain::ids::NodeSessionId;
use muster_domain::paging::Page;
use muster_domain::sessions::{
    Hit, LivePage, RecordedChunk, RecordedCommand, RecordingView, SessionDetail, SessionSummary,
    StartOptions, TranscriptLine,
};
#[cfg(feature = "ssr")]
use muster_domain::{
    PortalError,
    paging::Cursor,
    sessions::{EndSession, LiveQuery, SessionQuery, StartSession},
    time::Clock as _,
};

/// What can be chosen before a session is started on a node.
#[server(name = GetStartOptions, prefix = "/api", endpoint = "sessions/options", output = Json)]
pub(crate) async fn start_options(node_id: String) -> Result<StartOptions, AppError> {
    call(|backend, actor| async move { backend.sessions.options(&actor, node_id.as_str().into()).await })
        .await
}

/// The fields of the form that opens a terminal, as they were sent.
#[cfg(feature = "ssr")]
pub(crate) struct StartFields {
    pub(crate) node_id: String,
    pub(crate) document: Option<String>,
    pub(crate) os_user: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) cols: Option<String>,
    pub(crate) rows: Option<String>,
    pub(crate) request: Option<String>,
}

#[cfg(feature = "ssr")]
impl StartFields {
    /// Reads them.
    ///
    /// # Errors
    /// What cannot be read, by field.
    pub(crate) fn read(self) -> Result<StartSession, PortalError> {
        Ok(StartSession {
            node: self.node_id.trim().into(),
            document: self.document.unwrap_or_default().trim().to_owned(),
            os_user: self.os_user.unwrap_or_default().trim().to_owned(),
            reason: self.reason.unwrap_or_default().trim().to_owned(),
            cols: cells("cols", self.cols, 120)?,
            rows: cells("rows", self.rows, 32)?,
            request: self
                .request
                .filter(|id| !id.trim().is_empty())
                .map(|id| id.trim().into()),
        })
    }
}

#[cfg(feature = "ssr")]
fn cells(field: &str, text: Option<String>, otherwise: u16) -> Result<u16, PortalError> {
    match text.as_deref().map(str::trim) {
        None | Some("") => Ok(otherwise),
        Some(text) => text
            .parse()
            .map_err(|_| PortalError::invalid(field, "A terminal has 2 to 1,000 columns and rows.")),
    }
}

/// Starts a session and goes to its terminal.
#[server(name = StartSessionFn, prefix = "/api", endpoint = "sessions/start", output = Json)]
pub(crate) async fn start_session(
    node_id: String,
    #[server(default)] document: Option<String>,
    #[server(default)] os_user: Option<String>,
    #[server(default)] reason: Option<String>,
    #[server(default)] cols: Option<String>,
    #[server(default)] rows: Option<String>,
    #[server(default)] request: Option<String>,
) -> Result<NodeSessionId, AppError> {
    let form = StartFields {
        node_id,
        document,
        os_user,
        reason,
        cols,
        rows,
        request,
    };
    let id = call(|backend, actor| async move {
        let input = form.read()?;
        backend.sessions.start(&actor, input).await
    })
    .await?;
    redirect_to(&format!("/terminals/{id}"));
    Ok(id)
}

/// A page of the sessions that go on, and how many there are.
#[server(name = LiveSessions, prefix = "/api", endpoint = "sessions/live", output = Json)]
pub(crate) async fn live_sessions(
    #[server(default)] text: Option<String>,
    #[server(default)] node: Option<String>,
    #[server(default)] owner: Option<String>,
    #[server(default)] cursor: Option<String>,
    #[server(default)] limit: Option<u32>,
) -> Result<LivePage, AppError> {
    call(|backend, actor| async move {
        let query = LiveQuery {
            text: text.unwrap_or_default(),
            node: node.filter(|id| !id.is_empty()).map(|id| id.as_str().into()),
            owner: owner.unwrap_or_default(),
            cursor: cursor.filter(|text| !text.is_empty()).map(Cursor),
            limit,
        };
        backend.sessions.live(&actor, query).await
    })
    .await
}

/// Sessions, newest first. `period` is `24h`, `7d`, `30d` or `all`; 7 days when empty.
#[server(name = FindSessions, prefix = "/api", endpoint = "sessions/list", output = Json)]
pub(crate) async fn find_sessions(
    #[server(default)] text: Option<String>,
    #[server(default)] node: Option<String>,
    #[server(default)] owner: Option<String>,
    #[server(default)] status: Option<String>,
    #[server(default)] period: Option<String>,
    #[server(default)] cursor: Option<String>,
    #[server(default)] limit: Option<u32>,
) -> Result<Page<SessionSummary>, AppError> {
    call(|backend, actor| async move {
        let mut problems = Vec::new();
        let period = super::list_url::Period::read(period.as_deref().unwrap_or_default());
        let days = keep(period, &mut problems).days();
        let status = keep(read_status(status.as_deref().unwrap_or_default()), &mut problems);
        PortalError::from_fields(problems)?;
        let now = muster_domain::system::SystemClock.now();
        let query = SessionQuery {
            text: text.unwrap_or_default(),
            node: node.filter(|id| !id.is_empty()).map(|id| id.as_str().into()),
            owner: owner.unwrap_or_default(),
            status,
            from: days.map(|days| now.plus_ms(-days * 86_400_000)),
            cursor: cursor.filter(|text| !text.is_empty()).map(Cursor),
            limit,
        };
        backend.sessions.list(&actor, query).await
    })
    .await
}

/// One session.
#[server(prefix = "/api", endpoint = "sessions/get", output = Json)]
pub(crate) async fn get_session(session_id: String) -> Result<SessionDetail, AppError> {
    call(|backend, actor| async move { backend.sessions.get(&actor, session_id.as_str().into()).await }).await
}

/// Ends a session.
#[server(name = EndSessionFn, prefix = "/api", endpoint = "sessions/end", output = Json)]
pub(crate) async fn end_session(
    session_id: String,
    #[server(default)] reason: Option<String>,
) -> Result<(), AppError> {
    call(|backend, actor| async move {
        let input = EndSession {
            session: session_id.as_str().into(),
            reason: reason.unwrap_or_default().trim().to_owned(),
        };
        backend.sessions.end(&actor, input).await
    })
    .await
}

/// Asks for more time; answers when the session ends now.
#[server(prefix = "/api", endpoint = "sessions/more_time", output = Json)]
pub(crate) async fn more_time(session_id: String) -> Result<Timestamp, AppError> {
    call(|backend, actor| async move {
        backend
            .sessions
            .more_time(&actor, session_id.as_str().into())
            .await
    })
    .await
}

/// A recording, to be played.
#[server(prefix = "/api", endpoint = "sessions/recording", output = Json)]
pub(crate) async fn get_recording(session_id: String) -> Result<RecordingView, AppError> {
    call(|backend, actor| async move {
        backend
            .sessions
            .recording(&actor, session_id.as_str().into())
            .await
    })
    .await
}

/// One chunk of a recording.
#[server(prefix = "/api", endpoint = "sessions/chunk", output = Json)]
pub(crate) async fn get_chunk(session_id: String, index: u32) -> Result<RecordedChunk, AppError> {
    call(|backend, actor| async move {
        backend
            .sessions
            .chunk(&actor, session_id.as_str().into(), index)
            .await
    })
    .await
}

/// What was typed in a session, as far as its recording tells.
#[server(name = ShowCommands, prefix = "/api", endpoint = "sessions/commands", output = Json)]
pub(crate) async fn session_commands(session_id: String) -> Result<Vec<RecordedCommand>, AppError> {
    call(|backend, actor| async move {
        backend
            .sessions
            .commands(&actor, session_id.as_str().into())
            .await
    })
    .await
}

/// A recording as lines.
#[server(prefix = "/api", endpoint = "sessions/transcript", output = Json)]
pub(crate) async fn get_transcript(session_id: String) -> Result<Vec<TranscriptLine>, AppError> {
    call(|backend, actor| async move {
        backend
            .sessions
            .transcript(&actor, session_id.as_str().into())
            .await
    })
    .await
}

/// Where a text stands in a recording.
#[server(prefix = "/api", endpoint = "sessions/search", output = Json)]
pub(crate) async fn search_recording(session_id: String, text: String) -> Result<Vec<Hit>, AppError> {
    call(|backend, actor| async move {
        backend
            .sessions
            .search(&actor, session_id.as_str().into(), text)
            .await
    })
    .await
}

/// Checks a recording; answers what is wrong with it.
#[server(name = VerifyRecording, prefix = "/api", endpoint = "sessions/verify", output = Json)]
pub(crate) async fn verify_recording(session_id: String) -> Result<Vec<String>, AppError> {
    call(|backend, actor| async move { backend.sessions.verify(&actor, session_id.as_str().into()).await })
        .await
}

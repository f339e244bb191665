//! The routes of sessions that are no pages: the terminal's websocket, and recordings as files.

use crate::error::{HttpError, store};
use crate::sessions::live::{self, Attachment};
use crate::sessions::queries::{self, Attached, Viewer};
use crate::sessions::service::{SessionService, not_found, not_live};
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use muster_domain::action::Action;
use muster_domain::audit::Intent;
use muster_domain::ids::NodeSessionId;
use muster_domain::sessions::wire::{INPUT_FRAME, MAX_TEXT};
use muster_domain::sessions::{
    EndSession, OpenTunnel, Participant, ParticipantRole, SessionKind, Sessions as _,
};
use muster_domain::{Actor, PortalError};

/// Browsers at one session at most.
const READERS: usize = 50;

/// The routes.
pub fn routes(service: SessionService) -> Router {
    Router::new()
        .route("/sessions/tunnels", post(tunnel))
        .route("/sessions/{session_id}", delete(end))
        .route("/sessions/{session_id}/socket", get(socket))
        .route("/download/sessions/{session_id}/{file}", get(file))
        .with_state(service)
}

/// Starts a tunnel, for `muster tunnel`; its client then attaches at the session's socket.
async fn tunnel(
    State(service): State<SessionService>,
    Extension(actor): Extension<Actor>,
    input: Result<Json<OpenTunnel>, JsonRejection>,
) -> Result<Json<serde_json::Value>, HttpError> {
    let Json(input) = input.map_err(|rejection| {
        // A stranger is told nothing about what they sent.
        if actor.is_known() {
            PortalError::invalid("body", rejection.body_text())
        } else {
            PortalError::SignInRequired
        }
    })?;
    let id = service.tunnel(&actor, input).await?;
    Ok(Json(serde_json::json!({ "session_id": id })))
}

/// Ends a session, for programs.
async fn end(
    State(service): State<SessionService>,
    Extension(actor): Extension<Actor>,
    Path(session_id): Path<String>,
) -> Result<StatusCode, HttpError> {
    let input = EndSession {
        session: NodeSessionId::new(session_id),
        reason: String::new(),
    };
    service.end(&actor, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Attaches a browser: its owner's to type, another's to look on.
async fn socket(
    State(service): State<SessionService>,
    Extension(actor): Extension<Actor>,
    Path(session_id): Path<String>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, HttpError> {
    let id = NodeSessionId::new(session_id);
    let row = queries::get(
        &service.ground.db,
        &id,
        &Viewer {
            user: actor.user_id.as_ref(),
            ..Viewer::ALL
        },
    )
    .await
    .map_err(store)?;
    let is_other = row.as_ref().is_none_or(|row| !row.summary.is_own);
    let action = if is_other {
        Action::SessionsWatch
    } else {
        Action::SessionsAttach
    };
    let intent = Intent::new(action, format!("session:{id}"));
    let shared = service
        .ground
        .door
        .pass(&actor, intent, Ok(()), async |pass| {
            let viewer = Viewer {
                scopes: &pass.scopes,
                user: actor.user_id.as_ref(),
            };
            let row = queries::get(&service.ground.db, &id, &viewer)
                .await
                .map_err(store)?
                .ok_or_else(|| not_found(&id))?;
            if is_other && row.summary.kind == SessionKind::Port {
                return Err(PortalError::Conflict {
                    message: "A tunnel shows nothing that one could look on.".into(),
                });
            }
            pass.note("node", row.summary.node_id.as_str());
            let shared = service.ground.live.get(&id).ok_or_else(|| not_live(&row))?;
            if shared.state().readers.len() >= READERS {
                return Err(PortalError::Conflict {
                    message: format!("{READERS} browsers are attached to this session already."),
                });
            }
            Ok(Ok(shared))
        })
        .await?;
    let upgrade = upgrade.map_err(|_| PortalError::SignInRequired)?;
    let upgrade = upgrade
        // What comes is small; a read clears as much, and there may be thousands of terminals.
        .read_buffer_size(2 * INPUT_FRAME)
        .max_message_size(MAX_TEXT.max(INPUT_FRAME + 64))
        .max_frame_size(MAX_TEXT.max(INPUT_FRAME + 64));
    let shared = match shared {
        Ok(shared) => shared,
        Err(ended) => return Ok(upgrade.on_upgrade(move |socket| live::tell_end(socket, ended))),
    };
    Ok(upgrade.on_upgrade(move |socket| async move {
        let ground = service.ground.clone();
        let attached = Attached {
            session: id.clone(),
            participant: ground.random.uuid(),
            user: actor.user_id.clone(),
            who: Participant {
                name: actor.name.clone(),
                role: if is_other {
                    ParticipantRole::Watcher
                } else {
                    ParticipantRole::Owner
                },
                address: actor.origin.address.clone(),
                joined_at: ground.clock.now(),
                left_at: None,
            },
        };
        if let Err(error) = queries::joined(&ground.db, &attached).await {
            tracing::warn!(session.id = %id, %error, "who is in a session was not kept");
        }
        let attachment = Attachment {
            ground: ground.clone(),
            store: service.recordings.clone(),
            actor: actor.clone(),
            is_other,
        };
        live::serve(attachment, shared, socket).await;
        let now = ground.clock.now();
        ground.write_left_surely(&actor, &attached, now, "").await;
    }))
}

/// A recording as a file: `recording.cast` for players of asciicast, `transcript.txt` for people.
async fn file(
    State(service): State<SessionService>,
    Extension(actor): Extension<Actor>,
    Path((session_id, file)): Path<(String, String)>,
) -> Result<Response, HttpError> {
    let id = NodeSessionId::new(session_id);
    let intent = Intent::new(Action::SessionsPlay, format!("session:{id}")).with("file", file.clone());
    let (body, kind) = service
        .ground
        .door
        .pass(&actor, intent, Ok(()), async |pass| {
            service.playable(&actor, &id, &pass.scopes).await?;
            match file.as_str() {
                "recording.cast" => Ok((service.recordings.cast(&id).await?, "application/x-asciicast")),
                "transcript.txt" => {
                    let mut text = String::new();
                    for line in service.recordings.transcript(&id).await? {
                        let seconds = line.at_ms / 1_000;
                        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
                        text.push_str(&format!(
                            "[{hours:02}:{minutes:02}:{:02}] {}\n",
                            seconds % 60,
                            line.text
                        ));
                    }
                    Ok((Body::from(text), "text/plain; charset=utf-8"))
                }
                _ => Err(PortalError::NotFound {
                    what: "This file".into(),
                }),
            }
        })
        .await?;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    // The id was found in the database and the file is one of two, so they hold nothing that a header cannot.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{id}-{file}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

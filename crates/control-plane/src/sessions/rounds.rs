//! What time does to sessions: those that never came up, idle ones, those that have lasted long enough,
//! clients that stay away. And writing down how a session stands.

use crate::control_plane::ControlPlane;
use crate::errors::ApiResult;
use crate::gateway::relay::due::Due;
use crate::gateway::relay::live::{About, Ending, Live, Written};
use crate::sessions::status::Status;
use crate::sessions::{ending, queries};
use muster_domain::Timestamp;
use std::sync::Arc;

/// One round over all sessions.
pub(crate) async fn round(plane: &ControlPlane) {
    let steady = plane.config.steady.now();
    for live in plane.hub.all() {
        let done = match live.due(steady, plane.config.session_connect_ms) {
            None => Ok(()),
            Some(Due::End(ending)) => ending::end(plane, &live, ending).await,
            Some(Due::Keep) => ending::keep(plane, &live).await,
            Some(Due::Changed) => {
                keep_status(plane, &live).await;
                Ok(())
            }
            Some(Due::Forget) => {
                plane.hub.forget(&live.about.session_id);
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::warn!(session.id = %live.about.session_id, code = error.code, "a session's end is not written down yet");
        }
    }
}

/// Ends all sessions of a node that is one no more.
pub(crate) async fn end_all_of(plane: &ControlPlane, node_id: &str) {
    for live in plane.hub.all() {
        if live.about.node_id != node_id {
            continue;
        }
        let output = format!("The session was ended: the node {node_id} was deregistered.");
        let gone = Ending {
            status: Status::Terminated,
            details: output.clone(),
            output,
            node_knows: false,
        };
        // A fault of the database's is met by the next round.
        let _ = ending::end(plane, &live, gone).await;
    }
}

/// Writes down how a session stands. What is written holds a number that only grows, so two writes that
/// overtake each other do no harm.
pub(crate) async fn keep_status(plane: &ControlPlane, live: &Live) {
    let id = &live.about.session_id;
    if let Err(error) = queries::set_status(plane.db.writer(), id, live.written()).await {
        // The next change writes it again, and the end does in any case.
        tracing::warn!(session.id = %id, code = error.code, "a session's status was not written down");
    }
}

/// Takes up the sessions that were going on when the program stopped.
pub(crate) async fn take_up(plane: &ControlPlane) -> ApiResult<()> {
    for row in queries::open(plane.db.reader()).await? {
        plane.hub.add(live(plane, &row));
    }
    Ok(())
}

/// When a session that may last so long is over, by the clock that never jumps. The wall's clock is asked once, when the session
/// begins and when this program does: all that is known across a restart. One that was set back meanwhile gives a session no more
/// than its whole time once more.
fn ends(max_ms: i64, started_at: Timestamp, now: Timestamp, steady: Timestamp) -> Timestamp {
    steady.plus_ms((max_ms - now.since_ms(started_at)).clamp(0, max_ms))
}

/// A session as it goes on from what is written down.
pub(crate) fn live(plane: &ControlPlane, row: &queries::SessionRow) -> Live {
    let (now, steady) = (plane.clock.now(), plane.config.steady.now());
    let about = About {
        session_id: row.session_id.clone(),
        region: row.region.clone(),
        node_id: row.node_id.clone(),
        idle_ms: row.idle_ms,
        max: row
            .max_ms
            .map(|max| (max, ends(max, row.started_at, now, steady))),
    };
    let written = Written {
        status: row.status,
        version: row.status_version,
        input_bytes: row.input_bytes,
        output_bytes: row.output_bytes,
    };
    Live::new(about, written, steady)
}

/// The session of that id and region that goes on, or has just ended.
pub(crate) fn find(plane: &ControlPlane, region: &str, session_id: &str) -> Option<Arc<Live>> {
    plane
        .hub
        .get(session_id)
        .filter(|live| live.about.region == region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_session_may_last_is_found_once_from_the_walls_clock() {
        let hour = 3_600_000;
        let ends = |now| ends(hour, Timestamp(10 * hour), Timestamp(now), Timestamp(500)).0;
        assert_eq!(ends(10 * hour), 500 + hour);
        assert_eq!(ends(10 * hour + 60_000), 500 + hour - 60_000);
        assert_eq!(ends(12 * hour), 500, "it is over");
        assert_eq!(ends(9 * hour), 500 + hour, "not more than its time");
    }
}

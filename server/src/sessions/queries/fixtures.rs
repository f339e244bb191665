//! Sessions for tests.

use super::{SessionRow, insert};
use muster_domain::Timestamp;
use muster_domain::ids::UserId;
use muster_domain::sessions::{RecordingState, SessionKind, SessionStatus, SessionSummary};
use muster_store::Db;

/// A session of somebody, on one of ten nodes.
pub(in crate::sessions) fn owned(number: i64, owner: &str) -> SessionRow {
    let at = Timestamp(1_000_000 + number * 1_000);
    SessionRow {
        summary: SessionSummary {
            session_id: format!("session-{number:06}").as_str().into(),
            ssm_session_id: format!("{owner}-{number:017x}"),
            kind: SessionKind::Shell,
            status: SessionStatus::Connected,
            node_id: format!("mi-{}", number % 10).as_str().into(),
            node_name: format!("node-{}", number % 10),
            account: "123456789012".into(),
            region: "eu-west-1".into(),
            os_user: "ssm-user".into(),
            owner_id: Some(UserId::new(owner)),
            owner: owner.to_owned(),
            reason: format!("INC-{number}: looking around"),
            is_production: false,
            started_at: at,
            ended_at: None,
            ends_at: None,
            active_at: at,
            bytes_out: 1,
            bytes_in: 1,
            end_reason: None,
            end_message: String::new(),
            ended_by: String::new(),
            recording: RecordingState::Recording,
            watchers: Vec::new(),
            is_own: false,
        },
        connection_id: "default".into(),
        document: String::new(),
        address: String::new(),
        recording_sha256: String::new(),
    }
}

/// Writes so many down.
pub(in crate::sessions) async fn insert_many(db: &Db, count: i64, make: impl Fn(i64) -> SessionRow) {
    for number in 0..count {
        insert(db, &make(number)).await.unwrap();
    }
}

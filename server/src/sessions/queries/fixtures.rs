//! Sessions for tests.

use super::{SessionRow, insert};
use muster_domain::Timestamp;
use muster_domain::ids::UserId;
use muster_domain::sessions::{RecordingState, SessionKind, SessionStatus, SessionSummary};
use muster_store::{Db, Sql};

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
            document: String::new(),
            document_version: String::new(),
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
            request: None,
        },
        connection_id: "default".into(),
        document_sha256: String::new(),
        document_idle_minutes: 0,
        document_max_minutes: 0,
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

/// A long history, each a second after the one before; every hundredth is bob's, all others are ann's.
pub(in crate::sessions) async fn insert_history(db: &Db, count: i64) {
    let mut sql = Sql::new(
        "insert into sessions (session_id, connection_id, ssm_session_id, kind, status, is_over, node_id, node_name, account, \
         region, document, os_user, owner_id, owner, address, reason, is_production, started_at, ended_at, active_at, bytes_in, \
         bytes_out, end_reason, end_message, ended_by, recording, recording_sha256, search) \
         with recursive numbers (n) as (select cast(0 as bigint) union all select n + 1 from numbers where n < ",
    );
    sql.int(count - 1).push(
        ") select 'session-' || substr('000000' || cast(n as text), length(cast(n as text)) + 1), 'default', '', 'Shell', 'Ended', \
         1, 'mi-' || cast(n % 10 as text), 'node', '', '', '', '', case when n % 100 = 0 then 'bob' else 'ann' end, \
         'somebody', '', '', 0, 1000000 + n * 1000, 1000000 + n * 1000 + 500, 1000000 + n * 1000, 0, 0, 'Exited', '', '', \
         'Signed', '', 'inc-' || cast(n as text) || ': looking around' from numbers",
    );
    sql.run(db.writer()).await.unwrap();
}

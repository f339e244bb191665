//! The SQL of sessions on nodes and of those who were in them.

#[cfg(test)]
mod fixtures;
mod history;
mod open;

pub use history::{LOOKED_AT, list};
pub use open::{Counts, count_open, open};

use crate::fleet::filter_sql::push_scopes;
use muster_domain::Timestamp;
use muster_domain::ids::{NodeId, NodeSessionId, RequestId, UserId};
use muster_domain::permission::Scope;
use muster_domain::sessions::{
    EndReason, Participant, ParticipantRole, RecordingState, SessionKind, SessionStatus, SessionSummary,
};
use muster_store::sql::contains_pattern;
use muster_store::{Db, RowExt, Sql, StoreError};
use sqlx::any::AnyRow;

const COLUMNS: &str = "select s.session_id, s.connection_id, s.ssm_session_id, s.kind, s.status, s.node_id, s.node_name, \
     s.account, s.region, s.document, s.os_user, s.owner_id, s.owner, s.address, s.reason, s.is_production, s.started_at, \
     s.ended_at, s.ends_at, s.active_at, s.bytes_in, s.bytes_out, s.end_reason, s.end_message, s.ended_by, s.recording, \
     s.recording_sha256, s.request_id, s.document_version, s.document_sha256, s.document_idle_minutes, \
     s.document_max_minutes from sessions s";

/// Who looks: their scopes, and themselves, whose own sessions they always see.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// Where they may see.
    pub scopes: &'a [Scope],
    /// Who they are.
    pub user: Option<&'a UserId>,
}

impl Viewer<'_> {
    /// For what the portal does itself.
    pub const ALL: Viewer<'static> = Viewer {
        scopes: &[Scope::All],
        user: None,
    };
}

/// A session's row, with what no list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// As lists show it.
    pub summary: SessionSummary,
    /// Through which connection.
    pub connection_id: String,
    /// SHA-256 of the document that it was started with.
    pub document_sha256: String,
    /// It ends after so many minutes without traffic, as that document says; 0 when it does not say.
    pub document_idle_minutes: u32,
    /// It ends after so many minutes, as that document says; 0 when it does not say.
    pub document_max_minutes: u32,
    /// From where its owner started it.
    pub address: String,
    /// Of the recording's signed manifest.
    pub recording_sha256: String,
}

fn count(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.int(column)?).unwrap_or_default())
}

fn minutes(row: &AnyRow, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.int(column)?).unwrap_or_default())
}

fn session(row: &AnyRow, viewer: &Viewer<'_>) -> Result<SessionRow, StoreError> {
    let owner_id = row.text_or_none("owner_id")?.map(UserId::new);
    let summary = SessionSummary {
        session_id: NodeSessionId::new(row.text("session_id")?),
        ssm_session_id: row.text("ssm_session_id")?,
        kind: SessionKind::parse(&row.text("kind")?).unwrap_or(SessionKind::Shell),
        status: SessionStatus::parse(&row.text("status")?).unwrap_or(SessionStatus::Failed),
        node_id: NodeId::new(row.text("node_id")?),
        node_name: row.text("node_name")?,
        account: row.text("account")?,
        region: row.text("region")?,
        document: row.text("document")?,
        document_version: row.text("document_version")?,
        os_user: row.text("os_user")?,
        is_own: owner_id.is_some() && owner_id.as_ref() == viewer.user,
        owner_id,
        owner: row.text("owner")?,
        reason: row.text("reason")?,
        is_production: row.flag("is_production")?,
        started_at: row.time("started_at")?,
        ended_at: row.time_or_none("ended_at")?,
        ends_at: row.time_or_none("ends_at")?,
        active_at: row.time("active_at")?,
        bytes_out: count(row, "bytes_out")?,
        bytes_in: count(row, "bytes_in")?,
        end_reason: row
            .text_or_none("end_reason")?
            .and_then(|word| EndReason::parse(&word)),
        end_message: row.text("end_message")?,
        ended_by: row.text("ended_by")?,
        recording: RecordingState::parse(&row.text("recording")?).unwrap_or(RecordingState::None),
        watchers: Vec::new(),
        request: Some(row.text("request_id")?)
            .filter(|id| !id.is_empty())
            .map(RequestId::new),
    };
    Ok(SessionRow {
        summary,
        connection_id: row.text("connection_id")?,
        document_sha256: row.text("document_sha256")?,
        document_idle_minutes: minutes(row, "document_idle_minutes")?,
        document_max_minutes: minutes(row, "document_max_minutes")?,
        address: row.text("address")?,
        recording_sha256: row.text("recording_sha256")?,
    })
}

/// What is of the connection of `db`, and the viewer may see.
fn push_visible(sql: &mut Sql, db: &Db, viewer: &Viewer<'_>) {
    push_visible_by(sql, db, HERE, viewer);
}

/// The connection of a session.
const HERE: &str = "s.connection_id";
/// The same where another index than that of the connection leads to what is looked for: a node is of one connection anyway.
const HERE_ALONG_ANOTHER: &str = "s.connection_id || ''";

fn push_visible_by(sql: &mut Sql, db: &Db, here: &'static str, viewer: &Viewer<'_>) {
    sql.within(here, db).push(" and ");
    if viewer.scopes.contains(&Scope::All) {
        sql.push("1 = 1");
        return;
    }
    sql.push("(");
    if let Some(user) = viewer.user {
        sql.push("s.owner_id = ").text(user.as_str()).push(" or ");
    }
    sql.push("exists (select 1 from nodes n where n.node_id = s.node_id and ");
    push_scopes(sql, viewer.scopes);
    sql.push("))");
}

/// What narrows lists of sessions.
fn push_asked(sql: &mut Sql, text: &str, node: Option<&NodeId>, owner: &str) {
    let text = text.trim().to_lowercase();
    if !text.is_empty() {
        sql.push(" and s.search like ")
            .text(contains_pattern(&text))
            .push(" escape '\\'");
    }
    if let Some(node) = node {
        sql.push(" and s.node_id = ").text(node.as_str());
    }
    if !owner.trim().is_empty() {
        sql.push(" and s.owner = ").text(owner.trim());
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Writes a new session down.
///
/// # Errors
/// When the database does not answer. The same holds for all others here.
pub async fn insert(db: &Db, row: &SessionRow) -> Result<(), StoreError> {
    let one = &row.summary;
    let search = [
        one.session_id.as_str(),
        &one.ssm_session_id,
        one.node_id.as_str(),
        &one.node_name,
        &one.owner,
        &one.reason,
    ]
    .join("\n")
    .to_lowercase();
    let mut sql = Sql::new(
        "insert into sessions (session_id, connection_id, ssm_session_id, kind, status, is_over, node_id, node_name, \
         account, region, document, os_user, owner_id, owner, address, reason, is_production, started_at, ended_at, \
         ends_at, active_at, bytes_in, bytes_out, end_reason, end_message, ended_by, recording, recording_sha256, \
         request_id, document_version, document_sha256, document_idle_minutes, document_max_minutes, search) values (",
    );
    sql.text(one.session_id.as_str()).push(", ");
    sql.text(&row.connection_id).push(", ");
    sql.text(&one.ssm_session_id).push(", ");
    sql.text(one.kind.as_str()).push(", ");
    sql.text(one.status.as_str()).push(", ");
    sql.int(i64::from(one.status.is_over())).push(", ");
    sql.text(one.node_id.as_str()).push(", ");
    sql.text(&one.node_name).push(", ");
    sql.text(&one.account).push(", ");
    sql.text(&one.region).push(", ");
    sql.text(&one.document).push(", ");
    sql.text(&one.os_user).push(", ");
    sql.text_or_none(one.owner_id.as_ref().map(ToString::to_string))
        .push(", ");
    sql.text(&one.owner).push(", ");
    sql.text(&row.address).push(", ");
    sql.text(&one.reason).push(", ");
    sql.int(i64::from(one.is_production)).push(", ");
    sql.int(one.started_at.0).push(", ");
    sql.int_or_none(one.ended_at.map(|at| at.0)).push(", ");
    sql.int_or_none(one.ends_at.map(|at| at.0)).push(", ");
    sql.int(one.active_at.0).push(", ");
    sql.int(signed(one.bytes_in)).push(", ");
    sql.int(signed(one.bytes_out)).push(", ");
    sql.text_or_none(one.end_reason.map(|reason| reason.as_str().to_owned()))
        .push(", ");
    sql.text(&one.end_message).push(", ");
    sql.text(&one.ended_by).push(", ");
    sql.text(one.recording.as_str()).push(", ");
    sql.text(&row.recording_sha256).push(", ");
    sql.text(one.request.as_ref().map_or("", RequestId::as_str))
        .push(", ");
    sql.text(&one.document_version).push(", ");
    sql.text(&row.document_sha256).push(", ");
    sql.int(i64::from(row.document_idle_minutes)).push(", ");
    sql.int(i64::from(row.document_max_minutes)).push(", ");
    sql.text(search).push(")");
    sql.run(db.writer()).await.map(|_| ())
}

/// Writes down how a session stands now. What is over stays over.
///
/// # Errors
/// When the database does not answer.
pub async fn update(db: &Db, row: &SessionRow) -> Result<(), StoreError> {
    let one = &row.summary;
    let mut sql = Sql::new("update sessions set ssm_session_id = ");
    sql.text(&one.ssm_session_id).push(", status = ");
    sql.text(one.status.as_str()).push(", is_over = ");
    sql.int(i64::from(one.status.is_over())).push(", os_user = ");
    sql.text(&one.os_user).push(", ended_at = ");
    sql.int_or_none(one.ended_at.map(|at| at.0)).push(", ends_at = ");
    sql.int_or_none(one.ends_at.map(|at| at.0)).push(", active_at = ");
    sql.int(one.active_at.0).push(", bytes_in = ");
    sql.int(signed(one.bytes_in)).push(", bytes_out = ");
    sql.int(signed(one.bytes_out)).push(", end_reason = ");
    sql.text_or_none(one.end_reason.map(|reason| reason.as_str().to_owned()))
        .push(", end_message = ");
    sql.text(&one.end_message).push(", ended_by = ");
    sql.text(&one.ended_by).push(", recording = ");
    sql.text(one.recording.as_str()).push(", recording_sha256 = ");
    sql.text(&row.recording_sha256).push(" where session_id = ");
    sql.text(one.session_id.as_str()).push(" and is_over = 0");
    sql.run(db.writer()).await.map(|_| ())
}

/// One session, if the viewer may see it.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: &Db, id: &NodeSessionId, viewer: &Viewer<'_>) -> Result<Option<SessionRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where s.session_id = ").text(id.as_str()).push(" and ");
    push_visible(&mut sql, db, viewer);
    sql.first(db.reader())
        .await?
        .as_ref()
        .map(|row| session(row, viewer))
        .transpose()
}

/// Sessions that go on, newest first, at most `limit`: for the portal itself.
///
/// # Errors
/// When the database does not answer.
pub async fn live(db: &Db, viewer: &Viewer<'_>, limit: u32) -> Result<Vec<SessionRow>, StoreError> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where s.is_over = 0 and ");
    push_visible(&mut sql, db, viewer);
    sql.push(" order by s.started_at desc, s.session_id desc limit ")
        .int(i64::from(limit));
    sql.all(db.reader())
        .await?
        .iter()
        .map(|row| session(row, viewer))
        .collect()
}

/// Whether it is another connection's session.
///
/// # Errors
/// When the database does not answer.
pub async fn is_elsewhere(db: &Db, id: &NodeSessionId) -> Result<bool, StoreError> {
    let mut sql = Sql::new("select 1 as found from sessions where session_id = ");
    sql.text(id.as_str())
        .push(" and connection_id <> ")
        .text(db.connection());
    Ok(sql.first(db.reader()).await?.is_some())
}

/// The account that a connection was found to be for; empty while nobody has found out.
///
/// # Errors
/// When the database does not answer.
pub async fn account(db: &Db, connection: &str) -> Result<String, StoreError> {
    let mut sql = Sql::new("select account from connections where connection_id = ");
    sql.text(connection);
    let row = sql.first(db.reader()).await?;
    row.map_or(Ok(String::new()), |row| row.text("account"))
}

/// Users of the operating system under which somebody worked on a node, latest first, at most five.
///
/// # Errors
/// When the database does not answer.
pub async fn os_users(db: &Db, node: &NodeId) -> Result<Vec<String>, StoreError> {
    let mut sql =
        Sql::new("select s.os_user, max(s.started_at) as latest from sessions s where s.os_user <> '' and ");
    sql.within(HERE_ALONG_ANOTHER, db)
        .push(" and s.node_id = ")
        .text(node.as_str())
        .push(" group by s.os_user order by latest desc, s.os_user limit 5");
    sql.all(db.reader())
        .await?
        .iter()
        .map(|row| row.text("os_user"))
        .collect()
}

/// Notes that somebody joined.
///
/// # Errors
/// When the database does not answer.
pub async fn joined(db: &Db, attached: &Attached) -> Result<(), StoreError> {
    let Attached {
        session,
        participant,
        user,
        who,
    } = attached;
    let mut sql = Sql::new(
        "insert into session_participants (session_id, participant_id, user_id, name, role, address, joined_at) values (",
    );
    sql.text(session.as_str()).push(", ").text(participant).push(", ");
    sql.text_or_none(user.as_ref().map(ToString::to_string))
        .push(", ");
    sql.text(&who.name).push(", ").text(who.role.as_str()).push(", ");
    sql.text(&who.address).push(", ").int(who.joined_at.0).push(")");
    sql.run(db.writer()).await.map(|_| ())
}

/// Notes that somebody left.
///
/// # Errors
/// When the database does not answer.
pub async fn left(db: &Db, id: &NodeSessionId, participant: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new("update session_participants set left_at = ");
    sql.int(now.0).push(" where session_id = ").text(id.as_str());
    sql.push(" and participant_id = ").text(participant);
    sql.run(db.writer()).await.map(|_| ())
}

/// Somebody who is in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// In which.
    pub session: NodeSessionId,
    /// This time of being there.
    pub participant: String,
    /// Their account.
    pub user: Option<UserId>,
    /// Who.
    pub who: Participant,
}

/// All who are in a session as far as is written down; when the portal starts, those whose leaving is not, at most 10,000.
///
/// # Errors
/// When the database does not answer.
pub async fn attached(db: &Db) -> Result<Vec<Attached>, StoreError> {
    let mut sql = Sql::new(
        "select p.session_id, p.participant_id, p.user_id, p.name, p.role, p.address, p.joined_at, p.left_at \
         from session_participants p join sessions s on s.session_id = p.session_id where p.left_at is null and ",
    );
    // Those who have not left are few.
    sql.within(HERE_ALONG_ANOTHER, db)
        .push(" order by p.joined_at limit 10000");
    let rows = sql.all(db.reader()).await?;
    rows.iter()
        .map(|row| {
            Ok(Attached {
                session: NodeSessionId::new(row.text("session_id")?),
                participant: row.text("participant_id")?,
                user: row.text_or_none("user_id")?.map(UserId::new),
                who: participant(row)?,
            })
        })
        .collect()
}

fn participant(row: &AnyRow) -> Result<Participant, StoreError> {
    Ok(Participant {
        name: row.text("name")?,
        role: ParticipantRole::parse(&row.text("role")?).unwrap_or(ParticipantRole::Watcher),
        address: row.text("address")?,
        joined_at: row.time("joined_at")?,
        left_at: row.time_or_none("left_at")?,
    })
}

/// Who was in a session, in order, at most 500.
///
/// # Errors
/// When the database does not answer.
pub async fn participants(db: &Db, id: &NodeSessionId) -> Result<Vec<Participant>, StoreError> {
    let mut sql = Sql::new(
        "select p.name, p.role, p.address, p.joined_at, p.left_at from session_participants p where p.session_id = ",
    );
    sql.text(id.as_str())
        .push(" order by p.joined_at, p.participant_id limit 500");
    sql.all(db.reader()).await?.iter().map(participant).collect()
}

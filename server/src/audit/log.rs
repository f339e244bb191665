//! The log's only writer: rows chained by hash, many callers in one transaction, a signed head beside
//! the database after each commit, and signed checkpoints every so often.

use crate::audit::keys::{SigningKey, is_signed, write_private};
use crate::audit::row::{Entry, hash};
use crate::error::store;
use async_trait::async_trait;
use muster_domain::actor::Actor;
use muster_domain::audit::{AuditTrail, Finding, Intent, Outcome};
use muster_domain::ids::ActId;
use muster_domain::time::{Clock, Random};
use muster_domain::{PortalError, Timestamp};
use muster_store::{Db, RowExt, Sql, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Rows between two checkpoints at most.
pub const CHECKPOINT_ROWS: i64 = 1_000;
/// Milliseconds between two checkpoints at most, while rows are written.
pub const CHECKPOINT_MS: i64 = 600_000;
/// Rows written in one transaction at most.
const BATCH: usize = 256;
/// The place among the checkpoints of the head that is signed within each transaction. No row has it.
pub const HEAD_PLACE: i64 = 0;

/// How the log stood at some moment, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Version of this format.
    pub schema: u32,
    /// `head` or `checkpoint`.
    pub kind: String,
    /// The last row.
    pub sequence: i64,
    /// Its hash.
    pub hash: String,
    /// When, RFC 3339.
    pub at: String,
}

/// A head with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The signed text: a [`Head`] as JSON, exactly these bytes.
    pub body: String,
    /// Which key.
    pub key_id: String,
    /// Over `body`, hexadecimal.
    pub signature: String,
}

/// An entry that waits for the writer, whether it is left out when its act is in the log already, and whom to tell.
type Waiting = (Entry, bool, oneshot::Sender<Result<(), PortalError>>);

/// The audit log.
pub struct AuditLog {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dir: PathBuf,
    pub(crate) public_key: String,
    key: Arc<SigningKey>,
    random: Arc<dyn Random>,
    queue: mpsc::Sender<Waiting>,
    done: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// Why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder cannot be made.
    #[error("the folder of the audit log {0} cannot be used: {1}")]
    Folder(PathBuf, std::io::Error),
    /// Its key cannot be used.
    #[error(transparent)]
    Key(#[from] crate::audit::keys::KeyError),
}

impl AuditLog {
    /// Opens the log of `db`; its key, head and checkpoints are in `dir`.
    ///
    /// # Errors
    /// When folder or key cannot be used.
    pub fn open(
        db: Db,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        dir: PathBuf,
        key_path: Option<PathBuf>,
    ) -> Result<Arc<Self>, OpenError> {
        std::fs::create_dir_all(&dir).map_err(|error| OpenError::Folder(dir.clone(), error))?;
        let key = SigningKey::load_or_make(&key_path.unwrap_or_else(|| dir.join("signing-key.pk8")))?;
        let key = Arc::new(key);
        let public_key = key.public();
        let (queue, waiting) = mpsc::channel(1_024);
        let writer = Writer {
            db: db.clone(),
            clock: Arc::clone(&clock),
            dir: dir.clone(),
            key: Arc::clone(&key),
            last_checkpoint: None,
        };
        let task = tokio::spawn(writer.run(waiting));
        Ok(Arc::new(Self {
            db,
            clock,
            dir,
            public_key,
            key,
            random,
            queue,
            done: tokio::sync::Mutex::new(Some(task)),
        }))
    }

    /// The first row at which the log is behind what was signed before, if it is: see [`crate::audit::behind`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn behind(&self) -> Result<Option<Finding>, StoreError> {
        crate::audit::behind::look(&self.db, &self.dir, &self.public_key).await
    }

    /// Signs something else with the log's key: the key's id, and the signature, hexadecimal. What is signed begins with a
    /// label of its own, so that it cannot be taken for a head of the log.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> (String, String) {
        (self.key.id.clone(), self.key.sign(bytes))
    }

    /// Waits until everything is written and writes a last checkpoint. Afterwards nothing more is taken.
    pub async fn close(self: Arc<Self>) {
        let task = self.done.lock().await.take();
        drop(self);
        if let Some(task) = task {
            let _ = tokio::time::timeout(std::time::Duration::from_secs(10), task).await;
        }
    }

    async fn append(&self, entry: Entry, once: bool) -> Result<(), PortalError> {
        let (sender, answer) = oneshot::channel();
        let gone = || PortalError::Unavailable {
            message: "The audit log is closed, so nothing can be done now: the server is stopping.".into(),
        };
        self.queue.send((entry, once, sender)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl AuditTrail for AuditLog {
    async fn begin(&self, actor: &Actor, intent: &Intent) -> Result<ActId, PortalError> {
        let act = self.random.uuid();
        let entry = Entry::new(actor, intent, &act, "intent", None, "", intent.detail.clone());
        self.append(entry, false).await?;
        Ok(ActId::new(act))
    }

    async fn complete(
        &self,
        actor: &Actor,
        intent: &Intent,
        act: &ActId,
        outcome: Outcome,
        message: &str,
        result: BTreeMap<String, Value>,
    ) -> Result<(), PortalError> {
        let entry = Entry::new(
            actor,
            intent,
            act.as_str(),
            "outcome",
            Some(outcome),
            message,
            result,
        );
        self.append(entry, false).await
    }

    async fn record(
        &self,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        message: &str,
    ) -> Result<(), PortalError> {
        let act = self.random.uuid();
        self.append(event(&act, actor, intent, outcome, message), false)
            .await
    }

    async fn record_once(
        &self,
        act: &ActId,
        actor: &Actor,
        intent: &Intent,
        outcome: Outcome,
        message: &str,
    ) -> Result<(), PortalError> {
        self.append(event(act.as_str(), actor, intent, outcome, message), true)
            .await
    }
}

/// An act and its outcome in one row.
fn event(act: &str, actor: &Actor, intent: &Intent, outcome: Outcome, message: &str) -> Entry {
    let detail = intent.detail.clone();
    Entry::new(actor, intent, act, "event", Some(outcome), message, detail)
}

struct Writer {
    db: Db,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    key: Arc<SigningKey>,
    last_checkpoint: Option<(i64, Timestamp)>,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let (entries, answers): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .map(|(entry, once, answer)| ((entry, once), answer))
                .unzip();
            let result = self.write(entries).await;
            let failed = result.as_ref().err().map(|error| error.to_string());
            if let Ok(written) = &result {
                self.after_commit(written).await;
            } else if let Some(error) = &failed {
                tracing::error!(error, "the audit log could not be written: acts are refused");
            }
            let refusal = result.err().map(store);
            for answer in answers {
                let _ = answer.send(refusal.clone().map_or(Ok(()), Err));
            }
        }
        // All callers are gone: the server stops.
        if let Ok(Some((sequence, hash))) = self.head().await
            && sequence > 0
        {
            self.checkpoint(sequence, &hash).await;
        }
    }

    async fn head(&self) -> Result<Option<(i64, String)>, StoreError> {
        let sql = Sql::new("select sequence, hash from audit_head where id = 1");
        let row = sql.first(self.db.reader()).await?;
        row.map(|row| Ok((row.int("sequence")?, row.text("hash")?)))
            .transpose()
    }

    /// Writes rows in one transaction; the head's row is locked first, so that other processes wait.
    async fn write(&self, entries: Vec<(Entry, bool)>) -> Result<Written, StoreError> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let mut sql = Sql::new("update audit_head set touched_at = ");
        sql.int(now.0).push(" where id = 1 returning sequence, hash");
        let row = sql.one(&mut *transaction).await?;
        let (mut sequence, mut previous) = (row.int("sequence")?, row.text("hash")?);
        let first = sequence + 1;
        for (entry, once) in entries {
            if once {
                let mut sql = Sql::new("select sequence from audit_log where act_id = ");
                sql.text(&entry.body.act_id).push(" limit 1");
                if sql.first(&mut *transaction).await?.is_some() {
                    continue;
                }
            }
            sequence += 1;
            let (body, text) = entry.seal(sequence, now).map_err(unwritable)?;
            previous = hash(&previous, &text);
            let mut sql = Sql::new(
                "insert into audit_log (sequence, act_id, phase, at, actor, action, resource, address, via, outcome, body, hash) values (",
            );
            sql.int(sequence)
                .push(", ")
                .text(body.act_id)
                .push(", ")
                .text(body.phase)
                .push(", ")
                .int(now.0)
                .push(", ");
            sql.text(body.actor)
                .push(", ")
                .text(body.action)
                .push(", ")
                .text(body.resource)
                .push(", ");
            sql.text(body.address)
                .push(", ")
                .text(body.via)
                .push(", ")
                .text(body.outcome)
                .push(", ");
            sql.text(text).push(", ").text(&previous).push(")");
            sql.run(&mut *transaction).await?;
        }
        let mut sql = Sql::new("update audit_head set sequence = ");
        sql.int(sequence)
            .push(", hash = ")
            .text(&previous)
            .push(" where id = 1");
        sql.run(&mut *transaction).await?;
        // Signed in the same transaction: rows that somebody adds without the key are not covered by it.
        let signed = self.signed("head", sequence, &previous).map_err(unwritable)?;
        let mut sql = point_sql(HEAD_PLACE, &signed);
        sql.push(" on conflict (sequence) do update set body = excluded.body, key_id = excluded.key_id, signature = excluded.signature");
        sql.run(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Written {
            first,
            sequence,
            hash: previous,
            signed,
        })
    }

    fn signed(&self, kind: &str, sequence: i64, hash: &str) -> Result<SignedHead, serde_json::Error> {
        let head = Head {
            schema: 1,
            kind: kind.to_owned(),
            sequence,
            hash: hash.to_owned(),
            at: self.clock.now().rfc3339(),
        };
        let body = serde_json::to_string(&head)?;
        Ok(SignedHead {
            signature: self.key.sign(body.as_bytes()),
            body,
            key_id: self.key.id.clone(),
        })
    }

    /// What stands beside the database. A failure here is told, but the rows are already safe.
    async fn after_commit(&mut self, written: &Written) {
        let path = self.dir.join("head.json");
        self.keep_evidence(&path, written);
        if let Ok(text) = serde_json::to_string(&written.signed)
            && let Err(error) = write_private(&path, text.as_bytes())
        {
            tracing::error!(%error, "the audit log's head file could not be written");
        }
        let (sequence, now) = (written.sequence, self.clock.now());
        let (at_row, at_time) = *self.last_checkpoint.get_or_insert((sequence, now));
        if sequence - at_row >= CHECKPOINT_ROWS || now.since_ms(at_time) >= CHECKPOINT_MS {
            self.checkpoint(sequence, &written.hash).await;
        }
    }

    /// A head file that attests a row which was only written now says that the end was cut off before, or
    /// that another process was faster. It becomes a checkpoint, so that writing on hides nothing.
    fn keep_evidence(&self, path: &Path, written: &Written) {
        let Some(old) = std::fs::read_to_string(path)
            .ok()
            .and_then(|text| serde_json::from_str::<SignedHead>(&text).ok())
        else {
            return;
        };
        let ahead = serde_json::from_str::<Head>(&old.body).is_ok_and(|head| {
            head.sequence >= written.first && (head.sequence, &head.hash) != (written.sequence, &written.hash)
        });
        if ahead
            && is_signed(&self.key.public(), old.body.as_bytes(), &old.signature)
            && let Err(error) = append_line(&self.dir.join("checkpoints.jsonl"), &old)
        {
            tracing::error!(%error, "a head that is ahead of the audit log could not be kept");
        }
    }

    async fn checkpoint(&mut self, sequence: i64, hash: &str) {
        self.last_checkpoint = Some((sequence, self.clock.now()));
        let Ok(point) = self.signed("checkpoint", sequence, hash) else {
            return;
        };
        if let Err(error) = append_line(&self.dir.join("checkpoints.jsonl"), &point) {
            tracing::error!(%error, "a checkpoint of the audit log could not be written to its file");
        }
        let mut sql = point_sql(sequence, &point);
        sql.push(" on conflict (sequence) do nothing");
        if let Err(error) = sql.run(self.db.writer()).await {
            tracing::error!(%error, "a checkpoint of the audit log could not be written to the database");
        }
    }
}

/// What a transaction added to the log.
struct Written {
    first: i64,
    sequence: i64,
    hash: String,
    signed: SignedHead,
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Column {
        column: "body".into(),
        message: error.to_string(),
    }
}

fn point_sql(place: i64, point: &SignedHead) -> Sql {
    let mut sql = Sql::new("insert into audit_checkpoints (sequence, body, key_id, signature) values (");
    sql.int(place).push(", ").text(&point.body).push(", ");
    sql.text(&point.key_id)
        .push(", ")
        .text(&point.signature)
        .push(")");
    sql
}

fn append_line(path: &Path, point: &SignedHead) -> std::io::Result<()> {
    let mut line = serde_json::to_string(point)?;
    line.push('\n');
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

//! One row of the audit log: its canonical bytes and its hash. The format is in `docs/AUDIT-LOG.md`.

use muster_domain::Timestamp;
use muster_domain::actor::Actor;
use muster_domain::audit::{Intent, Outcome};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The hash before the first row.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The attested fields, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Version of this format.
    pub schema: u32,
    /// Place in the log, from 1.
    pub sequence: i64,
    /// Ties intent and outcome.
    pub act_id: String,
    /// `intent`, `outcome` or `event`.
    pub phase: String,
    /// RFC 3339, milliseconds, UTC.
    pub at: String,
    /// Who, by name.
    pub actor: String,
    /// Who, by account.
    pub user_id: Option<String>,
    /// What.
    pub action: String,
    /// On what.
    pub resource: String,
    /// From where.
    pub address: String,
    /// `browser`, `cli`, `api` or `server`.
    pub via: String,
    /// With what.
    pub user_agent: String,
    /// The session's public handle.
    pub session: Option<String>,
    /// Parameters, or results.
    pub detail: BTreeMap<String, Value>,
    /// How it ended; empty for an intent.
    pub outcome: String,
    /// Why not.
    pub message: String,
}

/// Longest text of a field that comes from outside; more is cut.
const MAX_TEXT: usize = 16_384;

fn cut(text: &str) -> String {
    // PostgreSQL takes no NUL in a text: one such entry would keep all that wait with it from being written.
    let text = &text.replace('\0', "\u{fffd}");
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = (0..=MAX_TEXT)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    format!("{}… ({} bytes)", &text[..end], text.len())
}

/// What is to be written, before its place in the log is known.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Everything but sequence and time.
    pub body: Body,
}

impl Entry {
    /// An entry of `actor` doing `intent`.
    #[must_use]
    pub fn new(
        actor: &Actor,
        intent: &Intent,
        act_id: &str,
        phase: &str,
        outcome: Option<Outcome>,
        message: &str,
        detail: BTreeMap<String, Value>,
    ) -> Self {
        Self {
            body: Body {
                schema: 1,
                sequence: 0,
                act_id: act_id.to_owned(),
                phase: phase.to_owned(),
                at: String::new(),
                actor: cut(&actor.name),
                user_id: actor.user_id.as_ref().map(ToString::to_string),
                action: cut(intent.logged_as()),
                resource: cut(&intent.resource),
                address: cut(&actor.origin.address),
                via: actor.origin.via.clone(),
                user_agent: cut(&actor.origin.user_agent),
                session: actor.session.as_ref().map(ToString::to_string),
                detail,
                outcome: outcome.map_or("", Outcome::as_str).to_owned(),
                message: cut(message),
            },
        }
    }

    /// The canonical text of the row at this place and time.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which text and numbers always can.
    pub fn seal(mut self, sequence: i64, at: Timestamp) -> Result<(Body, String), serde_json::Error> {
        self.body.sequence = sequence;
        self.body.at = at.rfc3339();
        let text = serde_json::to_string(&self.body)?;
        Ok((self.body, text))
    }
}

/// The hash of a row: over a label, the previous row's hash and the canonical text.
#[must_use]
pub fn hash(previous: &str, body: &str) -> String {
    let mut context = Context::new(&SHA256);
    context.update(b"muster-audit-v1\n");
    context.update(&hex::decode(previous).unwrap_or_default());
    context.update(body.as_bytes());
    hex::encode(context.finish())
}

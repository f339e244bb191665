//! Looks at all live sessions every few seconds: whether their owners still may have them, whether those who are
//! attached still may be, and how much went through since.

use crate::access::session_store::DatabaseSessions;
use crate::sessions::live::{Command, EndOrder, Reader, Shared};
use crate::sessions::queries;
use crate::sessions::service::SessionService;
use muster_domain::action::Action;
use muster_domain::ids::UserId;
use muster_domain::sessions::EndReason;
use muster_store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often permissions are looked at.
const EVERY: Duration = Duration::from_secs(3);
/// How many rounds pass between two times that counts are written down.
const KEPT_EVERY: u32 = 5;

/// Looks after the sessions.
#[derive(Clone)]
pub struct Sweep {
    /// The service whose sessions they are.
    pub service: SessionService,
    /// Who is signed in.
    pub sign_ins: DatabaseSessions,
    /// A sign-in that was not used for so long has ended.
    pub idle_ms: i64,
}

impl Sweep {
    /// Looks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut round = 0_u32;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            round = round.wrapping_add(1);
            for shared in self.service.ground.live.all() {
                if let Err(error) = self.look(&shared, round.is_multiple_of(KEPT_EVERY)).await {
                    // When it cannot be known, nobody is thrown out: the next round looks again.
                    tracing::warn!(session.id = %shared.id, %error, "a session was not looked at");
                }
            }
        }
    }

    /// Looks at one session.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn look(&self, shared: &Arc<Shared>, keep: bool) -> Result<(), StoreError> {
        let (row, readers) = {
            let mut state = shared.state();
            let readers: Vec<_> = state
                .readers
                .iter_mut()
                .map(|(number, reader)| {
                    let typed = std::mem::take(&mut reader.typed);
                    (*number, reader.clone(), typed)
                })
                .collect();
            (state.row.clone(), readers)
        };
        // Its task writes down how it ended.
        if row.summary.status.is_over() {
            return Ok(());
        }
        if let Some(owner) = &row.summary.owner_id
            && !self.service.may_still(&row, Action::SessionsStart, owner).await?
        {
            shared
                .tell(Command::End(EndOrder {
                    reason: EndReason::PermissionEnded,
                    message: format!(
                        "{} may not have sessions on this node any more.",
                        row.summary.owner
                    ),
                    by: String::new(),
                }))
                .await;
            return Ok(());
        }
        for (number, reader, typed) in readers {
            let why = self.why_not(&row, &reader, typed).await?;
            if let Some(why) = why
                && let Some(reader) = shared.state().readers.get_mut(&number)
            {
                reader.revoked = Some(why);
            }
        }
        shared.pulse();
        if keep {
            queries::update(&self.service.ground.db, &row).await?;
        }
        Ok(())
    }

    async fn why_not(
        &self,
        row: &queries::SessionRow,
        reader: &Reader,
        typed: bool,
    ) -> Result<Option<String>, StoreError> {
        let Some(user) = &reader.user else { return Ok(None) };
        let user: &UserId = user;
        if reader.watcher && !self.service.may_still(row, Action::SessionsWatch, user).await? {
            return Ok(Some("You may not look on here any more.".into()));
        }
        let Some(sign_in) = &reader.sign_in else {
            return Ok(None);
        };
        // Typing in a terminal is using the portal; merely having it open is not.
        let is_there = if typed {
            self.sign_ins.touch(sign_in, self.idle_ms).await?
        } else {
            self.sign_ins.is_there(sign_in).await?
        };
        Ok((!is_there)
            .then(|| "You are not signed in any more. Sign in to come back to this session.".into()))
    }
}

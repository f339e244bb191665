//! The live stream of one command: server-sent events that continue from a cursor. What is sent comes
//! from the database, in order; a wake-up only says that there may be more.

use crate::commands::events;
use crate::commands::queries::{self, Viewer};
use crate::events::{EventBus, PortalEvent};
use axum::response::sse::Event;
use futures::Stream;
use muster_domain::ids::{CommandId, UserId};
use muster_domain::permission::Scope;
use muster_store::{Db, RowExt, Sql, StoreError};
use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// What a stream needs to know.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The portal's database.
    pub db: Db,
    /// Wakes the stream.
    pub bus: EventBus,
    /// Which command.
    pub command: CommandId,
    /// After which event.
    pub cursor: i64,
    /// Where the person may read.
    pub scopes: Vec<Scope>,
    /// The person.
    pub user: Option<UserId>,
    /// Only output of this node; `Some("")` leaves all output out.
    pub output_of: Option<String>,
}

/// The nodes within the scopes; none where that is all of them.
pub(super) async fn visible_nodes(db: &Db, scopes: &[Scope]) -> Result<Option<HashSet<String>>, StoreError> {
    if scopes.contains(&Scope::All) {
        return Ok(None);
    }
    let mut sql = Sql::new("select n.node_id from nodes n where ");
    sql.within("n.connection_id", db).push(" and ");
    crate::fleet::filter_sql::push_scopes(&mut sql, scopes);
    let rows = sql.all(db.reader()).await?;
    Ok(Some(
        rows.iter().filter_map(|row| row.text("node_id").ok()).collect(),
    ))
}

fn is_output(event: &muster_domain::commands::CommandEvent) -> bool {
    matches!(
        event.change,
        muster_domain::commands::CommandChange::Output { .. }
    )
}

/// The stream. It ends after the command's last event, with an event named `end`.
pub fn stream(follow: Follow) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream(follow)
}

fn async_stream(follow: Follow) -> impl Stream<Item = Result<Event, Infallible>> {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Event>(64);
    tokio::spawn(async move {
        if let Err(error) = run(&follow, &sender).await {
            tracing::warn!(%error, command.id = %follow.command, "a live stream ended");
        }
    });
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|event| (Ok(event), receiver))
    })
}

/// Ends quietly when the browser is gone: sending fails then.
async fn run(follow: &Follow, sender: &tokio::sync::mpsc::Sender<Event>) -> Result<(), StoreError> {
    // Listening begins before the first read, so that nothing falls between.
    let mut wake = follow.bus.listen();
    let visible = visible_nodes(&follow.db, &follow.scopes).await?;
    let mut cursor = follow.cursor;
    loop {
        let batch = events::after(&follow.db, &follow.command, cursor).await?;
        let full = i64::try_from(batch.len()).unwrap_or_default() >= events::BATCH;
        for read in batch {
            cursor = read.event.sequence;
            let shown = match (&visible, &read.node) {
                (Some(visible), Some(node)) => visible.contains(node),
                _ => true,
            };
            let wanted = match (&follow.output_of, &read.node) {
                (Some(only), Some(node)) if is_output(&read.event) => only == node,
                _ => true,
            };
            if shown && wanted {
                let Ok(data) = serde_json::to_string(&read.event) else {
                    continue;
                };
                let event = Event::default().id(cursor.to_string()).data(data);
                if sender.send(event).await.is_err() {
                    return Ok(());
                }
            }
            if read.last {
                let _ = sender
                    .send(Event::default().event("end").data(cursor.to_string()))
                    .await;
                return Ok(());
            }
        }
        if full {
            continue;
        }
        // A command that was finished before the cursor has nothing more to say.
        let viewer = Viewer {
            scopes: &[Scope::All],
            user: follow.user.as_ref(),
        };
        let row = queries::get(&follow.db, &follow.command, &viewer).await?;
        if row.is_none_or(|row| row.state == "done" && row.next_event <= cursor + 1) {
            let _ = sender
                .send(Event::default().event("end").data(cursor.to_string()))
                .await;
            return Ok(());
        }
        loop {
            let woken = tokio::time::timeout(Duration::from_secs(10), wake.recv()).await;
            if sender.is_closed() {
                return Ok(());
            }
            match woken {
                Ok(Ok(PortalEvent::Command(id))) if id == follow.command => break,
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(_))) | Err(_) => break,
                Ok(Err(RecvError::Closed)) => return Ok(()),
            }
        }
    }
}

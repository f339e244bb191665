//! The live stream of one execution: server-sent events that continue from a cursor. What is sent comes from the database,
//! in order; a wake-up only says that there may be more.

use crate::events::{EventBus, PortalEvent};
use crate::runbooks::events;
use crate::runbooks::queries::{self, Viewer};
use axum::response::sse::Event;
use futures::Stream;
use muster_domain::ids::ExecutionId;
use muster_domain::permission::Scope;
use muster_store::{Db, StoreError};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// What a stream needs to know.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The portal's database.
    pub db: Db,
    /// Wakes the stream.
    pub bus: EventBus,
    /// Which execution; that the person may see it was asked before.
    pub execution: ExecutionId,
    /// After which event.
    pub cursor: i64,
}

/// The stream. It ends after the execution's last event, with an event named `end`.
pub fn stream(follow: Follow) -> impl Stream<Item = Result<Event, Infallible>> {
    let (sender, receiver) = mpsc::channel::<Event>(64);
    tokio::spawn(async move {
        if let Err(error) = run(&follow, &sender).await {
            tracing::warn!(%error, execution.id = %follow.execution, "a live stream ended");
        }
    });
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|event| (Ok(event), receiver))
    })
}

/// Ends quietly when the browser is gone: sending fails then.
async fn run(follow: &Follow, sender: &mpsc::Sender<Event>) -> Result<(), StoreError> {
    // Listening begins before the first read, so that nothing falls between.
    let mut wake = follow.bus.listen();
    let mut cursor = follow.cursor;
    let end = |cursor: i64| Event::default().event("end").data(cursor.to_string());
    loop {
        let batch = events::after(&follow.db, &follow.execution, cursor).await?;
        let full = i64::try_from(batch.len()).unwrap_or_default() >= events::BATCH;
        for (event, is_last) in batch {
            cursor = event.sequence;
            let Ok(data) = serde_json::to_string(&event) else {
                continue;
            };
            let event = Event::default().id(cursor.to_string()).data(data);
            if sender.send(event).await.is_err() {
                return Ok(());
            }
            if is_last {
                let _ = sender.send(end(cursor)).await;
                return Ok(());
            }
        }
        if full {
            continue;
        }
        // One that was finished before the cursor has nothing more to say.
        let viewer = Viewer {
            scopes: &[Scope::All],
            user: None,
        };
        let row = queries::get(&follow.db, &follow.execution, &viewer).await?;
        if row.is_none_or(|row| row.state == "done" && row.next_event <= cursor + 1) {
            let _ = sender.send(end(cursor)).await;
            return Ok(());
        }
        loop {
            let woken = tokio::time::timeout(Duration::from_secs(10), wake.recv()).await;
            if sender.is_closed() {
                return Ok(());
            }
            match woken {
                Ok(Ok(PortalEvent::Execution(id))) if id == follow.execution => break,
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(_))) | Err(_) => break,
                Ok(Err(RecvError::Closed)) => return Ok(()),
            }
        }
    }
}

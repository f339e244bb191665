//! Frames on their way to one leg, bounded in number and in bytes. Whoever fills it waits: so a client that
//! does not read stops us from reading its node, and the other way round.

use axum::extract::ws::Message as Frame;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Frames that wait for one leg at most.
pub(crate) const MAX_FRAMES: usize = 1_024;
/// Bytes that wait for one leg at most. A kilobyte a frame is usual; so this is a quarter of a second of a
/// megabyte per second, and a thousand stalled sessions hold 256 MiB.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// What is written next.
pub(crate) struct Item {
    frame: Frame,
    last: bool,
    _room: OwnedSemaphorePermit,
}

impl Item {
    /// The frame, and whether the socket is closed behind it. Its room is given back by this: the socket's
    /// own buffer, which is small, holds it from here.
    pub(crate) fn into_parts(self) -> (Frame, bool) {
        (self.frame, self.last)
    }
}

/// The end that takes frames.
#[derive(Clone)]
pub(crate) struct Outbox {
    items: mpsc::Sender<Item>,
    room: Arc<Semaphore>,
}

/// The leg is gone, or has no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotTaken;

impl Outbox {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Item>) {
        let (items, receiver) = mpsc::channel(MAX_FRAMES);
        let room = Arc::new(Semaphore::new(MAX_BYTES));
        (Self { items, room }, receiver)
    }

    /// What a frame takes up; one that is larger than everything takes everything.
    fn weight(bytes: usize) -> u32 {
        u32::try_from(bytes.clamp(1, MAX_BYTES)).unwrap_or(u32::MAX)
    }

    /// Adds a frame; waits until there is room.
    pub(crate) async fn send(&self, bytes: bytes::Bytes, last: bool) -> Result<(), NotTaken> {
        // The receiver may go while we wait for room; then nobody gives any back, so both are watched.
        let room = Arc::clone(&self.room).acquire_many_owned(Self::weight(bytes.len()));
        let permit = tokio::select! {
            permit = room => permit.map_err(|_| NotTaken)?,
            () = self.items.closed() => return Err(NotTaken),
        };
        let item = Item {
            frame: Frame::Binary(bytes),
            last,
            _room: permit,
        };
        self.items.send(item).await.map_err(|_| NotTaken)
    }

    /// Adds a frame if there is room now.
    pub(crate) fn try_send(&self, bytes: bytes::Bytes) -> Result<(), NotTaken> {
        let permit = Arc::clone(&self.room)
            .try_acquire_many_owned(Self::weight(bytes.len()))
            .map_err(|_| NotTaken)?;
        let item = Item {
            frame: Frame::Binary(bytes),
            last: false,
            _room: permit,
        };
        self.items.try_send(item).map_err(|_| NotTaken)
    }

    /// Bytes that wait.
    pub(crate) fn queued(&self) -> usize {
        MAX_BYTES.saturating_sub(self.room.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_takes_no_more_than_its_bytes_and_gives_room_back() {
        let (outbox, mut items) = Outbox::new();
        let frame = || bytes::Bytes::from(vec![0; 100_000]);
        assert_eq!(outbox.try_send(frame()), Ok(()));
        assert_eq!(outbox.try_send(frame()), Ok(()));
        assert_eq!(outbox.try_send(frame()), Err(NotTaken));
        assert_eq!(outbox.queued(), 200_000);
        drop(items.recv().await);
        assert_eq!(outbox.try_send(frame()), Ok(()));
        drop(items);
        assert_eq!(outbox.send(frame(), true).await, Err(NotTaken));
    }

    #[tokio::test]
    async fn whoever_waits_for_room_is_told_when_the_leg_goes() {
        let (outbox, items) = Outbox::new();
        let large = || bytes::Bytes::from(vec![0; MAX_BYTES * 2]);
        assert_eq!(outbox.send(large(), false).await, Ok(()));
        let waiting = tokio::spawn(async move { outbox.send(large(), false).await });
        tokio::task::yield_now().await;
        drop(items);
        assert_eq!(waiting.await.unwrap(), Err(NotTaken));
    }
}

//! The local connections of a tunnel: a task reads and a task writes each of them, through queues that are full
//! when their reader or the tunnel is slower.

use std::collections::HashMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Bytes that are read at once.
const PIECE: usize = 16 * 1024;
/// Pieces that wait in each direction.
const WAITING: usize = 8;

/// What came from a local connection.
#[derive(Debug)]
pub(super) enum FromLocal {
    /// Bytes.
    Bytes(u32, Vec<u8>),
    /// It sends no more.
    End(u32),
}

/// All of them.
#[derive(Debug)]
pub(super) struct Locals {
    writers: HashMap<u32, mpsc::Sender<Vec<u8>>>,
    sender: mpsc::Sender<FromLocal>,
    receiver: mpsc::Receiver<FromLocal>,
}

impl Default for Locals {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self {
            writers: HashMap::new(),
            sender,
            receiver,
        }
    }
}

impl Locals {
    /// Takes a connection in.
    pub(super) fn add(&mut self, id: u32, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let (mut reader, mut writer) = stream.into_split();
        let (bytes, mut to_write) = mpsc::channel::<Vec<u8>>(WAITING);
        self.writers.insert(id, bytes);
        tokio::spawn(async move {
            while let Some(bytes) = to_write.recv().await {
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            let _ = writer.shutdown().await;
        });
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; PIECE];
            loop {
                let from = match reader.read(&mut buffer).await {
                    Ok(0) | Err(_) => FromLocal::End(id),
                    Ok(count) => FromLocal::Bytes(id, buffer.get(..count).unwrap_or_default().to_vec()),
                };
                let is_end = matches!(from, FromLocal::End(_));
                if sender.send(from).await.is_err() || is_end {
                    return;
                }
            }
        });
    }

    /// Gives bytes to a connection; gives them back when it has no room. Those of one that is gone are dropped.
    pub(super) fn give(&mut self, id: u32, bytes: Vec<u8>) -> Result<(), Vec<u8>> {
        let Some(writer) = self.writers.get(&id) else {
            return Ok(());
        };
        match writer.try_send(bytes) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(bytes)) => Err(bytes),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                self.writers.remove(&id);
                Ok(())
            }
        }
    }

    /// The queue to a connection, while it is there.
    pub(super) fn writer(&self, id: u32) -> Option<mpsc::Sender<Vec<u8>>> {
        self.writers.get(&id).cloned()
    }

    /// The other side sends no more on a connection: what waits is written, then it is closed for writing.
    pub(super) fn finish(&mut self, id: u32) {
        self.writers.remove(&id);
    }

    /// The next that comes from any of them.
    pub(super) async fn next(&mut self) -> FromLocal {
        match self.receiver.recv().await {
            Some(from) => from,
            // One sender is our own.
            None => std::future::pending().await,
        }
    }
}

/// Waits until a queue has room, or is gone.
pub(super) async fn room(queue: Option<mpsc::Sender<Vec<u8>>>) {
    if let Some(queue) = queue {
        let _ = queue.reserve().await;
    }
}

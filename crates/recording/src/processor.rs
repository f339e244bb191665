//! The one thread that emulates and compresses, behind the sessions' own tasks.

use crate::RecordingError;
use std::sync::mpsc;
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// How much the thread stands back for others, as `nice` counts: as far as it goes. What is recorded is in a file before it
/// is shown; sealing it can wait for a flood's end, up to `Settings::max_behind_bytes`.
const NICE: i32 = 19;

/// Does work on a thread of its own, one piece after the other. The thread ends with it.
pub(crate) struct Processor {
    queue: mpsc::Sender<Work>,
}

impl Processor {
    /// Starts the thread.
    pub(crate) fn start() -> Self {
        let (queue, work) = mpsc::channel::<Work>();
        let started = std::thread::Builder::new()
            .name("recordings".into())
            .spawn(move || {
                // A flood of output must not take the processor from sessions that people type in. On Linux the priority is
                // the thread's alone; where it cannot be lowered, sealing is no worse than other work.
                let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
                for work in work {
                    work();
                }
            });
        if let Err(error) = started {
            // Then every piece of work says that it was stopped, and recorders fail once they are too far behind.
            tracing::error!(%error, "recordings cannot be sealed: no thread");
        }
        Self { queue }
    }

    /// Does `work`, after what waits already.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
    ) -> Result<T, RecordingError> {
        let (done, wait) = oneshot::channel();
        let piece: Work = Box::new(move || {
            // Nobody waits when the program ends meanwhile.
            let _ = done.send(work());
        });
        self.queue.send(piece).map_err(|_| RecordingError::Stopped)?;
        wait.await.unwrap_or(Err(RecordingError::Stopped))
    }
}

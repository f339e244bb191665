//! Follows one command from the queue to the last acknowledgement: starts its worker, sends its output
//! and replies. It may begin anywhere in that row, since everything that matters is on disk.

mod deliver;
mod restart;

use super::Shared;
use super::job_dir::{Delivery, Job, JobDir, JobResult, StepResult, StreamName};
use super::streams::Streams;
use crate::reboot;
use crate::worker::ended_without_run;
use crate::worker::session::end_left_behind;
use muster_agent_protocol::extension::OutputAck;
use std::collections::HashMap;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use uuid::Uuid;

/// While nothing wakes us: how often the disk is looked at.
const POLL_QUICK: Duration = Duration::from_millis(20);
const POLL_SLOW: Duration = Duration::from_millis(250);
/// Output on the way for so long without a sign is sent again.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(15);
/// Replies about steps are given up after so many times, once the end of the command is known.
const STEP_TRIES: u32 = 10;

/// What others tell a follower.
pub(super) enum Event {
    OutputKept(OutputAck),
    ReplyKept(Uuid),
    Cancel,
    AnswerAgain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ReplyKey {
    InProgress,
    Step(usize),
    Last,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    times: u32,
    /// Sent on the channel that is open now.
    is_current: bool,
}

/// Why following ends or goes another way.
enum Turn {
    Go,
    Stop,
}

pub(super) struct Follower {
    shared: Arc<Shared>,
    dir: JobDir,
    job: Job,
    events: mpsc::UnboundedReceiver<Event>,
    is_started: bool,
    steps: Vec<Option<StepResult>>,
    result: Option<JobResult>,
    streams: Streams,
    output_moved: Instant,
    delivery: Delivery,
    sent: HashMap<ReplyKey, Sent>,
    ids: HashMap<Uuid, ReplyKey>,
    generation: u64,
}

impl Follower {
    pub(super) fn new(
        shared: Arc<Shared>,
        dir: JobDir,
        job: Job,
        events: mpsc::UnboundedReceiver<Event>,
    ) -> Self {
        let steps = vec![None; job.content.document_content.main_steps.len()];
        let delivery = dir.delivery();
        Self {
            shared,
            dir,
            job,
            events,
            is_started: false,
            steps,
            result: None,
            streams: Streams::default(),
            output_moved: Instant::now(),
            delivery,
            sent: HashMap::new(),
            ids: HashMap::new(),
            generation: 0,
        }
    }

    /// Until the control plane has everything, or the agent stops.
    pub(super) async fn run(mut self) {
        self.look();
        let mut worker = None;
        if self.result.is_none() && self.goes_on() && !self.ready_to_go_on().await {
            return;
        }
        if self.result.is_none() && (!self.dir.is_started() || self.goes_on()) {
            let slots = self.shared.slots.clone();
            let permit = match self.queue(slots).await {
                Ok(permit) => permit,
                Err(Turn::Stop) => return,
                Err(Turn::Go) => None,
            };
            if let Some(permit) = permit {
                worker = self.start(permit).await;
            }
        }
        self.follow(worker).await;
    }

    /// Waits for a free place. `None`: it is settled without one.
    async fn queue(
        &mut self,
        slots: Arc<tokio::sync::Semaphore>,
    ) -> Result<Option<OwnedSemaphorePermit>, Turn> {
        let stop = self.shared.stop.clone();
        let place = slots.acquire_owned();
        tokio::pin!(place);
        loop {
            if self.dir.is_cancelled() {
                self.settle("Cancelled", 137, "The command was cancelled before it started.\n")
                    .await;
                return Ok(None);
            }
            tokio::select! {
                () = stop.cancelled() => return Err(Turn::Stop),
                permit = &mut place => match permit {
                    // Looked at once more: the request may have come with the place.
                    Ok(permit) if !self.dir.is_cancelled() => return Ok(Some(permit)),
                    Ok(_) => {}
                    Err(_) => return Err(Turn::Go),
                },
                event = self.events.recv() => if event.is_none() { return Err(Turn::Stop) },
            }
        }
    }

    async fn start(&mut self, permit: OwnedSemaphorePermit) -> Option<Worker> {
        let config = &self.shared.config;
        let log = std::fs::File::create(self.dir.path().join("worker.log"));
        let spawned = log.and_then(|log| {
            let mut command = tokio::process::Command::new(&config.worker_program);
            if let Some(value) = &config.reboot_command {
                command.env(reboot::COMMAND_VARIABLE, value);
            }
            command
                .args(&config.worker_arguments)
                .arg(self.dir.path())
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(log)
                .spawn()
        });
        match spawned {
            Ok(mut child) => {
                self.is_started = true;
                let pipe = child.stdout.take();
                Some(Worker {
                    child,
                    pipe,
                    _permit: permit,
                })
            }
            Err(error) => {
                let text = format!("The command's worker process could not be started: {error}\n");
                self.settle("Failed", 1, &text).await;
                None
            }
        }
    }

    async fn follow(&mut self, mut worker: Option<Worker>) {
        let mut link = self.shared.link.clone();
        let stop = self.shared.stop.clone();
        let mut poll = POLL_QUICK;
        while !stop.is_cancelled() {
            let has_news = self.look();
            if self.result.is_none() && worker.is_none() && self.dir.is_started() {
                self.check_adopted().await;
            }
            let state = link.borrow_and_update().clone();
            // A lost channel is noticed below, when the next one is there.
            let _ = self.deliver(&state).await;
            if self.delivery.final_ms.is_some() && self.are_steps_told() {
                tracing::info!(command = %self.job.content.command_id, "command done and reported");
                break;
            }
            poll = if has_news {
                POLL_QUICK
            } else {
                (poll * 2).min(POLL_SLOW)
            };
            let wait = if self.result.is_some() {
                self.shared.config.resend.min(OUTPUT_PATIENCE)
            } else if worker.is_some() {
                POLL_SLOW
            } else {
                poll
            };
            let mut ended = false;
            tokio::select! {
                () = stop.cancelled() => return,
                changed = link.changed() => if changed.is_err() { return },
                event = self.events.recv() => {
                    let Some(event) = event else { return };
                    self.note(event);
                    while let Ok(event) = self.events.try_recv() {
                        self.note(event);
                    }
                }
                is_open = Worker::nudged(&mut worker) => ended = !is_open,
                () = tokio::time::sleep(wait) => {}
            }
            if ended {
                if let Some(mut gone) = worker.take() {
                    let status = gone.child.wait().await;
                    tracing::debug!(?status, "worker ended");
                }
                self.look();
                if self.result.is_none() {
                    self.worker_died().await;
                }
            }
        }
    }

    /// Reads what is new on disk; `true` when there was something.
    fn look(&mut self) -> bool {
        let mut has_news = false;
        // The end first: what is there before it is then complete.
        if self.result.is_none() {
            match self.dir.result() {
                Ok(Some(result)) => {
                    self.result = Some(result);
                    has_news = true;
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, job = %self.job.job_id, "the result cannot be read"),
            }
        }
        for step in 0..self.steps.len() {
            if self.steps.get(step).is_some_and(Option::is_some) {
                continue;
            }
            let result = self.dir.step_result(step).ok().flatten();
            for stream in StreamName::ALL {
                let length = self.dir.stream_length(step, stream);
                has_news |= self.streams.grown(step, stream, length);
            }
            let is_running = result.is_none();
            if let Some(slot) = self.steps.get_mut(step) {
                has_news |= result.is_some();
                *slot = result;
            }
            if is_running {
                break;
            }
        }
        has_news
    }

    /// A worker that an earlier run of the agent started: does it live?
    async fn check_adopted(&mut self) {
        match self.dir.lock() {
            // It is held: the worker is at work.
            Ok(None) => {}
            Ok(Some(lock)) => {
                drop(lock);
                self.look();
                if self.result.is_none() {
                    self.worker_died().await;
                }
            }
            Err(error) => tracing::error!(%error, job = %self.job.job_id, "the job's lock cannot be used"),
        }
    }

    async fn worker_died(&mut self) {
        if let Ok(Some(wish)) = self.dir.reboot() {
            self.restart(wish).await;
            return;
        }
        let log = std::fs::read_to_string(self.dir.path().join("worker.log")).unwrap_or_default();
        let log = log.trim();
        tracing::error!(job = %self.job.job_id, log, "the worker ended without a result");
        if self.dir.is_cancelled() {
            self.settle("Cancelled", 137, "The command was cancelled.\n")
                .await;
        } else if !self.dir.is_started() {
            let text = format!("The command's worker process could not begin; nothing was run. {log}\n");
            self.settle("Failed", 1, &text).await;
        } else {
            let text = "The process that ran this command on the node ended without a result (the node may \
                        have restarted). The command may have run in part; it was not run again.\n";
            self.settle("Failed", 1, text).await;
        }
    }

    /// Gives a job without a worker its end. Under the job's lock, so that no worker can begin it any more.
    async fn settle(&mut self, status: &str, code: i32, text: &str) {
        loop {
            match self.try_settle(status, code, text) {
                Ok(true) => return,
                // Held for a moment by a process that is just being started, or about to run the job.
                Ok(false) => {}
                // No end is reported before it is on disk: after a restart it would begin anew.
                Err(error) => {
                    tracing::error!(%error, job = %self.job.job_id, "a result cannot be written yet")
                }
            }
            tokio::select! {
                () = self.shared.stop.cancelled() => return,
                () = tokio::time::sleep(POLL_SLOW) => {}
            }
        }
    }

    /// `false` when it is not clear yet who has the job.
    fn try_settle(&mut self, status: &str, code: i32, text: &str) -> io::Result<bool> {
        let Some(_lock) = self.dir.lock()? else {
            // Started and held: a worker has it after all, and is followed.
            return Ok(self.dir.is_started());
        };
        self.dir.start()?;
        self.look();
        if self.result.is_some() {
            return Ok(true);
        }
        end_left_behind(&self.dir.path().join("session"));
        let now = self.shared.config.clock.now().0;
        for step in 0..self.steps.len() {
            if self.steps.get(step).is_some_and(Option::is_some) {
                continue;
            }
            let result = ended_without_run(&self.dir, step, status, code, text, now);
            self.dir.save_step_result(step, &result)?;
            if status != "Cancelled" {
                break;
            }
        }
        let trace = text.trim_end().to_owned();
        self.dir.save_result(&JobResult {
            status: status.to_owned(),
            trace,
        })?;
        self.look();
        Ok(true)
    }
}

/// A worker that this run of the agent started.
struct Worker {
    child: Child,
    pipe: Option<ChildStdout>,
    _permit: OwnedSemaphorePermit,
}

impl Worker {
    /// Waits for a sign of the worker; `false` when it has ended. For ever when there is none.
    async fn nudged(worker: &mut Option<Self>) -> bool {
        match worker.as_mut().and_then(|worker| worker.pipe.as_mut()) {
            Some(pipe) => {
                let mut buffer = [0; 256];
                matches!(pipe.read(&mut buffer).await, Ok(1..))
            }
            None => std::future::pending().await,
        }
    }
}

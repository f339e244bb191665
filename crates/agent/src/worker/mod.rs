//! The process that runs one command. It survives the agent: what it does is written to the job's
//! directory, and it talks to nobody. At most one worker ever runs a job.

mod nested;
mod plugin;
mod process;
pub(crate) mod session;
mod sink;

use crate::commands::job_dir::{Job, JobDir, JobResult, Reboot, StepResult, StreamName};
use crate::error::AgentError;
use crate::files;
use crate::reboot;
use muster_agent_protocol::control::DocumentStep;
use muster_agent_protocol::inputs;
use muster_domain::time::Clock;
pub(crate) use plugin::REBOOT_CODE;
use plugin::{Place, Plan};
use process::SharedSink;
use serde_json::Value;
use sink::Sink;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After so many reboots of one command it is not believed that another one helps.
const MOST_REBOOTS: u32 = 10;
/// Bytes that are kept free for the results, should the disk fill up meanwhile.
const RESERVE: usize = 64 * 1024;

/// Runs the job in `path` unless it was ever started before; or goes on with it, where it waited for a reboot.
pub(crate) fn run(path: &Path, clock: &dyn Clock) -> Result<(), AgentError> {
    // Away from the agent's terminal and group: what ends the agent must not end the command.
    // It fails only for one who leads a group already, and then all is well.
    let _ = rustix::process::setsid();
    let dir = JobDir::new(path);
    let job = dir.job().map_err(AgentError::file("reading", path))?;
    let job = job.ok_or_else(|| AgentError::Worker(format!("{} holds no job", path.display())))?;
    let _lock = take_lock(&dir)?;
    let session_file = path.join("session");
    session::note(&session_file).map_err(AgentError::file("writing", &session_file))?;
    if !dir.start().map_err(AgentError::file("marking", path))? {
        let wish = dir.reboot().map_err(AgentError::file("reading", path))?;
        if wish.is_none_or(|wish| wish.boot == session::boot()) {
            return Err(AgentError::Worker(
                "this command was started before; it is not run again".into(),
            ));
        }
        dir.take_reboot().map_err(AgentError::file("marking", path))?;
    }
    let rebooted = dir.rebooted().map_err(AgentError::file("reading", path))?;
    let reserve = path.join("reserve");
    let _ = std::fs::write(&reserve, vec![0xa5_u8; RESERVE]);
    let worker = Worker {
        dir,
        nudge: nudge(),
        clock,
        reserve,
        rebooted,
        asks: Mutex::default(),
    };
    worker.run(&job)
}

/// The lock may be held for a moment by an agent that looks whether a worker lives.
fn take_lock(dir: &JobDir) -> Result<std::fs::File, AgentError> {
    let until = Instant::now() + Duration::from_secs(2);
    loop {
        if let Some(lock) = dir.lock().map_err(AgentError::file("locking", dir.path()))? {
            return Ok(lock);
        }
        if dir.is_started() || Instant::now() > until {
            return Err(AgentError::Worker("another worker runs this command".into()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Tells the agent that there is something new: one byte on standard output, if somebody reads there.
fn nudge() -> Arc<dyn Fn() + Send + Sync> {
    let stdout = io::stdout();
    // An agent that does not read (or is dead) must never hold us up.
    if let Ok(flags) = rustix::fs::fcntl_getfl(&stdout) {
        let _ = rustix::fs::fcntl_setfl(&stdout, flags | rustix::fs::OFlags::NONBLOCK);
    }
    Arc::new(|| {
        let _ = rustix::io::write(io::stdout(), b".");
    })
}

struct Worker<'a> {
    dir: JobDir,
    nudge: Arc<dyn Fn() + Send + Sync>,
    clock: &'a dyn Clock,
    reserve: std::path::PathBuf,
    /// The reboot after which this worker goes on.
    rebooted: Option<Reboot>,
    /// The directory of the step that asks for one.
    asks: Mutex<String>,
}

impl Worker<'_> {
    fn run(&self, job: &Job) -> Result<(), AgentError> {
        let values = inputs::parameter_values(&job.content.document_content, &job.content.parameters);
        let steps = &job.content.document_content.main_steps;
        let is_cancelled = || self.dir.is_cancelled();
        let ended = in_order(steps, &is_cancelled, |index, step, turn| {
            // Before a reboot.
            if let Ok(Some(result)) = self.dir.step_result(index) {
                return Ok(result.status);
            }
            let result = match turn {
                Turn::Run => self.step(job, step, &values, index)?,
                Turn::Ended => self.not_run("Skipped", 0, &ended_before(step), index),
                Turn::Cancelled => self.not_run("Cancelled", 137, CANCELLED_BEFORE, index),
            };
            self.keep(|| self.dir.save_step_result(index, &result))?;
            (self.nudge)();
            Ok(result.status)
        });
        let statuses = match ended {
            // The agent has the machine started anew; another worker goes on.
            Err(AgentError::Reboot) => return Ok(()),
            ended => ended?,
        };
        let result = JobResult {
            status: overall_status(&statuses).to_owned(),
            trace: String::new(),
        };
        self.keep(|| self.dir.save_result(&result))?;
        (self.nudge)();
        let _ = std::fs::remove_file(&self.reserve);
        Ok(())
    }

    /// Writes what must not be lost; waits for room when the disk is full.
    fn keep(&self, write: impl Fn() -> io::Result<()>) -> Result<(), AgentError> {
        loop {
            match write() {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(AgentError::file("writing results in", self.dir.path())(error));
                }
                Err(error) => {
                    if std::fs::remove_file(&self.reserve).is_err() {
                        tracing::error!(%error, "a result cannot be written; trying again");
                        std::thread::sleep(Duration::from_secs(1));
                    }
                }
            }
        }
    }

    fn step(
        &self,
        job: &Job,
        step: &DocumentStep,
        values: &BTreeMap<String, Value>,
        index: usize,
    ) -> Result<StepResult, AgentError> {
        let directory = self.dir.step(index);
        let again = self.rebooted.as_ref().filter(|_| directory.exists());
        let start_ms = again.map_or_else(|| self.clock.now().0, |reboot| reboot.start_ms);
        let sinks = files::private_directory(&directory).and_then(|()| {
            let open = |stream| Sink::open(&self.dir.stream(index, stream), job.output_cap_bytes);
            Ok([open(StreamName::Stdout)?, open(StreamName::Stderr)?].map(|sink| Arc::new(Mutex::new(sink))))
        });
        let [stdout, stderr] = match sinks {
            Ok(sinks) => sinks,
            Err(error) => {
                let text = format!("The step's output could not be kept: {error}\n");
                return Ok(self.not_run("Failed", 1, &text, index));
            }
        };
        let downloads = self.dir.downloads();
        let place = Place::of(job, &downloads);
        let sinks = [&stdout, &stderr];
        let (mut status, code, mut note) = self.act(&place, step, values, &directory, sinks, 0);
        if status == plugin::REBOOT {
            let asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut counts = self.reboots();
            *counts.entry(asks).or_default() += 1;
            if let Some(obstacle) = reboot::way(std::env::var_os(reboot::COMMAND_VARIABLE)).obstacle() {
                status = "Failed";
                note = format!("The step asked for a reboot (status 194), and there is none: {obstacle}.\n");
            } else if counts.values().sum::<u32>() > MOST_REBOOTS {
                status = "Failed";
                note = format!("The step asked for a reboot once more after {MOST_REBOOTS} of them.\n");
            } else {
                for sink in sinks {
                    process::locked(sink).sync();
                }
                let wish = Reboot {
                    boot: session::boot(),
                    counts,
                    asked_ms: self.clock.now().0,
                    start_ms,
                };
                self.keep(|| self.dir.save_reboot(&wish))?;
                return Err(AgentError::Reboot);
            }
        }
        let mut stderr = process::locked(&stderr);
        if !note.is_empty() {
            stderr.note(&note);
        }
        Ok(StepResult {
            status: status.to_owned(),
            code,
            start_ms,
            end_ms: self.clock.now().0,
            stdout_bytes: process::locked(&stdout).finish(),
            stderr_bytes: stderr.finish(),
        })
    }

    /// Does what a step is for; what it prints goes to the sinks. Gives status, code, and what is added to its errors.
    fn act(
        &self,
        place: &Place<'_>,
        step: &DocumentStep,
        values: &BTreeMap<String, Value>,
        directory: &Path,
        sinks: [&SharedSink; 2],
        depth: usize,
    ) -> (&'static str, i32, String) {
        let place_of = directory.strip_prefix(self.dir.path()).unwrap_or(directory);
        let own = place_of.display().to_string();
        let reboots = self.reboots().get(&own).copied().unwrap_or_default();
        match plugin::plan(place, step, values, directory, reboots) {
            Plan::Skip(text) => {
                process::locked(sinks[0]).note(&text);
                ("Skipped", 0, String::new())
            }
            Plan::Done(text) => {
                process::locked(sinks[0]).note(&text);
                ("Success", 0, String::new())
            }
            Plan::Refuse(text) => ("Failed", 1, text),
            Plan::Run(program) => {
                let is_cancelled = || self.dir.is_cancelled();
                let ending = process::run(&program, sinks, &is_cancelled, &self.nudge);
                let judged = plugin::judge(&ending, program.timeout);
                if judged.0 == plugin::REBOOT {
                    *self.asks.lock().unwrap_or_else(PoisonError::into_inner) = own;
                }
                judged
            }
            Plan::Document(content) => self.nested(place, &content, directory, sinks, depth + 1),
        }
    }

    /// How often each step has rebooted the node.
    fn reboots(&self) -> BTreeMap<String, u32> {
        self.rebooted
            .as_ref()
            .map(|reboot| reboot.counts.clone())
            .unwrap_or_default()
    }

    fn not_run(&self, status: &str, code: i32, text: &str, index: usize) -> StepResult {
        let now = self.clock.now().0;
        ended_without_run(&self.dir, index, status, code, text, now)
    }
}

const CANCELLED_BEFORE: &str = "The command was cancelled before this step.\n";

fn ended_before(step: &DocumentStep) -> String {
    format!(
        "Step {} was skipped: an earlier step ended the document.\n",
        step.name
    )
}

/// What a step's turn is.
enum Turn {
    Run,
    /// An earlier step ended the document.
    Ended,
    Cancelled,
}

/// Goes through the steps of a document, as they say what comes after success and after failure. `one` answers how a step
/// ended; the answer is what counts of that.
fn in_order(
    steps: &[DocumentStep],
    is_cancelled: &dyn Fn() -> bool,
    mut one: impl FnMut(usize, &DocumentStep, Turn) -> Result<String, AgentError>,
) -> Result<Vec<String>, AgentError> {
    let mut statuses = Vec::with_capacity(steps.len());
    let mut has_ended = false;
    for (index, step) in steps.iter().enumerate() {
        let turn = if has_ended && !step.is_finally() {
            Turn::Ended
        } else if is_cancelled() {
            Turn::Cancelled
        } else {
            Turn::Run
        };
        let status = one(index, step, turn)?;
        if has_ended {
            statuses.push(status);
            continue;
        }
        let next = match status.as_str() {
            "Skipped" | "Cancelled" => None,
            "Success" => step.after_success(),
            _ => step.after_failure(),
        };
        has_ended = matches!(next.as_deref(), Some("exit" | "successAndExit"));
        // This failure alone does not count; what came before and what still comes does.
        statuses.push(if next.as_deref() == Some("successAndExit") {
            "Success".to_owned()
        } else {
            status
        });
    }
    Ok(statuses)
}

/// The result of a step that was never run, with its reason as error output.
pub(crate) fn ended_without_run(
    dir: &JobDir,
    index: usize,
    status: &str,
    code: i32,
    text: &str,
    now_ms: i64,
) -> StepResult {
    use std::io::Write as _;
    let path = dir.stream(index, StreamName::Stderr);
    let _ = files::private_directory(&dir.step(index));
    let _ = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    StepResult {
        status: status.to_owned(),
        code,
        start_ms: now_ms,
        end_ms: now_ms,
        stdout_bytes: dir.stream_length(index, StreamName::Stdout),
        stderr_bytes: dir.stream_length(index, StreamName::Stderr),
    }
}

/// What all steps together amount to.
fn overall_status(statuses: &[String]) -> &'static str {
    let any = |status: &str| statuses.iter().any(|other| other == status);
    if any("Cancelled") {
        "Cancelled"
    } else if any("Failed") {
        "Failed"
    } else if any("TimedOut") {
        "TimedOut"
    } else if any("Success") {
        "Success"
    } else {
        "Skipped"
    }
}

//! One command on disk: what was asked, what came out, how it ended. The agent and its worker process
//! meet here and nowhere else, so either may be killed at any moment.
//!
//! ```text
//! jobs/<command>/job.json        what to run; written before it is acknowledged
//!                lock            held by the worker as long as it lives
//!                started         made once, under the lock: the right to run
//!                cancel          made by the agent: stop, or do not start
//!                session         which processes are the worker's
//!                reboot.json     a step asks for the machine to be started anew, and then to be run again
//!                rebooted.json   the same, once a worker has gone on after it
//!                downloads/…     what aws:downloadContent has brought
//!                steps/000/…     script, stdout, stderr, result.json
//!                result.json     how all of it ended
//!                delivery.json   what the control plane has acknowledged
//! ```

use crate::files;
use crate::patch::INVENTORY_FILE;
use muster_agent_protocol::calls::InventoryItem;
use muster_agent_protocol::control::SendCommandContent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) job_id: String,
    pub(crate) node_id: String,
    pub(crate) region: String,
    pub(crate) received_ms: i64,
    pub(crate) output_cap_bytes: u64,
    pub(crate) content: SendCommandContent,
}

/// How one step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepResult {
    /// `Success`, `Failed`, `TimedOut`, `Cancelled`, `Skipped`.
    pub(crate) status: String,
    pub(crate) code: i32,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    /// Sizes of the files, final.
    pub(crate) stdout_bytes: u64,
    pub(crate) stderr_bytes: u64,
}

/// A wish of a step: that the machine is started anew, and the step run again then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reboot {
    /// Which start of the machine it is to be the end of.
    pub(crate) boot: String,
    /// How many times each step of this command has asked, this one too; by its directory.
    pub(crate) counts: BTreeMap<String, u32>,
    pub(crate) asked_ms: i64,
    /// When the step began.
    pub(crate) start_ms: i64,
}

/// How all of it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobResult {
    pub(crate) status: String,
    /// For people; usually empty.
    pub(crate) trace: String,
}

/// What the control plane has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) in_progress: bool,
    pub(crate) steps: Vec<usize>,
    /// Steps whose inventory the control plane has, or does not want.
    #[serde(default)]
    pub(crate) inventory: Vec<usize>,
    pub(crate) final_ms: Option<i64>,
}

/// The two streams of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum StreamName {
    Stdout,
    Stderr,
}

impl StreamName {
    pub(crate) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The directory of one command.
#[derive(Clone, Debug)]
pub(crate) struct JobDir(PathBuf);

impl JobDir {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where what is downloaded is put, unless a step says otherwise.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.0.join("downloads")
    }

    /// Keeps a new job, durably. `false` when it is known already.
    pub(crate) fn create(&self, job: &Job) -> io::Result<bool> {
        if self.0.join("job.json").exists() {
            return Ok(false);
        }
        files::private_directory(&self.0)?;
        files::write_json(&self.0.join("job.json"), job)?;
        files::sync_directory(self.0.parent().unwrap_or(Path::new("/")))?;
        Ok(true)
    }

    pub(crate) fn job(&self) -> io::Result<Option<Job>> {
        files::read_json(&self.0.join("job.json"))
    }

    /// The worker's lock; `None` while a worker lives.
    pub(crate) fn lock(&self) -> io::Result<Option<File>> {
        files::lock(&self.0.join("lock"))
    }

    pub(crate) fn is_started(&self) -> bool {
        self.0.join("started").exists()
    }

    /// Takes the right to run; only ever under the lock. `false`: it was taken before.
    pub(crate) fn start(&self) -> io::Result<bool> {
        files::create_mark(&self.0.join("started"))
    }

    /// What a step asks for; gone once a worker has gone on after it.
    pub(crate) fn reboot(&self) -> io::Result<Option<Reboot>> {
        files::read_json(&self.0.join("reboot.json"))
    }

    pub(crate) fn save_reboot(&self, reboot: &Reboot) -> io::Result<()> {
        files::write_json(&self.0.join("reboot.json"), reboot)
    }

    /// The last one that came true.
    pub(crate) fn rebooted(&self) -> io::Result<Option<Reboot>> {
        files::read_json(&self.0.join("rebooted.json"))
    }

    /// Takes the right to go on after the machine was started anew; only ever under the lock, and once for each time.
    pub(crate) fn take_reboot(&self) -> io::Result<()> {
        std::fs::rename(self.0.join("reboot.json"), self.0.join("rebooted.json"))?;
        files::sync_directory(&self.0)
    }

    pub(crate) fn cancel(&self) -> io::Result<()> {
        files::create_mark(&self.0.join("cancel")).map(|_| ())
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.join("cancel").exists()
    }

    pub(crate) fn step(&self, step: usize) -> PathBuf {
        self.0.join("steps").join(format!("{step:03}"))
    }

    pub(crate) fn stream(&self, step: usize, stream: StreamName) -> PathBuf {
        self.step(step).join(stream.as_str())
    }

    /// Bytes that a stream has now.
    pub(crate) fn stream_length(&self, step: usize, stream: StreamName) -> u64 {
        std::fs::metadata(self.stream(step, stream)).map_or(0, |metadata| metadata.len())
    }

    pub(crate) fn step_result(&self, step: usize) -> io::Result<Option<StepResult>> {
        files::read_json(&self.step(step).join("result.json"))
    }

    pub(crate) fn save_step_result(&self, step: usize, result: &StepResult) -> io::Result<()> {
        files::private_directory(&self.step(step))?;
        files::write_json(&self.step(step).join("result.json"), result)
    }

    /// What a step left to be delivered as inventory.
    pub(crate) fn inventory(&self, step: usize) -> io::Result<Option<Vec<InventoryItem>>> {
        files::read_json(&self.step(step).join(INVENTORY_FILE))
    }

    pub(crate) fn result(&self) -> io::Result<Option<JobResult>> {
        files::read_json(&self.0.join("result.json"))
    }

    pub(crate) fn save_result(&self, result: &JobResult) -> io::Result<()> {
        files::write_json(&self.0.join("result.json"), result)
    }

    pub(crate) fn delivery(&self) -> Delivery {
        files::read_json(&self.0.join("delivery.json"))
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    pub(crate) fn save_delivery(&self, delivery: &Delivery) -> io::Result<()> {
        files::write_json(&self.0.join("delivery.json"), delivery)
    }
}

/// All commands of a node.
#[derive(Clone, Debug)]
pub(crate) struct Jobs {
    jobs: PathBuf,
    /// Empty files named after commands whose directories are gone: they are not run again either.
    past: PathBuf,
}

impl Jobs {
    /// Opens it below the state directory.
    pub(crate) fn open(state_dir: &Path) -> io::Result<Self> {
        let jobs = Self {
            jobs: state_dir.join("jobs"),
            past: state_dir.join("past-commands"),
        };
        files::private_directory(&jobs.jobs)?;
        files::private_directory(&jobs.past)?;
        files::sync_directory(state_dir)?;
        Ok(jobs)
    }

    /// The directory of a command. `None` when the id could lead elsewhere.
    pub(crate) fn dir(&self, command_id: &str) -> Option<JobDir> {
        let is_plain = (1..=128).contains(&command_id.len())
            && command_id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_plain.then(|| JobDir::new(self.jobs.join(command_id)))
    }

    /// Whether this command was here once and is removed.
    pub(crate) fn is_past(&self, command_id: &str) -> bool {
        self.past.join(command_id).exists()
    }

    /// Removes what was being written when an earlier agent died; it was never acknowledged. Only before
    /// new jobs are taken: one that is just being written looks the same.
    pub(crate) fn remove_unfinished(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.jobs)? {
            let path = entry?.path();
            if !path.join("job.json").exists() {
                std::fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }

    /// All jobs on disk, oldest first.
    pub(crate) fn all(&self) -> io::Result<Vec<(JobDir, Job)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.jobs)? {
            let dir = JobDir::new(entry?.path());
            match dir.job() {
                Ok(Some(job)) => found.push((dir, job)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(job = %dir.path().display(), %error, "a job cannot be read and is left alone");
                }
            }
        }
        found.sort_by_key(|(_, job)| job.received_ms);
        Ok(found)
    }

    /// Removes what the control plane has had for long: jobs after a day, their names after a month.
    pub(crate) fn sweep(&self, now_ms: i64) -> io::Result<()> {
        const DAY_MS: i64 = 86_400_000;
        for (dir, _) in self.all()? {
            let is_old = dir
                .delivery()
                .final_ms
                .is_some_and(|at| now_ms.saturating_sub(at) >= DAY_MS);
            if is_old && let Some(name) = dir.path().file_name() {
                files::create_mark(&self.past.join(name))?;
                std::fs::remove_dir_all(dir.path())?;
            }
        }
        for entry in std::fs::read_dir(&self.past)? {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age.as_secs() > 30 * 86_400 {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(command: &str) -> Job {
        let content = serde_json::json!({"CommandId": command, "DocumentName": "d", "DocumentContent": {}});
        Job {
            job_id: format!("aws.ssm.{command}.mi-0"),
            node_id: "mi-0".into(),
            region: "r".into(),
            received_ms: 1,
            output_cap_bytes: 1,
            content: serde_json::from_value(content).unwrap(),
        }
    }

    #[test]
    fn a_job_is_kept_once_and_its_name_outlives_it() {
        let state = tempfile::tempdir().unwrap();
        let jobs = Jobs::open(state.path()).unwrap();
        let dir = jobs.dir("c-1").unwrap();
        assert!(dir.create(&job("c-1")).unwrap());
        assert!(!dir.create(&job("c-1")).unwrap());
        dir.save_delivery(&Delivery {
            final_ms: Some(5),
            ..Delivery::default()
        })
        .unwrap();
        jobs.sweep(5 + 86_400_000 - 1).unwrap();
        assert_eq!(jobs.all().unwrap().len(), 1);
        jobs.sweep(5 + 86_400_000).unwrap();
        assert!(jobs.all().unwrap().is_empty());
        assert!(jobs.is_past("c-1"));
    }

    #[test]
    fn an_id_cannot_lead_elsewhere() {
        let state = tempfile::tempdir().unwrap();
        let jobs = Jobs::open(state.path()).unwrap();
        for id in ["", "..", "a/b", "a.b", "a\0"] {
            assert!(jobs.dir(id).is_none(), "{id:?}");
        }
    }
}

//! Replies as the control plane expects them: statuses, truncated texts, limits of size.

use super::job_dir::{Job, JobDir, JobResult, StepResult, StreamName};
use crate::host::{AGENT_NAME, AGENT_VERSION};
use muster_agent_protocol::control::{
    AgentJobReply, ERROR_SEPARATOR, MAX_COMBINED_CHARS, MAX_STDERR_CHARS, MAX_STDOUT_CHARS, ReplyContent,
    StepStatus, topic,
};
use muster_domain::time::Timestamp;
use std::collections::BTreeMap;
use std::io::Read as _;

/// Bytes that the content of a reply may have.
const MAX_CONTENT: usize = 120_000;
const OUTPUT_MARK: &str = "\n---Output truncated---";
const ERROR_MARK: &str = "\n---Error truncated----";

/// Characters that a reply shows of each text.
#[derive(Clone, Copy)]
struct Limits {
    stdout: usize,
    stderr: usize,
    combined: usize,
}

const FULL: Limits = Limits {
    stdout: MAX_STDOUT_CHARS,
    stderr: MAX_STDERR_CHARS,
    combined: MAX_COMBINED_CHARS,
};

/// At most `limit` characters, the mark included when something is missing.
fn truncate(text: &str, limit: usize, mark: &str) -> String {
    if text.char_indices().nth(limit).is_none() {
        return text.to_owned();
    }
    let keep = limit.saturating_sub(mark.chars().count());
    text.chars().take(keep).chain(mark.chars()).collect()
}

/// Both streams in one text.
fn combine(stdout: &str, stderr: &str, limit: usize) -> String {
    if stderr.is_empty() {
        return truncate(stdout, limit, OUTPUT_MARK);
    }
    let room = limit.saturating_sub(ERROR_SEPARATOR.chars().count());
    let (out, err) = (stdout.chars().count(), stderr.chars().count());
    if out + err <= room {
        return format!("{stdout}{ERROR_SEPARATOR}{stderr}");
    }
    // Half for each; what one does not need, the other gets.
    let half = room / 2;
    let for_stdout = out.min(half.max(room.saturating_sub(err)));
    let stdout = truncate(stdout, for_stdout, OUTPUT_MARK);
    let stderr = truncate(stderr, room - for_stdout, ERROR_MARK);
    format!("{stdout}{ERROR_SEPARATOR}{stderr}")
}

/// The beginning of a stream as text; bytes that are no UTF-8 are replaced.
fn beginning(dir: &JobDir, step: usize, stream: StreamName, chars: usize) -> String {
    // A character has at most four bytes; one more shows that something is missing.
    let most = (chars as u64 + 1) * 4;
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(dir.stream(step, stream)) {
        let _ = file.take(most).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn step_status(dir: &JobDir, job: &Job, step: usize, result: &StepResult, limits: Limits) -> StepStatus {
    let document_step = job.content.document_content.main_steps.get(step);
    let stdout = beginning(dir, step, StreamName::Stdout, FULL.stdout);
    let stderr = beginning(dir, step, StreamName::Stderr, FULL.stderr);
    StepStatus {
        status: result.status.clone(),
        code: result.code,
        name: document_step.map(|step| step.action.clone()).unwrap_or_default(),
        output: combine(&stdout, &stderr, limits.combined),
        start_date_time: Timestamp(result.start_ms).rfc3339(),
        end_date_time: Timestamp(result.end_ms).rfc3339(),
        output_s3_bucket_name: String::new(),
        output_s3_key_prefix: String::new(),
        step_name: String::new(),
        standard_output: truncate(&stdout, limits.stdout, OUTPUT_MARK),
        standard_error: truncate(&stderr, limits.stderr, ERROR_MARK),
    }
}

/// A reply about a job, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct ReplyWriter {
    platform_version: String,
}

impl ReplyWriter {
    pub(crate) fn new(platform_version: String) -> Self {
        Self { platform_version }
    }

    /// It runs; nothing has ended yet.
    pub(crate) fn in_progress(&self, job_id: &str, topic: &str, now: Timestamp) -> Vec<u8> {
        let content = self.content("InProgress", "", None, &BTreeMap::new(), now);
        write(job_id, topic, &content)
    }

    /// One step has ended.
    pub(crate) fn step(
        &self,
        dir: &JobDir,
        job: &Job,
        step: usize,
        result: &StepResult,
        now: Timestamp,
    ) -> Vec<u8> {
        self.with_step("InProgress", "", dir, job, Some((step, result)), &[result], now)
    }

    /// All of it has ended. The step is repeated only when there is exactly one.
    pub(crate) fn last(
        &self,
        dir: &JobDir,
        job: &Job,
        result: &JobResult,
        steps: &[Option<StepResult>],
        now: Timestamp,
    ) -> Vec<u8> {
        let single = match steps {
            [Some(only)] => Some((0, only)),
            _ => None,
        };
        let ended: Vec<&StepResult> = steps.iter().flatten().collect();
        self.with_step(&result.status, &result.trace, dir, job, single, &ended, now)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place that writes what both kinds of reply share"
    )]
    fn with_step(
        &self,
        status: &str,
        trace: &str,
        dir: &JobDir,
        job: &Job,
        step: Option<(usize, &StepResult)>,
        ended: &[&StepResult],
        now: Timestamp,
    ) -> Vec<u8> {
        let mut counts = BTreeMap::new();
        for result in ended {
            *counts.entry(result.status.clone()).or_insert(0_u32) += 1;
        }
        let mut limits = FULL;
        loop {
            let mut runtime_status = BTreeMap::new();
            if let Some((index, result)) = step {
                let name = job.content.document_content.main_steps.get(index);
                let name = name.map(|step| step.name.clone()).unwrap_or_default();
                runtime_status.insert(name, step_status(dir, job, index, result, limits));
            }
            let content = self.content(status, trace, Some(runtime_status), &counts, now);
            // Control characters take six bytes in JSON: then fewer of them are shown.
            if content.len() <= MAX_CONTENT || limits.stdout < 100 {
                return write(&job.job_id, topic::SEND_COMMAND, &content);
            }
            limits = Limits {
                stdout: limits.stdout / 2,
                stderr: limits.stderr / 2,
                combined: limits.combined / 2,
            };
        }
    }

    fn content(
        &self,
        status: &str,
        trace: &str,
        runtime_status: Option<BTreeMap<String, StepStatus>>,
        counts: &BTreeMap<String, u32>,
        now: Timestamp,
    ) -> String {
        let content = ReplyContent {
            additional_info: serde_json::json!({
                "agent": {
                    "lang": "en-US",
                    "name": AGENT_NAME,
                    "os": "linux",
                    "osver": self.platform_version,
                    "ver": AGENT_VERSION,
                },
                "dateTime": now.rfc3339(),
                "runId": "",
                "runtimeStatusCounts": counts,
            }),
            document_status: status.to_owned(),
            document_trace_output: trace.to_owned(),
            runtime_status,
        };
        serde_json::to_string(&content).unwrap_or_default()
    }
}

fn write(job_id: &str, topic: &str, content: &str) -> Vec<u8> {
    let reply = AgentJobReply {
        schema_version: 1,
        job_id: job_id.to_owned(),
        topic: topic.to_owned(),
        content: content.to_owned(),
    };
    serde_json::to_vec(&reply).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_within_the_limit_and_marked() {
        assert_eq!(truncate("abc", 3, OUTPUT_MARK), "abc");
        let cut = truncate(&"ä".repeat(24_001), 24_000, OUTPUT_MARK);
        assert_eq!(cut.chars().count(), 24_000);
        assert!(cut.ends_with("---Output truncated---"));
    }

    #[test]
    fn both_streams_share_the_combined_text() {
        assert_eq!(combine("out\n", "", 100), "out\n");
        assert_eq!(combine("out\n", "err", 100), "out\n\n----------ERROR-------\nerr");
        let both = combine(&"o".repeat(5000), &"e".repeat(5000), 2500);
        assert_eq!(both.chars().count(), 2500);
        assert!(both.contains(OUTPUT_MARK) && both.ends_with(ERROR_MARK));
        let mostly = combine(&"o".repeat(5000), "short", 2500);
        assert_eq!(mostly.chars().count(), 2500);
        assert!(mostly.ends_with("short"));
    }

    #[test]
    fn a_reply_full_of_control_characters_stays_within_its_size() {
        let state = tempfile::tempdir().unwrap();
        let dir = JobDir::new(state.path());
        std::fs::create_dir_all(dir.step(0)).unwrap();
        std::fs::write(dir.stream(0, StreamName::Stdout), vec![1_u8; 50_000]).unwrap();
        let content = serde_json::json!({"CommandId": "c", "DocumentName": "d", "DocumentContent":
            {"schemaVersion": "2.2", "mainSteps": [{"name": "s", "action": "aws:runShellScript"}]}});
        let job = Job {
            job_id: "aws.ssm.c.mi-0".into(),
            node_id: "mi-0".into(),
            region: "r".into(),
            received_ms: 0,
            output_cap_bytes: 0,
            content: serde_json::from_value(content).unwrap(),
        };
        let step = StepResult {
            status: "Success".into(),
            code: 0,
            start_ms: 0,
            end_ms: 0,
            stdout_bytes: 50_000,
            stderr_bytes: 0,
        };
        let result = JobResult {
            status: "Success".into(),
            trace: String::new(),
        };
        let bytes = ReplyWriter::new("1".into()).last(&dir, &job, &result, &[Some(step)], Timestamp(1));
        let reply: AgentJobReply = serde_json::from_slice(&bytes).unwrap();
        assert!(reply.content.len() <= MAX_CONTENT);
        let content: ReplyContent = serde_json::from_str(&reply.content).unwrap();
        assert!(
            content.runtime_status.unwrap()["s"]
                .standard_output
                .ends_with("---Output truncated---")
        );
    }
}

//! What our agent can do beyond Amazon's: send all output, as it comes, and say what a session became.
//! Announced by the agent in
//! [`crate::control::OpenControlChannel::muster_extensions`], confirmed by a `muster_hello`; without
//! that confirmation an agent behaves exactly like Amazon's.
//!
//! Output travels in `muster_output` messages: the payload is the length of a JSON header (4 bytes,
//! big-endian), that header ([`OutputHeader`]) and the raw bytes. The control plane answers each with
//! `muster_output_ack` once the bytes are kept durably: the offset up to which it has everything. An
//! agent keeps at most [`WINDOW_BYTES`] of a job unacknowledged, and sends a job's final
//! `agent_job_reply` only when all of its output is acknowledged. After a reconnect it continues from
//! the last acknowledged offset; the control plane drops what it already has.
//!
//! With [`SESSION_INFO`] an agent sends one `muster_session_info` ([`SessionInfo`]) on the control channel when the
//! shell or command of a session has started. It is not acknowledged, and lost with the channel that carries it.

use serde::{Deserialize, Serialize};

/// The name of this addition.
pub const OUTPUT_STREAM: &str = "output-stream-1";

/// The name of the addition that describes sessions.
pub const SESSION_INFO: &str = "session-info-1";

/// From the control plane, after the channel was opened: what it agreed to ([`Hello`]).
pub const HELLO: &str = "muster_hello";
/// From the agent: bytes of output.
pub const OUTPUT: &str = "muster_output";
/// From the control plane: bytes kept ([`OutputAck`]).
pub const OUTPUT_ACK: &str = "muster_output_ack";

/// From the agent: what runs in a session ([`SessionInfo`]).
pub const SESSION_INFO_MESSAGE: &str = "muster_session_info";

/// Bytes of one job that may be on the way.
pub const WINDOW_BYTES: u64 = 512 * 1024;
/// Bytes in one `muster_output` at most.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// `muster_hello`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Hello {
    /// The additions that both sides speak.
    pub extensions: Vec<String>,
}

/// `muster_session_info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SessionInfo {
    /// The session.
    pub session_id: String,
    /// The operating system's user that it runs as.
    pub os_user: String,
    /// The program: a login shell, or the shell that runs the commands.
    pub shell: String,
    /// Its process id, which is the id of the operating system's session, too.
    pub pid: u32,
}

/// The header of a `muster_output`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputHeader {
    /// Which job.
    pub job_id: String,
    /// Which step.
    pub step: String,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// Where the bytes begin in the stream.
    pub offset: u64,
}

/// `muster_output_ack`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputAck {
    /// Which job.
    pub job_id: String,
    /// Which step.
    pub step: String,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// Everything before this is kept. When it lies before what the agent sent, send from here again.
    pub offset: u64,
}

/// Writes the payload of a `muster_output`.
///
/// # Errors
/// When the header cannot be written as JSON (which does not happen with text).
pub fn encode_output(header: &OutputHeader, bytes: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_vec(header)?;
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    let mut payload = Vec::with_capacity(4 + json.len() + bytes.len());
    payload.extend_from_slice(&length.to_be_bytes());
    payload.extend_from_slice(&json);
    payload.extend_from_slice(bytes);
    Ok(payload)
}

/// Reads the payload of a `muster_output`; `None` when it is none.
#[must_use]
pub fn decode_output(payload: &[u8]) -> Option<(OutputHeader, &[u8])> {
    let length = u32::from_be_bytes(payload.get(..4)?.try_into().ok()?);
    let end = 4_usize.checked_add(usize::try_from(length).ok()?)?;
    let header = serde_json::from_slice(payload.get(4..end)?).ok()?;
    Some((header, payload.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_read_as_written_and_rubbish_is_not() {
        let header = OutputHeader {
            job_id: "aws.ssm.c.n".into(),
            step: "s".into(),
            stream: "stdout".into(),
            offset: 9,
        };
        let payload = encode_output(&header, b"\xff\x00raw").unwrap();
        assert_eq!(decode_output(&payload), Some((header, &b"\xff\x00raw"[..])));
        for bad in [&b""[..], b"\xff\xff\xff\xff{}", b"\0\0\0\x02{}"] {
            assert_eq!(decode_output(bad), None);
        }
    }
}

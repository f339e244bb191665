//! The words of the data channel: message types, payload types and flags.
//! Only names and numbers; what they carry is in `body`, what they do in `channel`, `client` and `agent`.

/// Stream data from the client to the agent (session protocol, message types).
pub const INPUT_STREAM_DATA: &str = "input_stream_data";
/// Stream data from the agent to the client.
pub const OUTPUT_STREAM_DATA: &str = "output_stream_data";
/// Says that one stream message has arrived; travels both ways and is never acknowledged itself.
pub const ACKNOWLEDGE: &str = "acknowledge";
/// The gateway ends the session.
pub const CHANNEL_CLOSED: &str = "channel_closed";
/// The gateway lets the agent send again.
pub const START_PUBLICATION: &str = "start_publication";
/// The gateway asks the agent to stop sending.
pub const PAUSE_PUBLICATION: &str = "pause_publication";
/// The agent tells the gateway, and nobody else, that the session runs or ends.
pub const AGENT_SESSION_STATE: &str = "agent_session_state";

/// Flag bit of the first output message (session protocol, flags). Nobody reads it.
pub const FLAG_SYN: u64 = 1;
/// Flags of acknowledgements and of `agent_session_state`: SYN and FIN.
pub const FLAGS_CONTROL: u64 = 3;

/// What the payload of a stream message is (session protocol, payload types).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadType {
    /// 1: raw bytes, in either direction.
    Output,
    /// 3: the terminal's size, JSON.
    Size,
    /// 5: the agent asks for session type and encryption, JSON.
    HandshakeRequest,
    /// 6: the client's answer, JSON.
    HandshakeResponse,
    /// 7: the agent has taken the answer, JSON.
    HandshakeComplete,
    /// 8: the agent tests the client's key, JSON.
    EncChallengeRequest,
    /// 9: the client's answer to the test, JSON.
    EncChallengeResponse,
    /// 10: a [`Flag`], four bytes.
    Flag,
    /// 11: raw bytes of standard error.
    StdErr,
    /// 12: text that holds the exit code.
    ExitCode,
    /// Any other number; 2 and 4 are defined and not used by anybody.
    Other(u32),
}

impl From<u32> for PayloadType {
    fn from(number: u32) -> Self {
        match number {
            1 => Self::Output,
            3 => Self::Size,
            5 => Self::HandshakeRequest,
            6 => Self::HandshakeResponse,
            7 => Self::HandshakeComplete,
            8 => Self::EncChallengeRequest,
            9 => Self::EncChallengeResponse,
            10 => Self::Flag,
            11 => Self::StdErr,
            12 => Self::ExitCode,
            other => Self::Other(other),
        }
    }
}

impl From<PayloadType> for u32 {
    fn from(kind: PayloadType) -> Self {
        match kind {
            PayloadType::Output => 1,
            PayloadType::Size => 3,
            PayloadType::HandshakeRequest => 5,
            PayloadType::HandshakeResponse => 6,
            PayloadType::HandshakeComplete => 7,
            PayloadType::EncChallengeRequest => 8,
            PayloadType::EncChallengeResponse => 9,
            PayloadType::Flag => 10,
            PayloadType::StdErr => 11,
            PayloadType::ExitCode => 12,
            PayloadType::Other(other) => other,
        }
    }
}

/// What a message of payload type 10 says (session protocol, payload types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// 1: the client's local connection has dropped; the agent closes its own.
    DisconnectToPort,
    /// 2: the client ends a port session.
    TerminateSession,
    /// 3: the agent could not reach the port.
    ConnectToPortError,
}

impl Flag {
    /// The payload: the number, big-endian.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let number: u32 = match self {
            Self::DisconnectToPort => 1,
            Self::TerminateSession => 2,
            Self::ConnectToPortError => 3,
        };
        number.to_be_bytes().to_vec()
    }

    /// Reads the payload; nothing for another length or number.
    #[must_use]
    pub fn decode(payload: &[u8]) -> Option<Self> {
        match u32::from_be_bytes(payload.try_into().ok()?) {
            1 => Some(Self::DisconnectToPort),
            2 => Some(Self::TerminateSession),
            3 => Some(Self::ConnectToPortError),
            _ => None,
        }
    }
}

/// What both ends do in a session (session protocol, handshake).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionType {
    /// A shell.
    StandardStream,
    /// One command on a terminal.
    InteractiveCommands,
    /// One command without a terminal.
    NonInteractiveCommands,
    /// Bytes of TCP connections.
    Port,
}

impl SessionType {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StandardStream => "Standard_Stream",
            Self::InteractiveCommands => "InteractiveCommands",
            Self::NonInteractiveCommands => "NonInteractiveCommands",
            Self::Port => "Port",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::StandardStream,
            Self::InteractiveCommands,
            Self::NonInteractiveCommands,
            Self::Port,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }

    /// Whether the agents of AWS begin such a session with a handshake even without encryption.
    #[must_use]
    pub fn needs_handshake(self) -> bool {
        matches!(self, Self::NonInteractiveCommands | Self::Port)
    }

    /// Whether the output is a terminal's or a command's, and not the bytes of a connection.
    #[must_use]
    pub fn is_shell(self) -> bool {
        self != Self::Port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_payloads_stay_what_they_are() {
        for number in 0..40_u32 {
            assert_eq!(u32::from(PayloadType::from(number)), number);
        }
        let known = [
            (1, PayloadType::Output),
            (3, PayloadType::Size),
            (5, PayloadType::HandshakeRequest),
            (6, PayloadType::HandshakeResponse),
            (7, PayloadType::HandshakeComplete),
            (8, PayloadType::EncChallengeRequest),
            (9, PayloadType::EncChallengeResponse),
            (10, PayloadType::Flag),
            (11, PayloadType::StdErr),
            (12, PayloadType::ExitCode),
            (2, PayloadType::Other(2)),
            (4, PayloadType::Other(4)),
        ];
        for (number, kind) in known {
            assert_eq!(PayloadType::from(number), kind);
        }
    }

    #[test]
    fn flags_are_four_bytes_big_endian() {
        assert_eq!(Flag::DisconnectToPort.encode(), [0, 0, 0, 1]);
        assert_eq!(Flag::TerminateSession.encode(), [0, 0, 0, 2]);
        assert_eq!(Flag::ConnectToPortError.encode(), [0, 0, 0, 3]);
        assert_eq!(Flag::decode(&[0, 0, 0, 3]), Some(Flag::ConnectToPortError));
        for wrong in [&[0, 0, 0, 4][..], &[0, 0, 0, 0], &[1], &[], &[0, 0, 0, 0, 1]] {
            assert_eq!(Flag::decode(wrong), None);
        }
    }

    #[test]
    fn session_types_are_spelt_as_on_the_wire() {
        assert_eq!(
            SessionType::from_name("Standard_Stream"),
            Some(SessionType::StandardStream)
        );
        assert_eq!(SessionType::from_name("Port"), Some(SessionType::Port));
        assert_eq!(SessionType::from_name("StandardStream"), None);
        assert!(SessionType::Port.needs_handshake() && SessionType::NonInteractiveCommands.needs_handshake());
        assert!(!SessionType::StandardStream.needs_handshake());
    }
}

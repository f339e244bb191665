//! The multiplexer's frames: smux, version 1. Eight bytes of header, little-endian, then the payload.
//! What they do to streams is in the parent.

/// Bytes before a payload: version 1, command 1, length 2, stream 4 (session protocol, mux).
pub const HEADER: usize = 8;
/// The longest payload that either side writes.
pub const MAX_PAYLOAD: usize = 32_768;

const VERSION: u8 = 1;

/// What a frame does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// 0: opens a stream.
    Open,
    /// 1: no more will be sent on a stream.
    Finish,
    /// 2: bytes of a stream.
    Data,
    /// 3: only says that the sender is there.
    Keepalive,
}

impl Command {
    fn number(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Finish => 1,
            Self::Data => 2,
            Self::Keepalive => 3,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [Self::Open, Self::Finish, Self::Data, Self::Keepalive]
            .into_iter()
            .find(|command| command.number() == number)
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it does.
    pub command: Command,
    /// To which stream.
    pub stream: u32,
    /// Empty but for [`Command::Data`].
    pub payload: Vec<u8>,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Another version of the multiplexer, or no multiplexer at all.
    #[error("version {0} is not spoken")]
    Version(u8),
    /// No such command in version 1.
    #[error("command {0} is not known")]
    Command(u8),
    /// A payload where none belongs, or a longer one than is ever sent.
    #[error("a length of {0} is not possible here")]
    Length(u16),
}

/// The header's bytes. Lengths beyond [`MAX_PAYLOAD`] are the caller's mistake and do not come here.
pub(super) fn header(command: Command, stream: u32, length: usize) -> [u8; HEADER] {
    let [low, high] = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
    let [a, b, c, d] = stream.to_le_bytes();
    [VERSION, command.number(), low, high, a, b, c, d]
}

/// Frames out of bytes that were cut anywhere.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    read: usize,
}

impl FrameReader {
    /// A reader that has read nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes. Call [`Self::take`] until there is nothing before the next ones: then never more than one
    /// incomplete frame is kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// [`FrameError`]: nothing behind it can be read either.
    pub fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some((&[version, number, low, high, a, b, c, d], rest)) = rest.split_first_chunk::<HEADER>()
        else {
            return Ok(None);
        };
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let command = Command::from_number(number).ok_or(FrameError::Command(number))?;
        let length = u16::from_le_bytes([low, high]);
        let size = usize::from(length);
        if size > if command == Command::Data { MAX_PAYLOAD } else { 0 } {
            return Err(FrameError::Length(length));
        }
        let Some(payload) = rest.get(..size) else {
            return Ok(None);
        };
        let frame = Frame {
            command,
            stream: u32::from_le_bytes([a, b, c, d]),
            payload: payload.to_vec(),
        };
        self.read += HEADER + size;
        Ok(Some(frame))
    }

    /// Bytes that wait for the rest of their frame.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffer.len() - self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(reader: &mut FrameReader) -> Vec<Frame> {
        std::iter::from_fn(|| reader.take().unwrap()).collect()
    }

    fn recorded() -> Vec<u8> {
        let mut bytes = hex::decode("0100000003000000").unwrap();
        bytes.extend(hex::decode("0102780003000000").unwrap());
        bytes.extend([b'x'; 120]);
        bytes.extend(hex::decode("0101000003000000").unwrap());
        bytes
    }

    #[test]
    fn the_recorded_bytes_are_read_however_they_are_cut() {
        let expected = [
            Frame {
                command: Command::Open,
                stream: 3,
                payload: vec![],
            },
            Frame {
                command: Command::Data,
                stream: 3,
                payload: vec![b'x'; 120],
            },
            Frame {
                command: Command::Finish,
                stream: 3,
                payload: vec![],
            },
        ];
        for size in [1, 2, 7, 8, 9, 128, 1000] {
            let mut reader = FrameReader::new();
            let mut found = Vec::new();
            for part in recorded().chunks(size) {
                reader.push(part);
                found.extend(frames(&mut reader));
                assert!(reader.held() < 128);
            }
            assert_eq!(
                (found.as_slice(), reader.held()),
                (&expected[..], 0),
                "cut every {size}"
            );
        }
    }

    #[test]
    fn headers_are_written_as_recorded() {
        let written = [
            header(Command::Open, 3, 0),
            header(Command::Data, 3, 120),
            header(Command::Finish, 3, 0),
        ];
        assert_eq!(hex::encode(written[0]), "0100000003000000");
        assert_eq!(hex::encode(written[1]), "0102780003000000");
        assert_eq!(hex::encode(written[2]), "0101000003000000");
        assert_eq!(hex::encode(header(Command::Keepalive, 0, 0)), "0103000000000000");
        assert_eq!(
            hex::encode(header(Command::Data, 0x0102_0304, MAX_PAYLOAD)),
            "0102008004030201"
        );
    }

    #[test]
    fn other_bytes_are_refused() {
        for (bytes, error) in [
            ("0200000003000000", FrameError::Version(2)),
            ("0104000003000000", FrameError::Command(4)),
            ("0100010003000000", FrameError::Length(1)),
            ("0102018003000000", FrameError::Length(32_769)),
        ] {
            let mut reader = FrameReader::new();
            reader.push(&hex::decode(bytes).unwrap());
            assert_eq!(reader.take(), Err(error));
        }
    }
}

//! One message: its fixed header of 120 bytes and its payload, read and written.
//!
//! Layout (all integers big-endian): header length 4, type 32 padded with spaces, schema version 4,
//! created 8 (ms), sequence 8, flags 8, message id 16 (its halves swapped), SHA-256 of the payload 32,
//! payload type 4, payload length 4, payload. Source: the open code of session-manager-plugin and
//! amazon-ssm-agent, as both write it on the wire.

use ring::digest::{SHA256, digest};
use uuid::Uuid;

use crate::kind::{PAUSE_PUBLICATION, START_PUBLICATION};

/// What every writer puts into the first field: the offset of the payload length.
pub const HEADER_LENGTH: u32 = 116;
/// Bytes before the payload.
pub const PREFIX_LENGTH: usize = 120;
/// The largest frame that is accepted, in bytes. Agents write at most 142,000.
pub const MAX_FRAME: usize = 1 << 20;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// For example `agent_job` or `output_stream_data`; at most 32 ASCII characters.
    pub message_type: String,
    /// 1 in all that is known.
    pub schema_version: u32,
    /// Milliseconds since the Unix epoch; readers refuse zero.
    pub created_ms: u64,
    /// Place in its direction, for stream data; 0 otherwise.
    pub sequence: i64,
    /// Bit 0 begins, bit 1 ends; acknowledgements carry 3.
    pub flags: u64,
    /// Its id.
    pub id: Uuid,
    /// Meaning of the payload, for stream data; 0 otherwise.
    pub payload_type: u32,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Fewer bytes than the header needs.
    #[error("the frame has {0} bytes, fewer than a header needs")]
    Short(usize),
    /// More bytes than any writer sends.
    #[error("the frame has {0} bytes, more than {MAX_FRAME}")]
    Long(usize),
    /// The header length field points outside of the frame or is absurd.
    #[error("the header length {0} does not fit the frame")]
    HeaderLength(u32),
    /// The type is empty or no ASCII, or longer than its field.
    #[error("the message type cannot be read or written")]
    MessageType,
    /// The creation date is zero.
    #[error("the creation date is zero")]
    Created,
    /// The digest does not match the payload.
    #[error("the payload's digest does not match")]
    Digest,
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

impl Message {
    /// A message of the control channel, or one that carries no stream data.
    #[must_use]
    pub fn control(message_type: &str, id: Uuid, created_ms: u64, payload: Vec<u8>) -> Self {
        Self {
            message_type: message_type.to_owned(),
            schema_version: 1,
            created_ms,
            sequence: 0,
            flags: 0,
            id,
            payload_type: 0,
            payload,
        }
    }

    /// Writes the frame.
    ///
    /// # Errors
    /// [`MessageError::MessageType`] when the type does not fit its field, [`MessageError::Long`] when the frame
    /// is one that no reader of ours takes.
    pub fn encode(&self) -> Result<Vec<u8>, MessageError> {
        if self.message_type.is_empty() || self.message_type.len() > 32 || !self.message_type.is_ascii() {
            return Err(MessageError::MessageType);
        }
        let frame_length = self.payload.len().saturating_add(PREFIX_LENGTH);
        let length = u32::try_from(self.payload.len())
            .ok()
            .filter(|_| frame_length <= MAX_FRAME)
            .ok_or(MessageError::Long(frame_length))?;
        let mut out = Vec::with_capacity(frame_length);
        out.extend_from_slice(&HEADER_LENGTH.to_be_bytes());
        let mut name = [b' '; 32];
        for (slot, byte) in name.iter_mut().zip(self.message_type.bytes()) {
            *slot = byte;
        }
        out.extend_from_slice(&name);
        out.extend_from_slice(&self.schema_version.to_be_bytes());
        out.extend_from_slice(&self.created_ms.to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.flags.to_be_bytes());
        let (high, low) = self.id.as_u64_pair();
        out.extend_from_slice(&low.to_be_bytes());
        out.extend_from_slice(&high.to_be_bytes());
        out.extend_from_slice(digest(&SHA256, &self.payload).as_ref());
        out.extend_from_slice(&self.payload_type.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.payload);
        Ok(out)
    }

    /// Reads a frame and checks its digest. Never allocates more than the frame itself holds.
    ///
    /// # Errors
    /// [`MessageError`] says what is wrong; nothing of such a frame is to be used.
    pub fn decode(frame: &[u8]) -> Result<Self, MessageError> {
        let message = Self::decode_undigested(frame)?;
        // These two carry nothing that is read, and no end of AWS looks whether they are whole.
        let is_unchecked =
            message.message_type == START_PUBLICATION || message.message_type == PAUSE_PUBLICATION;
        let is_right = || Some(digest(&SHA256, &message.payload).as_ref()) == frame.get(80..112);
        if message.payload.is_empty() || is_unchecked || is_right() {
            Ok(message)
        } else {
            Err(MessageError::Digest)
        }
    }

    /// The same without a look at the digest, as AWS's gateway and agent read what clients send (session protocol,
    /// reader rules): there are clients that write another one, and work with them.
    ///
    /// # Errors
    /// As [`Self::decode`], but never [`MessageError::Digest`].
    pub fn decode_undigested(frame: &[u8]) -> Result<Self, MessageError> {
        if frame.len() > MAX_FRAME {
            return Err(MessageError::Long(frame.len()));
        }
        let short = || MessageError::Short(frame.len());
        let header_length = u32::from_be_bytes(array(frame, 0).ok_or_else(short)?);
        if frame.len() < PREFIX_LENGTH {
            return Err(short());
        }
        // Readers find the payload by this field, so a longer header of a later writer still reads.
        let payload_at = usize::try_from(header_length).ok().and_then(|n| n.checked_add(4));
        let payload = payload_at
            .filter(|at| *at >= PREFIX_LENGTH)
            .and_then(|at| frame.get(at..))
            .ok_or(MessageError::HeaderLength(header_length))?;
        let name = frame.get(4..36).ok_or_else(short)?;
        let message_type = std::str::from_utf8(name)
            .ok()
            .map(|text| text.trim_matches('\0').trim())
            .filter(|text| !text.is_empty() && text.is_ascii())
            .ok_or(MessageError::MessageType)?
            .to_owned();
        let created_ms = u64::from_be_bytes(array(frame, 40).ok_or_else(short)?);
        let unchecked = message_type == START_PUBLICATION || message_type == PAUSE_PUBLICATION;
        if created_ms == 0 && !unchecked {
            return Err(MessageError::Created);
        }
        let low = u64::from_be_bytes(array(frame, 64).ok_or_else(short)?);
        let high = u64::from_be_bytes(array(frame, 72).ok_or_else(short)?);
        Ok(Self {
            message_type,
            schema_version: u32::from_be_bytes(array(frame, 36).ok_or_else(short)?),
            created_ms,
            sequence: i64::from_be_bytes(array(frame, 48).ok_or_else(short)?),
            flags: u64::from_be_bytes(array(frame, 56).ok_or_else(short)?),
            id: Uuid::from_u64_pair(high, low),
            payload_type: u32::from_be_bytes(array(frame, 112).ok_or_else(short)?),
            payload: payload.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Message {
        Message {
            message_type: "output_stream_data".into(),
            schema_version: 1,
            created_ms: 1_795_427_667_123,
            sequence: 7,
            flags: 1,
            id: Uuid::parse_str("00112233-4455-6677-8899-aabbccddeeff").unwrap(),
            payload_type: 1,
            payload: b"hello".to_vec(),
        }
    }

    #[test]
    fn fields_stand_where_the_other_side_looks_for_them() {
        let frame = sample().encode().unwrap();
        assert_eq!(frame.len(), 125);
        assert_eq!(&frame[0..4], &[0, 0, 0, 116]);
        assert_eq!(&frame[4..36], b"output_stream_data              ");
        assert_eq!(hex::encode(&frame[64..80]), "8899aabbccddeeff0011223344556677");
        assert_eq!(
            hex::encode(&frame[80..112]),
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        );
        assert_eq!(&frame[116..120], &[0, 0, 0, 5]);
        assert_eq!(Message::decode(&frame), Ok(sample()));
    }

    #[test]
    fn a_changed_payload_is_noticed() {
        let mut frame = sample().encode().unwrap();
        frame[120] ^= 1;
        assert_eq!(Message::decode(&frame), Err(MessageError::Digest));
        assert_eq!(Message::decode_undigested(&frame).unwrap().payload, b"iello");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Message::decode(&bytes);
        }

        #[test]
        fn what_was_written_is_read(payload in proptest::collection::vec(any::<u8>(), 0..500), sequence: i64, created in 1_u64..) {
            let message = Message { payload, sequence, created_ms: created, ..sample() };
            prop_assert_eq!(Message::decode(&message.encode().unwrap()), Ok(message));
        }
    }
}

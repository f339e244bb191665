//! A chunk as an object: keyframe, events and what was derived from them, compressed together.

use crate::derive::{Carry, Derived, derive};
use crate::emulator::Keyframe;
use crate::event::{Size, TimedEvent};
use crate::frame::decode_all;
use crate::keys::sha256;
use crate::manifest::{ChunkEntry, Command, TranscriptLine};
use crate::{RecordingError, RecordingId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::io::Read as _;

const MAGIC: &[u8; 4] = b"MRC1";
/// No chunk's content is larger. The largest tail is `Settings::MAX_CHUNK_BYTES`; keyframe and text come on top.
pub(crate) const MAX_PLAIN_BYTES: u64 = 64 * 1024 * 1024;
/// zstd's window: what a reader has to keep in memory while it decompresses, as a power of two.
const WINDOW_LOG: u32 = 23;
const LEVEL: i32 = 3;

/// What stands before the chunk's parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) recording: RecordingId,
    pub(crate) index: u64,
    pub(crate) previous: String,
    pub(crate) start_us: u64,
    pub(crate) end_us: u64,
    pub(crate) output_offset: u64,
    pub(crate) output_bytes: u64,
    pub(crate) events: u64,
    pub(crate) size: Size,
    pub(crate) keyframe_bytes: u64,
    pub(crate) events_bytes: u64,
    pub(crate) text_bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Text {
    transcript: Vec<TranscriptLine>,
    commands: Vec<Command>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// A chunk, read.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Its place in the recording, from 0.
    pub index: u64,
    /// The terminal as it was when the chunk began.
    pub keyframe: Keyframe,
    /// What happened, in order.
    pub events: Vec<TimedEvent>,
    /// Lines that scrolled out.
    pub transcript: Vec<TranscriptLine>,
    /// Commands that were typed; best effort.
    pub commands: Vec<Command>,
    /// Whether transcript and commands were cut off because there was too much text.
    pub text_cut: bool,
    pub(crate) header: Header,
}

/// A chunk, made.
pub(crate) struct Sealed {
    pub(crate) object: Bytes,
    pub(crate) entry: ChunkEntry,
    pub(crate) next: Keyframe,
}

/// Makes a chunk of the frames in a tail. Takes the processor for milliseconds: never call it in a session's own task.
pub(crate) fn seal(
    recording: &RecordingId,
    index: u64,
    previous: &str,
    keyframe: &Keyframe,
    tail: &Bytes,
    carry: &mut Carry,
) -> Result<Sealed, RecordingError> {
    let place = || format!("tail {index} of {recording}");
    let decoded = decode_all(tail, keyframe.output_offset);
    if decoded.used != tail.len() {
        return Err(RecordingError::damaged(
            place(),
            decoded.bad.unwrap_or("its last event is not whole"),
        ));
    }
    let (
        Derived {
            transcript,
            commands,
            activity,
            cut,
        },
        next,
    ) = derive(keyframe, &decoded.events, carry);
    let text = serde_json::to_vec(&Text {
        transcript,
        commands,
        cut,
    })
    .map_err(|error| RecordingError::damaged(place(), error.to_string()))?;
    let start_us = decoded.events.first().map_or(keyframe.at_us, |event| event.at_us);
    let end_us = decoded.events.last().map_or(start_us, |event| event.at_us);
    let header = Header {
        recording: recording.clone(),
        index,
        previous: previous.to_owned(),
        start_us,
        end_us,
        output_offset: keyframe.output_offset,
        output_bytes: decoded.output_end - keyframe.output_offset,
        events: decoded.events.len() as u64,
        size: keyframe.size,
        keyframe_bytes: keyframe.bytes.len() as u64,
        events_bytes: tail.len() as u64,
        text_bytes: text.len() as u64,
    };
    let head =
        serde_json::to_vec(&header).map_err(|error| RecordingError::damaged(place(), error.to_string()))?;
    let mut plain = Vec::with_capacity(8 + head.len() + keyframe.bytes.len() + tail.len() + text.len());
    plain.extend_from_slice(MAGIC);
    plain.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
    for part in [head.as_slice(), &keyframe.bytes, tail, &text] {
        plain.extend_from_slice(part);
    }
    let object = compress(&plain).map_err(RecordingError::io(format!("cannot compress {}", place())))?;
    let entry = ChunkEntry {
        index,
        start_us,
        end_us,
        output_offset: header.output_offset,
        output_bytes: header.output_bytes,
        events: header.events,
        stored_bytes: object.len() as u64,
        plain_bytes: plain.len() as u64,
        sha256: sha256(&object),
        previous: previous.to_owned(),
        activity,
    };
    Ok(Sealed {
        object: object.into(),
        entry,
        next,
    })
}

fn compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.window_log(WINDOW_LOG.min(21))?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(plain.len() as u64))?;
    std::io::Write::write_all(&mut encoder, plain)?;
    encoder.finish()
}

/// Decompresses exactly `plain_bytes` bytes; what holds more or fewer is refused before it takes memory.
fn decompress(object: &[u8], plain_bytes: u64) -> Result<Bytes, String> {
    if plain_bytes > MAX_PLAIN_BYTES {
        return Err(format!(
            "its size of {plain_bytes} bytes uncompressed is beyond every limit"
        ));
    }
    let mut decoder = zstd::Decoder::with_buffer(object).map_err(|error| error.to_string())?;
    decoder
        .window_log_max(WINDOW_LOG)
        .map_err(|error| error.to_string())?;
    let mut plain = Vec::with_capacity(usize::try_from(plain_bytes).unwrap_or_default().min(1 << 20));
    decoder
        .take(plain_bytes + 1)
        .read_to_end(&mut plain)
        .map_err(|error| format!("it cannot be decompressed: {error}"))?;
    if plain.len() as u64 != plain_bytes {
        return Err(format!(
            "it does not hold the {plain_bytes} bytes that the index says"
        ));
    }
    Ok(plain.into())
}

/// Reads an object. Does not check its digest: who reads to verify does that first.
pub(crate) fn open(object: &[u8], plain_bytes: u64, place: &str) -> Result<Chunk, RecordingError> {
    read(object, plain_bytes).map_err(|reason| RecordingError::damaged(place, reason))
}

/// Reads an object of unknown size, to say whose it is.
pub(crate) fn open_unknown(object: &[u8]) -> Result<Chunk, String> {
    // zstd's frame header carries the size; it is only believed within the bounds.
    let size = zstd::zstd_safe::get_frame_content_size(object).ok().flatten();
    read(object, size.ok_or("its size is unknown")?)
}

fn read(object: &[u8], plain_bytes: u64) -> Result<Chunk, String> {
    let mut plain = decompress(object, plain_bytes)?;
    let mut part = |length: u64| {
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= plain.len());
        length
            .map(|length| plain.split_to(length))
            .ok_or("its parts do not fit its size")
    };
    if part(4)?.as_ref() != MAGIC {
        return Err("it is no chunk of this format".into());
    }
    let length: [u8; 4] = part(4)?
        .as_ref()
        .try_into()
        .map_err(|_| "it ends in its header")?;
    let header: Header = serde_json::from_slice(&part(u32::from_le_bytes(length).into())?)
        .map_err(|e| format!("its header: {e}"))?;
    let keyframe = part(header.keyframe_bytes)?;
    let events = part(header.events_bytes)?;
    let text: Text =
        serde_json::from_slice(&part(header.text_bytes)?).map_err(|e| format!("its text: {e}"))?;
    if !plain.is_empty() {
        return Err("something follows its last part".into());
    }
    let decoded = decode_all(&events, header.output_offset);
    if decoded.used != events.len() {
        return Err(decoded.bad.unwrap_or("its last event is not whole").into());
    }
    Ok(Chunk {
        index: header.index,
        keyframe: Keyframe {
            at_us: header.start_us,
            output_offset: header.output_offset,
            size: header.size.bounded(),
            bytes: keyframe.to_vec(),
        },
        events: decoded.events,
        transcript: text.transcript,
        commands: text.commands,
        text_cut: text.cut,
        header,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::Emulator;
    use crate::event::Event;
    use crate::frame::encode;

    fn sealed() -> (Bytes, ChunkEntry) {
        let mut tail = Vec::new();
        encode(3, &Event::Output(Bytes::from_static(b"hello\r\n")), &mut tail);
        encode(9, &Event::End("done".into()), &mut tail);
        let id = RecordingId::new("r").unwrap();
        let fresh = Emulator::new(Size { cols: 80, rows: 24 }).keyframe(0, 0);
        let made = seal(
            &id,
            0,
            &"0".repeat(64),
            &fresh,
            &tail.into(),
            &mut Carry::default(),
        )
        .unwrap();
        (made.object, made.entry)
    }

    #[test]
    fn a_sealed_chunk_is_read_back() {
        let (object, entry) = sealed();
        let chunk = open(&object, entry.plain_bytes, "chunk 0").unwrap();
        assert_eq!(chunk.events.len(), 2);
        assert_eq!(chunk.transcript[0].text, "hello");
        assert_eq!((entry.start_us, entry.end_us, entry.output_bytes), (3, 9, 7));
    }

    #[test]
    fn a_bomb_is_refused_at_the_size_that_the_index_says() {
        let bomb = compress(&vec![0; 40 << 20]).unwrap();
        assert!(bomb.len() < 10_000);
        let error = open(&bomb, 1000, "chunk 0").unwrap_err();
        assert!(error.to_string().contains("1000 bytes"), "{error}");
        assert!(open(&bomb, u64::MAX, "chunk 0").is_err());
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_an_error_and_no_panic() {
        let (object, entry) = sealed();
        for at in 0..object.len() {
            let _ = open(&object[..at], entry.plain_bytes, "chunk 0").unwrap_err();
            let mut changed = object.to_vec();
            changed[at] ^= 0x41;
            let _ = open(&changed, entry.plain_bytes, "chunk 0");
        }
    }
}

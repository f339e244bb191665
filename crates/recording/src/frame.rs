//! How events stand in a tail and in a chunk: frames of length, checksum and body. Numbers are little-endian.

use crate::event::{Event, MAX_EVENT_BYTES, Size, TimedEvent};
use bytes::Bytes;

/// Length and checksum.
pub(crate) const FRAME_HEAD: usize = 8;
/// Kind and time.
const BODY_HEAD: usize = 9;
/// No body is longer: what claims to be is damaged.
const MAX_BODY: usize = BODY_HEAD + MAX_EVENT_BYTES;

const OUTPUT: u8 = 1;
const INPUT: u8 = 2;
const INPUT_DROPPED: u8 = 3;
const RESIZE: u8 = 4;
const JOIN: u8 = 5;
const LEAVE: u8 = 6;
const MARKER: u8 = 7;
const GAP: u8 = 8;
const END: u8 = 9;

/// Appends one event. Output and input must already be no longer than [`MAX_EVENT_BYTES`].
pub(crate) fn encode(at_us: u64, event: &Event, to: &mut Vec<u8>) {
    let start = to.len();
    to.extend_from_slice(&[0; FRAME_HEAD]);
    let kind = match event {
        Event::Output(_) => OUTPUT,
        Event::Input(_) => INPUT,
        Event::InputDropped { .. } => INPUT_DROPPED,
        Event::Resize(_) => RESIZE,
        Event::Join { .. } => JOIN,
        Event::Leave { .. } => LEAVE,
        Event::Marker(_) => MARKER,
        Event::Gap { .. } => GAP,
        Event::End(_) => END,
    };
    to.push(kind);
    to.extend_from_slice(&at_us.to_le_bytes());
    match event {
        Event::Output(bytes) | Event::Input(bytes) => to.extend_from_slice(bytes),
        Event::InputDropped { bytes, enter } => {
            to.extend_from_slice(&bytes.to_le_bytes());
            to.push(u8::from(*enter));
        }
        Event::Resize(size) => {
            to.extend_from_slice(&size.cols.to_le_bytes());
            to.extend_from_slice(&size.rows.to_le_bytes());
        }
        Event::Join { name, role } => {
            // A name is at most `MAX_NAME_BYTES` long, so its length fits.
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            to.extend_from_slice(&length.to_le_bytes());
            to.extend_from_slice(name.as_bytes());
            to.extend_from_slice(role.as_bytes());
        }
        Event::Leave { name } => to.extend_from_slice(name.as_bytes()),
        Event::Marker(text) | Event::End(text) => to.extend_from_slice(text.as_bytes()),
        Event::Gap { from_ms, to_ms } => {
            to.extend_from_slice(&from_ms.to_le_bytes());
            to.extend_from_slice(&to_ms.to_le_bytes());
        }
    }
    let body = to.get(start + FRAME_HEAD..).unwrap_or_default();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let checksum = crc32fast::hash(body).to_le_bytes();
    for (place, byte) in to.iter_mut().skip(start).zip(length.into_iter().chain(checksum)) {
        *place = byte;
    }
}

/// What stands at the beginning of some bytes.
pub(crate) enum Frame {
    /// A whole event, with its time and how many bytes it took.
    Whole { at_us: u64, event: Event, length: usize },
    /// Not enough bytes for a whole one.
    Torn,
    /// No event.
    Bad(&'static str),
}

/// Reads the first event of `bytes`.
pub(crate) fn decode(bytes: &Bytes) -> Frame {
    let (Some(length), Some(checksum)) = (number(bytes, 0), number(bytes, 4)) else {
        return Frame::Torn;
    };
    let length = length as usize;
    if !(BODY_HEAD..=MAX_BODY).contains(&length) {
        return Frame::Bad("an event's length is out of bounds");
    }
    if bytes.len() < FRAME_HEAD + length {
        return Frame::Torn;
    }
    let body = bytes.slice(FRAME_HEAD..FRAME_HEAD + length);
    if crc32fast::hash(&body) != checksum {
        return Frame::Bad("an event's checksum is wrong");
    }
    let at_us = body
        .get(1..BODY_HEAD)
        .and_then(|at| at.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    let kind = body.first().copied().unwrap_or_default();
    match event(kind, &body.slice(BODY_HEAD..)) {
        Some(event) => Frame::Whole {
            at_us,
            event,
            length: FRAME_HEAD + length,
        },
        None => Frame::Bad("an event's kind or content is none of this format"),
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four))
}

fn event(kind: u8, rest: &Bytes) -> Option<Event> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some(match kind {
        OUTPUT => Event::Output(rest.clone()),
        INPUT => Event::Input(rest.clone()),
        INPUT_DROPPED if rest.len() == 5 => Event::InputDropped {
            bytes: number(rest, 0)?,
            enter: *rest.get(4)? != 0,
        },
        RESIZE if rest.len() == 4 => {
            let side = |at: usize| Some(u16::from_le_bytes(rest.get(at..at + 2)?.try_into().ok()?));
            Event::Resize(
                Size {
                    cols: side(0)?,
                    rows: side(2)?,
                }
                .bounded(),
            )
        }
        JOIN => {
            let length = usize::from(u16::from_le_bytes(rest.get(0..2)?.try_into().ok()?));
            Event::Join {
                name: text(rest.get(2..2 + length)?)?,
                role: text(rest.get(2 + length..)?)?,
            }
        }
        LEAVE => Event::Leave { name: text(rest)? },
        MARKER => Event::Marker(text(rest)?),
        GAP if rest.len() == 16 => Event::Gap {
            from_ms: i64::from_le_bytes(rest.get(0..8)?.try_into().ok()?),
            to_ms: i64::from_le_bytes(rest.get(8..16)?.try_into().ok()?),
        },
        END => Event::End(text(rest)?),
        _ => return None,
    })
}

/// All whole events at the beginning of some bytes.
pub(crate) struct Decoded {
    /// The events, with their places.
    pub(crate) events: Vec<TimedEvent>,
    /// Bytes that they took.
    pub(crate) used: usize,
    /// Output offset after them.
    pub(crate) output_end: u64,
    /// Why reading stopped before the bytes' end, if something there is no event at all.
    pub(crate) bad: Option<&'static str>,
}

/// Reads events until the bytes end, or no longer make one.
pub(crate) fn decode_all(bytes: &Bytes, output_offset: u64) -> Decoded {
    let mut decoded = Decoded {
        events: Vec::new(),
        used: 0,
        output_end: output_offset,
        bad: None,
    };
    while decoded.used < bytes.len() {
        match decode(&bytes.slice(decoded.used..)) {
            Frame::Whole { at_us, event, length } => {
                let output_offset = decoded.output_end;
                decoded.output_end += event.output_len() as u64;
                decoded.used += length;
                decoded.events.push(TimedEvent {
                    at_us,
                    output_offset,
                    event,
                });
            }
            Frame::Torn => break,
            Frame::Bad(reason) => {
                decoded.bad = Some(reason);
                break;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn any_event() -> impl Strategy<Value = Event> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        prop_oneof![
            4 => bytes().prop_map(Event::Output),
            2 => bytes().prop_map(Event::Input),
            1 => (any::<u32>(), any::<bool>()).prop_map(|(bytes, enter)| Event::InputDropped { bytes, enter }),
            1 => (1..=1000_u16, 1..=1000_u16).prop_map(|(cols, rows)| Event::Resize(Size { cols, rows })),
            1 => (".{0,20}", ".{0,20}").prop_map(|(name, role)| Event::Join { name, role }),
            1 => ".{0,20}".prop_map(|name| Event::Leave { name }),
            1 => ".{0,60}".prop_map(Event::Marker),
            1 => (any::<i64>(), any::<i64>()).prop_map(|(from_ms, to_ms)| Event::Gap { from_ms, to_ms }),
            1 => ".{0,60}".prop_map(Event::End),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_and_a_torn_end_is_found(
            events in proptest::collection::vec((any::<u64>(), any_event()), 0..20),
            cut in 1_usize..40,
        ) {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            for (at_us, event) in &events {
                encode(*at_us, event, &mut bytes);
                ends.push(bytes.len());
            }
            let whole = decode_all(&Bytes::from(bytes.clone()), 7);
            let back: Vec<_> = whole.events.iter().map(|e| (e.at_us, e.event.clone())).collect();
            prop_assert_eq!(&back, &events);
            prop_assert_eq!(whole.used, bytes.len());

            bytes.truncate(bytes.len().saturating_sub(cut));
            let torn = decode_all(&Bytes::from(bytes.clone()), 0);
            prop_assert_eq!(torn.used, *ends.iter().filter(|end| **end <= bytes.len()).max().unwrap());
            prop_assert!(torn.bad.is_none());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            decode_all(&Bytes::from(bytes), 0);
        }

        #[test]
        fn one_changed_byte_is_never_taken_for_an_event(at in any::<prop::sample::Index>(), flip in 1_u8..) {
            let mut bytes = Vec::new();
            encode(5, &Event::Output(Bytes::from_static(b"some output")), &mut bytes);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(decode_all(&Bytes::from(bytes), 0).events.is_empty());
        }
    }
}

//! Three frames of AWS's session-manager-plugin, as recorded on the wire, byte for byte.
//! Read, understood, and written again to the same bytes.

use muster_session_channel::body::{Acknowledge, Size};
use muster_session_channel::{Message, PayloadType};
use uuid::Uuid;

const ACKNOWLEDGEMENT: &str = "
    0000007461636b6e6f776c6564676520202020202020202020202020202020202020202000000001000001a207141b44
    0000000000000000000000000000000388f5ef055ce398642473adce35614effd468334f625db58af3a9e3e424e527e1
    71ae7b7503782743b3727f23fd8275ea00000000000000b07b2241636b6e6f776c65646765644d657373616765547970
    65223a226f75747075745f73747265616d5f64617461222c2241636b6e6f776c65646765644d6573736167654964223a
    2238666436303234392d393738332d343837662d396362632d643363353430623636653963222c2241636b6e6f776c65
    646765644d65737361676553657175656e63654e756d626572223a302c22497353657175656e7469616c4d6573736167
    65223a747275657d";

const SIZE: &str = "
    00000074696e7075745f73747265616d5f6461746120202020202020202020202020202000000001000001a207141b45
    00000000000000010000000000000000a9d91ceed7e11ca60cf6a78ae399490ce1537ad4749d88db6f6d97ed16e443de
    e6ba30c43afa2c4875bb1432f07d8b3a00000003000000177b22636f6c73223a3330302c22726f7773223a3130307d";

const INPUT: &str = "
    00000074696e7075745f73747265616d5f6461746120202020202020202020202020202000000001000001a207141f1c
    00000000000000020000000000000000ac2e5ceb97bfe520e80e9a6ee3804ad1e9fe7e88e89d532379960402db8f9458
    194dae772aa5fda5a12806c22215f0ff00000001000000036c730a";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.split_whitespace().collect::<String>()).unwrap()
}

fn reads_and_writes(recorded: &str, id: &str) -> Message {
    let frame = bytes(recorded);
    let message = Message::decode(&frame).unwrap();
    assert_eq!(message.schema_version, 1);
    assert_eq!(message.id, Uuid::parse_str(id).unwrap());
    assert_eq!(message.encode().unwrap(), frame);
    message
}

#[test]
fn the_recorded_acknowledgement() {
    let message = reads_and_writes(ACKNOWLEDGEMENT, "2473adce-3561-4eff-88f5-ef055ce39864");
    assert_eq!(
        (message.message_type.as_str(), message.created_ms),
        ("acknowledge", 0x01a2_0714_1b44)
    );
    assert_eq!((message.sequence, message.flags, message.payload_type), (0, 3, 0));
    let ack: Acknowledge = serde_json::from_slice(&message.payload).unwrap();
    let acked = Uuid::parse_str("8fd60249-9783-487f-9cbc-d3c540b66e9c").unwrap();
    assert_eq!(ack, Acknowledge::of("output_stream_data", acked, 0));
    assert_eq!(serde_json::to_vec(&ack).unwrap(), message.payload);
}

#[test]
fn the_recorded_size() {
    let message = reads_and_writes(SIZE, "0cf6a78a-e399-490c-a9d9-1ceed7e11ca6");
    assert_eq!(message.message_type, "input_stream_data");
    assert_eq!((message.sequence, message.flags), (1, 0));
    assert_eq!(PayloadType::from(message.payload_type), PayloadType::Size);
    let size: Size = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!(size, Size { cols: 300, rows: 100 });
    assert_eq!(size, Size::WITHOUT_TERMINAL);
    assert_eq!(serde_json::to_vec(&size).unwrap(), message.payload);
}

#[test]
fn the_recorded_input() {
    let message = reads_and_writes(INPUT, "e80e9a6e-e380-4ad1-ac2e-5ceb97bfe520");
    assert_eq!((message.sequence, message.flags), (2, 0));
    assert_eq!(PayloadType::from(message.payload_type), PayloadType::Output);
    assert_eq!(message.payload, b"ls\n");
}

#[test]
fn a_type_may_be_padded_with_zeros() {
    let mut frame = bytes(INPUT);
    for byte in &mut frame[21..36] {
        assert_eq!(*byte, b' ');
        *byte = 0;
    }
    assert_eq!(Message::decode(&frame).unwrap().message_type, "input_stream_data");
}

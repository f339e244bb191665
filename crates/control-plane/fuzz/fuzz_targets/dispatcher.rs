//! Sends the control plane whatever the fuzzer invents.

#![no_main]

#[path = "../story.rs"]
mod story;

libfuzzer_sys::fuzz_target!(|data: &[u8]| story::play(data));

//! Plays stories of the fuzz target, so that it stays compilable and true without a fuzzer.

#[path = "../../fuzz/story.rs"]
mod story;

use proptest::prelude::*;

#[test]
fn an_honest_session_is_a_story_too() {
    // A handshake, output and input both ways, a new connection, time, and everything read.
    let mut text = vec![0];
    for _ in 0..4 {
        text.extend([7, 6, 8, 10, 3]);
    }
    text.extend([5, 1]);
    text.extend([b'o'; 16]);
    text.extend([4, 1]);
    text.extend([b'i'; 16]);
    text.extend([7, 6, 9, 7, 6, 8]);
    story::play(&text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_story_ends_badly(text in proptest::collection::vec(any::<u8>(), 0..600)) {
        story::play(&text);
    }
}

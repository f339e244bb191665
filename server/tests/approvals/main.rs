//! Requests for approval, on both databases, with a clock that tests move: who can decide, what voids an approval, that
//! nothing is done twice, and what happens when the glass is broken.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod glass;
mod race;
mod rules;
mod runbooks;
mod world;

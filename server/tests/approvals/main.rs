//! Requests for approval, on both databases, with a clock that tests move: who can decide, what voids an approval, that
//! nothing is done twice, and what happens when the glass is broken.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod bundle;
mod glass;
mod leases;
mod race;
mod rules;
mod runbooks;
mod stand_ins;
mod terminal;
mod together;
mod warned;
mod world;

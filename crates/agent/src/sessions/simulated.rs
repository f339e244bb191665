//! The shell of simulated nodes: no process, no terminal. It says back what it is told, and floods on demand.

use super::context::{Context, Ending};
use super::driver::{Driver, Step};
use muster_session_channel::AgentEvent;

/// Most that is kept of a line that does not end.
const MOST_LINE: usize = 256;
const PIECE: usize = 16 * 1024;
const LITTLE: usize = 2048;

/// The byte at a place of the flood: lines of sixty-four characters that differ from their neighbours.
#[must_use]
pub fn flood_byte(at: u64) -> u8 {
    let (line, column) = (at / 64, at % 64);
    if column == 63 {
        return b'\n';
    }
    let letter = u8::try_from((line.wrapping_mul(7) + column) % 26).unwrap_or_default();
    b'a' + letter
}

/// Echoes until the session ends: input comes back as it is; after a line `flood <bytes>` so many bytes of
/// [`flood_byte`] follow; a line `exit` ends the session.
pub(super) async fn run(context: &Context, mut driver: Driver) -> Ending {
    if let Err(ending) = context.started(&mut driver).await {
        driver.close().await;
        return ending;
    }
    driver.set_ready(true);
    let (mut echo, mut line) = (Vec::new(), Vec::new());
    let (mut at, mut until) = (0_u64, 0_u64);
    let mut exits = false;
    loop {
        let room = driver.room().min(PIECE);
        let mut sent = false;
        if room >= LITTLE {
            if !echo.is_empty() {
                let part: Vec<u8> = echo.drain(..room.min(echo.len())).collect();
                sent = driver.send(&part).is_ok();
            } else if at < until {
                let end = until.min(at + u64::try_from(room).unwrap_or_default());
                let part: Vec<u8> = (at..end).map(flood_byte).collect();
                at = end;
                sent = driver.send(&part).is_ok();
            } else if exits {
                driver.finish().await;
                return Ending::success();
            }
        }
        let takes = echo.is_empty() && at >= until && !exits;
        tokio::select! {
            ending = context.ended() => {
                driver.close().await;
                return ending;
            }
            step = driver.next(takes) => match step {
                Step::Event(AgentEvent::Input(bytes)) => {
                    for byte in &bytes {
                        if !matches!(byte, b'\n' | b'\r') {
                            if line.len() < MOST_LINE {
                                line.push(*byte);
                            }
                            continue;
                        }
                        let text = String::from_utf8_lossy(&line).into_owned();
                        line.clear();
                        exits |= text == "exit";
                        let bytes = text.strip_prefix("flood ").and_then(|rest| rest.parse().ok());
                        if let Some(bytes) = bytes {
                            (at, until) = (0, bytes);
                        }
                    }
                    echo = bytes;
                }
                Step::Event(AgentEvent::Misbehaved(violation)) => driver.violation(&violation),
                Step::Event(event) => if let Some(ending) = Ending::of(event) {
                    driver.close().await;
                    return ending;
                },
                Step::Gone(reason) => return Ending::gone(reason),
                Step::Moved => {}
            },
            () = tokio::task::yield_now(), if sent => {}
        }
    }
}

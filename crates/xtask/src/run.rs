//! `cargo xtask run`: builds what changed and starts the portal, with demo nodes where asked for.

use crate::args::Args;
use crate::failure::{Failure, Outcome};
use crate::process::{program as start, run as wait_for};
use crate::workshop::Workshop;
use crate::{demo, program, say, signals, site};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where the portal listens unless told otherwise; the same default as in the program itself.
const ADDRESS: &str = "127.0.0.1:3000";

pub(crate) fn run(args: Args) -> Outcome {
    match build_and_serve(args) {
        // Ctrl-C is how one ends it.
        Err(failure) if failure.exit_code() == 130 => Ok(()),
        other => other,
    }
}

fn build_and_serve(mut args: Args) -> Outcome {
    let release = args.flag("--release");
    let wanted = args.number("--demo-nodes", 0, demo::MOST)?.unwrap_or(0);
    let passed_on = args.finish()?;
    let workshop = Workshop::find()?;
    let site = site::build(&workshop, release)?;
    let muster = program::build(&workshop, release)?;

    let demo = if wanted > 0 {
        demo::prepare(&workshop)?
    } else {
        None
    };
    let mut serve = start(&muster, ["serve"]);
    serve.current_dir(&workshop.root).args(&passed_on);
    program::with_site(&mut serve, &site);
    if demo.is_some() {
        serve.args(["--ssm-extra-addr", demo::ENDPOINT_ADDRESS]);
    }
    say::step("Starting Muster (Ctrl-C ends it)");
    let Some(network) = demo else {
        return wait_for(&mut serve, "muster serve");
    };

    // Nodes need a portal that answers, so they come up beside it and go when it has gone.
    let address = setting(&passed_on, "--addr", "MUSTER_ADDR").unwrap_or_else(|| ADDRESS.to_owned());
    let data = setting(&passed_on, "--data-dir", "MUSTER_DATA_DIR").unwrap_or_else(|| "data".to_owned());
    let plan = demo::Plan {
        program: muster.clone(),
        data_dir: workshop.root.join(PathBuf::from(data)),
        endpoint: format!("http://{}", demo::ENDPOINT_ADDRESS),
        count: wanted,
    };
    let portal = std::thread::spawn(move || wait_for(&mut serve, "muster serve"));
    let started =
        wait_until_healthy(&address, || portal.is_finished()).and_then(|()| demo::start(&network, &plan));
    if let Err(failure) = started {
        // The portal without demo nodes is still worth having.
        if !portal.is_finished() && !signals::stopping() {
            say::failure(&format!("no demo nodes: {failure}"));
        }
    }
    let ended = portal
        .join()
        .unwrap_or_else(|_| Err(Failure::new("the thread that waits for the portal died")));
    drop(network);
    ended
}

/// A setting of the program that xtask has to know too: from its flags, else from the environment.
fn setting(words: &[String], flag: &str, variable: &str) -> Option<String> {
    let given = Args::new(words.to_vec()).value(flag).ok().flatten();
    given.or_else(|| std::env::var(variable).ok().filter(|value| !value.is_empty()))
}

/// Asks `/health` until it answers well.
fn wait_until_healthy(address: &str, gone: impl Fn() -> bool) -> Outcome {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if gone() || signals::stopping() {
            return Err(Failure::new("the portal ended before it was up"));
        }
        if healthy(address).unwrap_or(false) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(Failure::new(format!("http://{address}/health does not answer")))
}

fn healthy(address: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /health HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(answer.ends_with(b"200"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_flag_of_the_program_goes_before_its_variable() {
        let words: Vec<String> = ["--addr=1.2.3.4:5", "--data-dir", "x"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(
            super::setting(&words, "--addr", "NO_SUCH_VARIABLE").as_deref(),
            Some("1.2.3.4:5")
        );
        assert_eq!(
            super::setting(&words, "--data-dir", "NO_SUCH_VARIABLE").as_deref(),
            Some("x")
        );
        assert_eq!(super::setting(&words, "--other", "NO_SUCH_VARIABLE"), None);
    }
}

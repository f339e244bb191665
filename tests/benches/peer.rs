//! `moto_server`, which the API is measured beside.

use muster_tests::portal::Fallible;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server, ended when it is dropped.
pub(crate) struct Moto {
    pub(crate) base: String,
    process: Child,
}

impl Moto {
    /// Starts the program that `MUSTER_TEST_MOTO` names; `None` where it names none.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn start() -> Fallible<Option<Self>> {
        let Some(program) = std::env::var_os("MUSTER_TEST_MOTO") else {
            return Ok(None);
        };
        // The port is free again for the server when the listener is gone.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let moto = Self {
            base: format!("http://127.0.0.1:{port}"),
            process,
        };
        let client = reqwest::Client::new();
        let until = Instant::now() + Duration::from_secs(30);
        while client.get(&moto.base).send().await.is_err() {
            if Instant::now() > until {
                return Err("moto_server does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(Some(moto))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

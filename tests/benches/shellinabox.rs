//! The peer that Debian ships: shellinabox, which shows a shell in a browser by polling. Measured as its own page
//! speaks: one request for keys, and one after another that waits for output.

use muster_tests::portal::Fallible;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running one, and a client of one shell.
pub(crate) struct ShellInABox {
    child: Child,
    http: reqwest::Client,
    base: String,
    session: String,
}

impl ShellInABox {
    /// Starts it where it is installed.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) async fn start() -> Fallible<Option<Self>> {
        let Some(program) = ["/usr/bin/shellinaboxd", "/usr/sbin/shellinaboxd"]
            .into_iter()
            .find(|path| std::path::Path::new(path).is_file())
        else {
            return Ok(None);
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(program)
            .args(["-t", "--localhost-only", "-p", &port.to_string()])
            .args(["-s", "/:root:root:/:/bin/bash --norc"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut this = Self {
            child,
            http: reqwest::Client::new(),
            base: format!("http://127.0.0.1:{port}/"),
            session: String::new(),
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while this.session.is_empty() {
            let size = [("width", "80"), ("height", "24"), ("rooturl", &this.base)];
            match this.http.post(format!("{}?", this.base)).form(&size).send().await {
                Ok(answer) => {
                    let answer: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
                    this.session = answer["session"].as_str().unwrap_or_default().to_owned();
                }
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        Ok(Some(this))
    }

    /// Types.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn type_in(&self, text: &str) -> Fallible<()> {
        let keys: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        let fields = [
            ("session", self.session.as_str()),
            ("width", "80"),
            ("height", "24"),
            ("keys", &keys),
        ];
        self.http
            .post(format!("{}?", self.base))
            .form(&fields)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// Reads until so many characters came in this call.
    ///
    /// # Errors
    /// When they do not come.
    pub(crate) async fn until(&self, characters: usize) -> Fallible<()> {
        let mut seen = 0;
        let deadline = Instant::now() + Duration::from_secs(60);
        while seen < characters {
            if Instant::now() > deadline {
                return Err(format!("{seen} of {characters} characters came").into());
            }
            let fields = [
                ("session", self.session.as_str()),
                ("width", "80"),
                ("height", "24"),
            ];
            let answer = self
                .http
                .post(format!("{}?", self.base))
                .form(&fields)
                .send()
                .await?
                .text()
                .await?;
            let answer: serde_json::Value = serde_json::from_str(&answer)?;
            seen += answer["data"].as_str().map_or(0, |data| data.chars().count());
        }
        Ok(())
    }
}

impl Drop for ShellInABox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

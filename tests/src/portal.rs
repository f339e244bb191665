//! The built program in a directory of its own, and a client that keeps cookies as a browser does.

use reqwest::cookie::{CookieStore as _, Jar};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// What a helper of tests may end with.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The environment variable that names the built program; `cargo xtask test` and `bench` set it.
pub const PROGRAM_VARIABLE: &str = "MUSTER_TEST_PROGRAM";

/// A name and a password for tests.
pub const ADMINISTRATOR: (&str, &str) = ("admin", "correct horse battery staple");

/// The program that is tested.
///
/// # Errors
/// When nobody said where it is and it does not lie beside the test.
pub fn program() -> Fallible<PathBuf> {
    if let Some(path) = std::env::var_os(PROGRAM_VARIABLE) {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    own.ancestors()
        .map(|folder| folder.join("muster"))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            format!("set {PROGRAM_VARIABLE} to the built program, or run `cargo xtask test`").into()
        })
}

/// A running program; ended, with its data kept, when dropped.
pub struct Portal {
    child: Child,
    /// Where the portal is: `http://127.0.0.1:…`.
    pub base: String,
    /// Where the embedded endpoint is.
    pub ssm: String,
    /// Where the pages of further connections are, by name.
    pub connections: HashMap<String, String>,
    /// The one-time link, at the very first start.
    pub setup_link: Option<String>,
    data_dir: PathBuf,
}

impl Portal {
    /// Starts the program on free ports with its data in `data_dir`, and waits until it listens.
    ///
    /// # Errors
    /// When it ends or does not listen within a minute.
    pub fn start(data_dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Fallible<Self> {
        Self::start_at(data_dir, "127.0.0.1:0", arguments, variables)
    }

    /// The same with the endpoint at a fixed address, where nodes find it again after a restart.
    ///
    /// # Errors
    /// As [`Portal::start`].
    pub fn start_at(
        data_dir: &Path,
        ssm_addr: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Fallible<Self> {
        Self::up(&program()?, data_dir, ssm_addr, arguments, variables)
    }

    /// The same for something that runs the program with the arguments it is given.
    ///
    /// # Errors
    /// As [`Portal::start`].
    pub fn start_program(program: &Path, data_dir: &Path, arguments: &[&str]) -> Fallible<Self> {
        Self::up(program, data_dir, "127.0.0.1:0", arguments, &[])
    }

    fn up(
        program: &Path,
        data_dir: &Path,
        ssm_addr: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Fallible<Self> {
        let mut command = Command::new(program);
        command
            .arg("serve")
            .args(["--addr", "127.0.0.1:0", "--ssm-addr", ssm_addr, "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        for (name, value) in variables {
            command.env(name, value);
        }
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("the program has no output")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens any more once it is up; the program must not block on a full pipe.
                let _ = sender.send(line);
            }
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        let (mut base, mut ssm, mut setup_link) = (None, String::new(), None);
        let mut connections = HashMap::new();
        while base.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = match lines.recv_timeout(left) {
                Ok(line) => line,
                Err(_) => {
                    let _ = child.kill();
                    return Err(format!("the program did not come up: {:?}", child.wait()).into());
                }
            };
            let address = line
                .split_whitespace()
                .find(|word| word.starts_with("http://") || word.starts_with("https://"));
            let Some(address) = address.map(str::to_owned) else {
                continue;
            };
            if line.contains("Systems Manager") {
                ssm = address;
            } else if let Some((name, _)) = line
                .strip_prefix("The connection ")
                .and_then(|rest| rest.split_once(':'))
            {
                connections.insert(name.to_owned(), address);
            } else if line.contains("/setup?token=") {
                setup_link = Some(address);
            } else if line.contains("Muster is ready") {
                base = Some(address);
            }
        }
        Ok(Self {
            child,
            base: base.unwrap_or_default(),
            ssm,
            connections,
            setup_link,
            data_dir: data_dir.to_owned(),
        })
    }

    /// The process id, for tests that are rough.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its data is.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Kills the program without warning, as a power cut would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Fallible<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Runs another subcommand of the program on the same data; answers its exit code and output.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn command(&self, arguments: &[&str]) -> Fallible<(i32, String)> {
        run(&self.data_dir, arguments)
    }
}

/// Runs a subcommand of the program on `data_dir`; answers its exit code and all it printed.
///
/// # Errors
/// When it cannot be started.
pub fn run(data_dir: &Path, arguments: &[&str]) -> Fallible<(i32, String)> {
    let output = Command::new(program()?)
        .args(arguments)
        .env("MUSTER_DATA_DIR", data_dir)
        .stdin(Stdio::null())
        .output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status.code().unwrap_or(-1), text))
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser without pages.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    cookies: Arc<Jar>,
    base: String,
}

impl Client {
    /// Somebody who is not signed in.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn anonymous(base: &str) -> Fallible<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cookies = Arc::new(Jar::default());
        let http = reqwest::Client::builder()
            .cookie_provider(Arc::clone(&cookies))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self {
            http,
            cookies,
            base: base.to_owned(),
        })
    }

    /// The first administrator, made by the one-time link.
    ///
    /// # Errors
    /// When the link does not work.
    pub async fn first_administrator(portal: &Portal) -> Fallible<Self> {
        let client = Self::anonymous(&portal.base)?;
        let link = portal.setup_link.as_deref().ok_or("there is no one-time link")?;
        let token = link
            .split_once("token=")
            .map(|(_, token)| token)
            .unwrap_or_default();
        let (name, password) = ADMINISTRATOR;
        let form = [
            ("token", token),
            ("name", name),
            ("password", password),
            ("repeat", password),
        ];
        let answer = client.form("/setup", &form).await?;
        if answer.0 != 303 || answer.1.contains("error") {
            return Err(format!("the one-time link did not work: {answer:?}").into());
        }
        Ok(client)
    }

    /// Somebody signed in.
    ///
    /// # Errors
    /// When the password is wrong or the portal does not answer.
    pub async fn sign_in(base: &str, name: &str, password: &str) -> Fallible<Self> {
        let client = Self::anonymous(base)?;
        let answer = client
            .form(
                "/sign-in",
                &[("name", name), ("password", password), ("next", "/")],
            )
            .await?;
        if answer.0 != 303 || answer.1.contains("error") {
            return Err(format!("signing in did not work: {answer:?}").into());
        }
        Ok(client)
    }

    /// The same person in the same browser, at another address of the same host.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// Posts a form; answers the status and where it leads to.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Fallible<(u16, String)> {
        let answer = self
            .http
            .post(format!("{}{path}", self.base))
            .header("origin", &self.base)
            .form(fields)
            .send()
            .await?;
        let location = answer
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Ok((answer.status().as_u16(), location.to_owned()))
    }

    /// Calls a server function; answers the status and what it gives as JSON.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub async fn call(&self, function: &str, fields: &[(&str, &str)]) -> Fallible<(u16, Value)> {
        let answer = self
            .http
            .post(format!("{}/api/{function}", self.base))
            .header("origin", &self.base)
            .header("accept", "application/json")
            .form(fields)
            .send()
            .await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Posts JSON to an address; answers the status and what it gives as JSON.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub async fn post_json(&self, path: &str, body: &Value) -> Fallible<(u16, Value)> {
        let answer = self
            .http
            .post(format!("{}{path}", self.base))
            .header("origin", &self.base)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Gets an address; answers the status, the headers and the text.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub async fn get(&self, path: &str) -> Fallible<(u16, HashMap<String, String>, String)> {
        let answer = self
            .http
            .get(format!("{}{path}", self.base))
            .header("accept", "text/html,*/*")
            .send()
            .await?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        Ok((status, headers, answer.text().await?))
    }

    /// Opens an address whose answer is read piece by piece.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub async fn open(&self, path: &str) -> Fallible<reqwest::Response> {
        Ok(self
            .http
            .get(format!("{}{path}", self.base))
            .timeout(Duration::from_secs(600))
            .send()
            .await?)
    }

    /// Where the portal is.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The cookies that it sends, as a header.
    #[must_use]
    pub fn cookie_header(&self) -> Option<http::HeaderValue> {
        self.cookies.cookies(&self.base.parse().ok()?)
    }

    /// Asks again until `found` gives something, for at most `patience`.
    ///
    /// # Errors
    /// When it does not within that time.
    pub async fn until<T>(
        &self,
        what: &str,
        patience: Duration,
        found: impl AsyncFn(&Self) -> Fallible<Option<T>>,
    ) -> Fallible<T> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(value) = found(self).await? {
                return Ok(value);
            }
            if Instant::now() > deadline {
                return Err(format!("{what} did not come true within {patience:?}").into());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

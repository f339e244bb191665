//! Downloading: `aws:downloadContent`. A process of its own, started by the worker like a script. A file is there whole or
//! not at all: it is written beside its place and moved there.

pub(crate) mod request;

use crate::calls::{causes, install_crypto};
use crate::error::AgentError;
use crate::files;
use futures::StreamExt as _;
use http::HeaderMap;
use muster_agent_protocol::signing::{Credentials, SignedRequest, sha256_hex, sign};
use muster_domain::time::Clock;
use request::{Request, Source};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is to be downloaded.
pub(crate) const REQUEST_FILE: &str = "download-request.json";
/// Keys for objects that are not public, from the agent's own surroundings.
pub(crate) const PASSED_ON: [&str; 6] = [
    "AWS_ENDPOINT_URL_S3",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "SSL_CERT_FILE",
];
/// What the name of a file begins with while it is not there yet.
pub(crate) const PENDING: &str = ".muster-download-";
/// Redirections that are followed.
const MOST_HOPS: usize = 5;

fn failed(reason: impl std::fmt::Display) -> AgentError {
    AgentError::Worker(format!("the download failed: {reason}"))
}

/// Where the file goes, by what it is called at its source.
fn target(destination: &Path, name: &str) -> PathBuf {
    let is_folder = destination.as_os_str().to_string_lossy().ends_with('/') || destination.is_dir();
    if is_folder {
        destination.join(name)
    } else {
        destination.to_owned()
    }
}

/// The last part of an address's path.
fn name_of(url: &reqwest::Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back());
    let name: String = last
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control() && *c != '/')
        .collect();
    match name.as_str() {
        "" | "." | ".." => "download".to_owned(),
        _ => name,
    }
}

/// Writes to a file beside its place.
struct Pending {
    file: std::fs::File,
    path: PathBuf,
    target: PathBuf,
}

impl Pending {
    fn create(target: PathBuf, is_own: bool) -> Result<Self, AgentError> {
        let folder = target.parent().unwrap_or(Path::new("/"));
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(if is_own { 0o700 } else { 0o755 })
            .create(folder)
            .map_err(AgentError::file("making", folder))?;
        let path = folder.join(format!("{PENDING}{}", std::process::id()));
        // What the command alone sees may be run; elsewhere it is a file like others.
        // A file of ours keeps its mode; what somebody else has put there says nothing.
        let is_ours =
            |about: &std::fs::Metadata| about.is_file() && about.uid() == rustix::process::getuid().as_raw();
        let mode = match std::fs::symlink_metadata(&target) {
            Ok(known) if is_ours(&known) => known.permissions().mode() & 0o777,
            _ if is_own => 0o700,
            _ => 0o600,
        };
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(AgentError::file("writing", &path))?;
        Ok(Self { file, path, target })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), AgentError> {
        self.file
            .write_all(bytes)
            .map_err(AgentError::file("writing", &self.path))
    }

    fn done(self) -> Result<PathBuf, AgentError> {
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.path, &self.target))
            .map_err(AgentError::file("writing", &self.target))?;
        Ok(self.target.clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // After it was moved there is nothing left here.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn client(is_signed: bool) -> Result<reqwest::Client, AgentError> {
    install_crypto();
    let follow = reqwest::redirect::Policy::custom(move |attempt| {
        if is_signed {
            // A signature is for one address, and a token for nobody else.
            return attempt.stop();
        }
        let was_encrypted = attempt
            .previous()
            .last()
            .is_some_and(|url| url.scheme() == "https");
        if attempt.previous().len() > MOST_HOPS {
            attempt.error("it is redirected too often")
        } else if was_encrypted && attempt.url().scheme() != "https" {
            attempt.error("it is redirected to an address that is not encrypted")
        } else {
            attempt.follow()
        }
    });
    reqwest::Client::builder()
        .redirect(follow)
        .connect_timeout(Duration::from_secs(20))
        // Between two pieces: how long all of it may take is the step's time limit.
        .read_timeout(Duration::from_secs(60))
        .user_agent("muster-agent")
        .build()
        .map_err(failed)
}

/// The region that an address of S3 is in.
fn region(host: &str) -> String {
    let parts: Vec<&str> = host.split('.').collect();
    let named = match parts.as_slice() {
        ["s3", region, "amazonaws", ..] | [_, "s3", region, "amazonaws", ..] => Some((*region).to_owned()),
        _ => None,
    };
    named
        .or_else(|| std::env::var("AWS_REGION").ok())
        .unwrap_or_else(|| "us-east-1".into())
}

/// Keys from the agent's own surroundings.
fn keys() -> Option<Credentials> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    Some(Credentials {
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?,
        session_token: variable("AWS_SESSION_TOKEN"),
    })
}

/// An address whose path is written as S3 signs it: all but letters, digits and `-._~/` encoded.
fn encoded(mut url: reqwest::Url) -> reqwest::Url {
    let mut path = String::with_capacity(url.path().len());
    for byte in url.path().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    url.set_path(&path);
    url
}

/// The headers that show who asks for an object.
fn signed(url: &reqwest::Url, keys: &Credentials, now: &str) -> HeaderMap {
    let host = url.host_str().unwrap_or_default();
    let authority = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let empty = sha256_hex(b"");
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    add("host", &authority);
    add("x-amz-content-sha256", &empty);
    let request = SignedRequest {
        method: "GET",
        path: url.path(),
        query: url.query().unwrap_or_default(),
        headers: &headers,
        body_hash: &empty,
    };
    for (name, value) in sign(&request, keys, &region(host), "s3", now) {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    headers
}

async fn fetch(request: &Request, clock: &dyn Clock) -> Result<(PathBuf, u64), AgentError> {
    let (url, login, is_s3) = match &request.source {
        Source::Text { name, text } => {
            let mut pending = Pending::create(target(&request.destination, name), request.is_own)?;
            pending.write(text.as_bytes())?;
            return Ok((pending.done()?, text.len() as u64));
        }
        Source::Http { url, login } => (url, login.as_ref(), false),
        Source::S3 { url } => (url, None, true),
    };
    let url: reqwest::Url = url
        .parse()
        .map_err(|error| failed(format!("its address cannot be read: {error}")))?;
    let target = target(&request.destination, &name_of(&url));
    let answer = ask(url, login, is_s3, clock).await?;
    let promised = answer.content_length();
    let mut pending = Pending::create(target, request.is_own)?;
    let mut pieces = answer.bytes_stream();
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| failed(causes(&error.without_url())))?;
        bytes += piece.len() as u64;
        pending.write(&piece)?;
    }
    if promised.is_some_and(|promised| promised != bytes) {
        return Err(failed(format!("only {bytes} bytes came")));
    }
    Ok((pending.done()?, bytes))
}

/// Where an object of S3 lies: at Amazon's, or where the standard variable says.
fn object_url(bucket_and_key: &str) -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let base = set("AWS_ENDPOINT_URL_S3").unwrap_or_else(|| {
        let region = set("AWS_REGION").unwrap_or_else(|| "us-east-1".into());
        format!("https://s3.{region}.amazonaws.com")
    });
    format!("{}/{bucket_and_key}", base.trim_end_matches('/'))
}

/// What lies at an address `https://…` or `s3://bucket/key`, as text of at most so many bytes.
pub(crate) async fn text(address: &str, most: usize, clock: &dyn Clock) -> Result<String, AgentError> {
    let object = address.strip_prefix("s3://").map(object_url);
    let is_amazons = |url: &reqwest::Url| {
        let host = url.host_str().unwrap_or_default();
        host.ends_with(".amazonaws.com") && host.split('.').any(|part| part == "s3")
    };
    let url: reqwest::Url = object
        .as_deref()
        .unwrap_or(address)
        .parse()
        .map_err(|error| failed(format!("its address cannot be read: {error}")))?;
    if object.is_none() && url.scheme() != "https" {
        return Err(failed("its address must begin with https:// or s3://"));
    }
    let is_s3 = object.is_some() || is_amazons(&url);
    let mut pieces = ask(url, None, is_s3, clock).await?.bytes_stream();
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        all.extend_from_slice(&piece.map_err(|error| failed(causes(&error.without_url())))?);
        if all.len() > most {
            return Err(failed(format!("it is larger than {most} bytes")));
        }
    }
    String::from_utf8(all).map_err(|_| failed("it is no text"))
}

/// Asks for what lies at an address; with a signature where it is an object and there are keys.
async fn ask(
    url: reqwest::Url,
    login: Option<&(String, String)>,
    is_s3: bool,
    clock: &dyn Clock,
) -> Result<reqwest::Response, AgentError> {
    let is_signed = url
        .query_pairs()
        .any(|(name, _)| matches!(name.as_ref(), "X-Amz-Algorithm" | "X-Amz-Signature" | "Signature"));
    // S3 takes one signature, not two.
    let keys = if is_s3 && !is_signed { keys() } else { None };
    let url = if is_s3 { encoded(url) } else { url };
    let mut asked = client(keys.is_some())?.get(url.clone());
    if let Some((user, password)) = login {
        asked = asked.basic_auth(user, Some(password));
    }
    if is_s3 {
        let now: String = clock
            .now()
            .rfc3339()
            .chars()
            .filter(|c| !matches!(c, '-' | ':'))
            .collect();
        let now = format!("{}Z", now.split('.').next().unwrap_or_default());
        // Without keys, for objects that everybody may have.
        if let Some(keys) = &keys {
            asked = asked.headers(signed(&url, keys, &now));
        }
    }
    // An address may hold a secret.
    let answer = asked
        .send()
        .await
        .map_err(|error| failed(causes(&error.without_url())))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(failed(format!("its source answered {status}")));
    }
    Ok(answer)
}

/// Downloads what the request in `directory` names.
pub(crate) async fn run(directory: &Path, clock: &dyn Clock) -> Result<(), AgentError> {
    let path = directory.join(REQUEST_FILE);
    let request: Request = files::read_json(&path)
        .map_err(AgentError::file("reading", &path))?
        .ok_or_else(|| AgentError::Worker(format!("{} holds no request", directory.display())))?;
    // It may hold a password.
    let _ = std::fs::remove_file(&path);
    let (target, bytes) = fetch(&request, clock).await?;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "Content downloaded to {} ({bytes} bytes)", target.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_agent_protocol::signing::{parse_authorization, verify};

    #[test]
    fn objects_are_asked_for_with_a_signature() {
        let keys = Credentials {
            access_key_id: "AKIA1".into(),
            secret_access_key: "secret".into(),
            session_token: Some("token".into()),
        };
        let url: reqwest::Url = "https://s3.eu-central-1.amazonaws.com/bucket/a%20b.txt"
            .parse()
            .unwrap();
        let headers = signed(&url, &keys, "20261126T120000Z");
        let authorization = headers["authorization"].to_str().unwrap();
        let parsed = parse_authorization(authorization).unwrap();
        assert_eq!(
            (parsed.region.as_str(), parsed.service.as_str()),
            ("eu-central-1", "s3")
        );
        assert_eq!(headers["x-amz-security-token"], "token");
        let body_hash = sha256_hex(b"");
        let request = SignedRequest {
            method: "GET",
            path: url.path(),
            query: "",
            headers: &headers,
            body_hash: &body_hash,
        };
        assert!(verify(&parsed, "secret", &request, "20261126T120000Z"));
    }

    #[test]
    fn names_and_places_follow_the_address() {
        let of = |url: &str| name_of(&url.parse().unwrap());
        assert_eq!(of("https://a.test/b/app-1.0.tar.gz?token=x"), "app-1.0.tar.gz");
        assert_eq!(of("https://a.test/"), "download");
        assert_eq!(of("https://a.test/b/%2e%2e"), "download");
        assert_eq!(target(Path::new("/opt/app/"), "x"), Path::new("/opt/app/x"));
        assert_eq!(
            target(Path::new("/no/such/file"), "x"),
            Path::new("/no/such/file")
        );
        assert_eq!(target(Path::new("/tmp"), "x"), Path::new("/tmp/x"));
        assert_eq!(region("s3.eu-central-1.amazonaws.com"), "eu-central-1");
        assert_eq!(region("bucket.s3.eu-central-1.amazonaws.com"), "eu-central-1");
    }
}

//! How the server is set: flags, then `MUSTER_*` variables, then a TOML file, then defaults. Whatever is
//! unknown or cannot be read names itself and stops the start.

mod connections;
mod keys;
mod notifications;
mod sessions;
mod sources;

pub use connections::Further;
pub use keys::{CONNECTION_KEYS, KEYS, Key};
pub use sources::{Settings, Source};

use crate::notifications::Channels;
use crate::sessions::SessionPolicy;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Whose endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsmMode {
    /// Our own, in this program.
    Embedded,
    /// AWS's, or another one that is named.
    Aws,
}

/// The settings, read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the portal listens.
    pub addr: SocketAddr,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// How people reach the portal, when not by `addr`: `https://muster.example`.
    pub public_url: Option<String>,
    /// The database; `None` is the SQLite file in the data directory.
    pub database_url: Option<String>,
    /// Where the embedded endpoint listens.
    pub ssm_addr: SocketAddr,
    /// Where else it listens, for nodes that do not reach `ssm_addr`.
    pub ssm_extra_addr: Vec<SocketAddr>,
    /// Where it listens with TLS, if it does.
    pub ssm_tls_addr: Option<SocketAddr>,
    /// The names and addresses in its certificate.
    pub ssm_tls_names: Vec<String>,
    /// Whose endpoint is spoken to.
    pub ssm_mode: SsmMode,
    /// Another endpoint than the region's own.
    pub ssm_endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The embedded endpoint's account number.
    pub account: String,
    /// What the connection is called in the portal.
    pub connection_name: String,
    /// Whether what is behind it is production.
    pub is_production: bool,
    /// The connections beside this one.
    pub further: Vec<Further>,
    /// A role to assume at AWS.
    pub role_arn: Option<String>,
    /// The service role that nodes get at AWS when they are added by activation.
    pub activation_role: String,
    /// A bucket for full output at AWS.
    pub output_bucket: Option<String>,
    /// Where that bucket is reached, when not at S3's own address.
    pub s3_endpoint: Option<String>,
    /// An access key id for an endpoint that is named; normally the SDK finds its own.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<String>,
    /// Minutes without use after which a session ends.
    pub idle_timeout_minutes: u32,
    /// Hours after which a session ends, used or not.
    pub session_hours: u32,
    /// Proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// The key that signs the audit log, when not in the data directory.
    pub audit_key_path: Option<PathBuf>,
    /// Where script, style and fonts are.
    pub site_root: PathBuf,
    /// `text` or `json`.
    pub log_json: bool,
    /// What holds for terminals.
    pub sessions: SessionPolicy,
    /// Where recordings are kept, when not in the data directory.
    pub recording_store: Option<String>,
    /// Where buckets are that the embedded endpoint writes to, when not in the data directory: `s3`, or an address.
    pub bucket_store: Option<String>,
    /// The key of a key management service that seals the embedded endpoint's master key: `aws-kms://alias/muster`.
    pub kms_master_key: Option<String>,
    /// The file that the approval policies are read from, when they are not kept in the database.
    pub approval_policies: Option<PathBuf>,
    /// Where notices go.
    pub notifications: Channels,
    /// Whether this machine becomes a node.
    pub local_node: bool,
    /// Seconds of silence after which a node has lost its connection.
    pub connection_lost_seconds: u32,
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key that nobody knows.
    #[error("{place}: there is no setting `{key}`{hint}")]
    Unknown {
        /// Where it stands.
        place: String,
        /// The key.
        key: String,
        /// What may have been meant.
        hint: String,
    },
    /// A value that cannot be used.
    #[error("{place}: `{key}` cannot be {value:?}: {expected}")]
    Value {
        /// Where it stands.
        place: String,
        /// The key.
        key: String,
        /// The value; masked for secrets.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Config {
    /// Reads and checks `settings`.
    ///
    /// # Errors
    /// The first value that cannot be used, with its place.
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let data_dir = PathBuf::from(settings.text("data_dir"));
        let addresses = |key: &str| -> Result<Vec<SocketAddr>, ConfigError> {
            settings.list(key, "addresses like 10.0.0.1:4580, separated by commas")
        };
        let ssm_mode = match settings.text("ssm_mode").as_str() {
            "embedded" => SsmMode::Embedded,
            "aws" => SsmMode::Aws,
            _ => return Err(settings.wrong("ssm_mode", "use embedded or aws")),
        };
        let log_json = match settings.text("log_format").as_str() {
            "text" => false,
            "json" => true,
            _ => return Err(settings.wrong("log_format", "use text or json")),
        };
        let account = settings.text("account");
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(settings.wrong("account", "an account number has twelve digits"));
        }
        let region = settings.text("region");
        // At AWS itself the profile may say it.
        let may_be_left_out = ssm_mode == SsmMode::Aws && settings.some("ssm_endpoint").is_none();
        let well_formed = region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !well_formed || (region.is_empty() && !may_be_left_out) {
            return Err(settings.wrong("region", "use a region like eu-west-1"));
        }
        let public_url = settings.some("public_url");
        let sessions = settings.sessions()?;
        if public_url
            .as_ref()
            .is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://"))
        {
            return Err(settings.wrong("public_url", "use an address like https://muster.example"));
        }
        let ssm_tls_addr = addresses("ssm_tls_addr")?;
        if ssm_tls_addr.len() > 1 {
            return Err(settings.wrong("ssm_tls_addr", "use one address like 0.0.0.0:4581"));
        }
        let ssm_tls_addr = ssm_tls_addr.first().copied();
        let ssm_tls_names: Vec<String> = settings.list("ssm_tls_names", "names separated by commas")?;
        if !ssm_tls_names.iter().all(|name| is_host(name)) {
            return Err(settings.wrong(
                "ssm_tls_names",
                "use names like muster.example or addresses like 10.0.0.5, without a scheme or port",
            ));
        }
        if ssm_tls_addr.is_some_and(|addr| addr.ip().is_unspecified()) && ssm_tls_names.is_empty() {
            return Err(settings.wrong(
                "ssm_tls_names",
                "ssm_tls_addr listens everywhere, so say by which names nodes reach it",
            ));
        }
        Ok(Self {
            addr: settings.parse("addr", "use an address like 127.0.0.1:3000")?,
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            database_url: settings.some("database_url"),
            ssm_addr: settings.parse("ssm_addr", "use an address like 127.0.0.1:4580")?,
            ssm_extra_addr: addresses("ssm_extra_addr")?,
            ssm_tls_addr,
            ssm_tls_names,
            ssm_mode,
            ssm_endpoint: settings.some("ssm_endpoint"),
            region,
            account,
            connection_name: settings.text("connection_name"),
            is_production: settings.parse("connection_production", "use true or false")?,
            further: settings.further()?,
            role_arn: settings.some("role_arn"),
            activation_role: settings.text("activation_role"),
            output_bucket: settings.some("output_bucket"),
            s3_endpoint: settings.some("s3_endpoint"),
            access_key_id: settings.some("access_key_id"),
            secret_access_key: settings.some("secret_access_key"),
            idle_timeout_minutes: settings.in_range("idle_timeout_minutes", 1, 1_440)?,
            session_hours: settings.in_range("session_hours", 1, 720)?,
            trusted_proxies: settings.list("trusted_proxies", "addresses separated by commas")?,
            audit_key_path: settings.some("audit_key_path").map(PathBuf::from),
            site_root: PathBuf::from(settings.text("site_root")),
            log_json,
            sessions,
            recording_store: settings.some("recording_store"),
            bucket_store: settings.some("bucket_store"),
            kms_master_key: settings.some("kms_master_key"),
            approval_policies: settings.some("approval_policies").map(PathBuf::from),
            notifications: settings.notifications()?,
            local_node: settings.parse("local_node", "use true or false")?,
            connection_lost_seconds: settings.in_range("connection_lost_seconds", 5, 86_400)?,
            data_dir,
        })
    }

    /// Whether people reach the portal over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.public_url
            .as_ref()
            .is_some_and(|url| url.starts_with("https://"))
    }

    /// The database's address.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| self.data_dir.join("muster.db").to_string_lossy().into_owned())
    }
}

/// Whether that can stand in a certificate: a DNS name, a wildcard, or an address.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.parse::<IpAddr>().is_ok()
        || (name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(label))
}

impl Settings {
    fn wrong(&self, key: &str, expected: &str) -> ConfigError {
        let secret = KEYS.iter().any(|known| known.name == key && known.secret);
        ConfigError::Value {
            place: self.place(key),
            key: key.to_owned(),
            value: if secret { "…".into() } else { self.text(key) },
            expected: expected.to_owned(),
        }
    }

    fn some(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    fn parse<T: FromStr>(&self, key: &str, expected: &str) -> Result<T, ConfigError> {
        self.text(key)
            .trim()
            .parse()
            .map_err(|_| self.wrong(key, expected))
    }

    fn list<T: FromStr>(&self, key: &str, expected: &str) -> Result<Vec<T>, ConfigError> {
        let text = self.text(key);
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map_err(|_| self.wrong(key, expected)))
            .collect()
    }

    fn in_range(&self, key: &str, low: u32, high: u32) -> Result<u32, ConfigError> {
        let expected = format!("use a whole number from {low} to {high}");
        let number: u32 = self.parse(key, &expected)?;
        if (low..=high).contains(&number) {
            Ok(number)
        } else {
            Err(self.wrong(key, &expected))
        }
    }
}

//! Further connections: each a table `[connections.NAME]` of the settings file, or variables `MUSTER_CONNECTIONS_NAME_…`. The
//! first one is set by the settings themselves.

use crate::config::keys::{CONNECTION_KEYS, Key};
use crate::config::sources::Source;
use crate::config::{ConfigError, Settings, SsmMode};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// One further connection as it is set.
#[derive(Clone, Debug)]
pub struct Further {
    /// What it is called in the portal.
    pub name: String,
    /// Where its pages are served.
    pub addr: SocketAddr,
    /// How people reach these, when not by `addr`.
    pub public_url: Option<String>,
    /// Whether what is behind it is production.
    pub is_production: bool,
    /// Whose endpoint is spoken to.
    pub ssm_mode: SsmMode,
    /// The region.
    pub region: String,
    /// Another endpoint than the region's own.
    pub ssm_endpoint: Option<String>,
    /// A role to assume at AWS.
    pub role_arn: Option<String>,
    /// The service role that nodes get when they are added by activation.
    pub activation_role: String,
    /// A bucket for full output.
    pub output_bucket: Option<String>,
    /// Where that bucket is reached.
    pub s3_endpoint: Option<String>,
    /// An access key id for an endpoint that is named.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<String>,
}

/// The settings of one further connection with where they come from.
pub(super) type Said = BTreeMap<&'static str, (String, Source)>;

/// Whether a connection can be called that: the name stands in variables, rows and addresses.
pub(super) fn is_name(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len())
        && name.bytes().all(inside)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// The setting of a further connection with that name.
pub(super) fn key(name: &str) -> Option<&'static Key> {
    CONNECTION_KEYS.iter().find(|known| known.name == name)
}

/// Reads the end of a variable's name: `staging_us_role_arn` is `role_arn` of the connection `staging-us`.
pub(super) fn of_variable(rest: &str) -> Option<(String, &'static Key)> {
    let ends = |known: &&Key| {
        rest.strip_suffix(known.name)
            .and_then(|name| name.strip_suffix('_'))
            .is_some_and(|name| !name.is_empty())
    };
    // `ssm_endpoint` ends like no other, but `addr` could be the end of a longer one: the longest counts.
    let known = CONNECTION_KEYS
        .iter()
        .filter(ends)
        .max_by_key(|known| known.name.len())?;
    let name = rest
        .strip_suffix(known.name)?
        .strip_suffix('_')?
        .replace('_', "-");
    is_name(&name).then_some((name, known))
}

/// Where a value stands, for people.
pub(super) fn place(source: &Source) -> String {
    match source {
        Source::Variable => "the environment".into(),
        Source::File(path) => path.display().to_string(),
        _ => "the defaults".into(),
    }
}

struct One<'a> {
    name: &'a str,
    said: &'a Said,
}

impl One<'_> {
    fn text(&self, key: &str) -> String {
        self.said
            .get(key)
            .map(|(value, _)| value.trim().to_owned())
            .unwrap_or_default()
    }

    fn some(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    fn wrong(&self, name: &str, expected: &str) -> ConfigError {
        let is_secret = key(name).is_some_and(|key| key.secret);
        ConfigError::Value {
            place: self
                .said
                .get(name)
                .map_or_else(|| "the settings".into(), |(_, source)| place(source)),
            key: format!("connections.{}.{name}", self.name),
            value: if is_secret { "…".into() } else { self.text(name) },
            expected: expected.to_owned(),
        }
    }

    fn read(&self, main: &Settings) -> Result<Further, ConfigError> {
        let ssm_mode = match self.text("ssm_mode").as_str() {
            "aws" => SsmMode::Aws,
            "embedded" if main.text("ssm_mode") == "embedded" => SsmMode::Embedded,
            "embedded" => {
                return Err(self.wrong(
                    "ssm_mode",
                    "the embedded endpoint runs only with ssm_mode=embedded of the first connection: use aws",
                ));
            }
            _ => return Err(self.wrong("ssm_mode", "use aws or embedded")),
        };
        let region = self.text("region");
        let well_formed = region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if region.is_empty() || !well_formed {
            return Err(self.wrong("region", "use a region like eu-west-1"));
        }
        let public_url = self.some("public_url");
        let is_url = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if !public_url.as_ref().is_none_or(is_url) {
            return Err(self.wrong("public_url", "use an address like https://staging.muster.example"));
        }
        let is_tls = |url: Option<&String>| url.is_some_and(|url| url.starts_with("https://"));
        if is_tls(public_url.as_ref()) != is_tls(main.some("public_url").as_ref()) {
            return Err(self.wrong(
                "public_url",
                "people sign in once for all connections of a host: begin all with https://, or none",
            ));
        }
        Ok(Further {
            name: self.name.to_owned(),
            addr: self.text("addr").parse().map_err(|_| {
                self.wrong("addr", "use an address like 127.0.0.1:3001, another one for each")
            })?,
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            is_production: match self.text("production").as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(self.wrong("production", "use true or false")),
            },
            ssm_mode,
            region,
            ssm_endpoint: self.some("ssm_endpoint"),
            role_arn: self.some("role_arn"),
            activation_role: self.text("activation_role"),
            output_bucket: self.some("output_bucket"),
            s3_endpoint: self.some("s3_endpoint"),
            access_key_id: self.some("access_key_id"),
            secret_access_key: self.some("secret_access_key"),
        })
    }
}

impl Further {
    /// Whether both would show the same nodes.
    fn is_same_place(&self, other: &Self) -> bool {
        self.ssm_mode == other.ssm_mode
            && self.region == other.region
            && self.ssm_endpoint == other.ssm_endpoint
            && self.role_arn == other.role_arn
            && self.access_key_id == other.access_key_id
    }
}

impl Settings {
    /// The connections beside the first.
    pub(super) fn further(&self) -> Result<Vec<Further>, ConfigError> {
        let mut found: Vec<Further> = Vec::new();
        let first = One {
            name: "",
            said: &BTreeMap::new(),
        };
        let first = Further {
            name: self.text("connection_name"),
            addr: self.parse("addr", "use an address like 127.0.0.1:3000")?,
            public_url: None,
            is_production: false,
            ssm_mode: if self.text("ssm_mode") == "aws" {
                SsmMode::Aws
            } else {
                SsmMode::Embedded
            },
            region: self.text("region"),
            ssm_endpoint: self.some("ssm_endpoint"),
            role_arn: self.some("role_arn"),
            activation_role: first.text("activation_role"),
            output_bucket: None,
            s3_endpoint: None,
            access_key_id: self.some("access_key_id"),
            secret_access_key: None,
        };
        for (name, said) in &self.connections {
            let one = One { name, said };
            let further = one.read(self)?;
            for other in found.iter().chain([&first]) {
                if other.name == further.name {
                    return Err(one.wrong(
                        "name",
                        "the first connection is called so (connection_name): use another name",
                    ));
                }
                if other.addr == further.addr && further.addr.port() != 0 {
                    return Err(one.wrong(
                        "addr",
                        "another connection is served there: each has an address of its own",
                    ));
                }
                if other.is_same_place(&further) {
                    return Err(one.wrong(
                        "region",
                        "another connection leads to the same account and region: every node would be there twice",
                    ));
                }
            }
            found.push(further);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.toml");
        std::fs::write(&path, file).unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(&Settings::gather(&BTreeMap::new(), variables, Some(&path))?)
    }

    const STAGING: &str = "[connections.staging-us]\naddr = \"127.0.0.1:3001\"\nregion = \"us-east-1\"\nproduction = true\n\
                           role_arn = \"arn:aws:iam::210987654321:role/Muster\"\n";

    #[test]
    fn tables_and_variables_make_connections() {
        let config = read(
            STAGING,
            &[
                ("MUSTER_CONNECTIONS_STAGING_US_REGION", "us-east-2"),
                ("MUSTER_CONNECTIONS_LAB_ADDR", "127.0.0.1:3002"),
                ("MUSTER_CONNECTIONS_LAB_REGION", "eu-north-1"),
                ("MUSTER_CONNECTIONS_LAB_SSM_MODE", "embedded"),
            ],
        )
        .unwrap();
        let [lab, staging] = config.further.as_slice() else {
            panic!("{:?}", config.further)
        };
        assert_eq!((lab.name.as_str(), lab.ssm_mode), ("lab", SsmMode::Embedded));
        assert_eq!(staging.name, "staging-us");
        assert_eq!(staging.region, "us-east-2", "a variable counts before the file");
        assert!(staging.is_production && staging.ssm_mode == SsmMode::Aws);
        assert_eq!(staging.activation_role, "MusterManagedNodes");
        assert!(read("", &[]).unwrap().further.is_empty());
    }

    #[test]
    fn what_is_wrong_names_the_connection_and_the_setting() {
        for (file, named, hint) in [
            (
                "[connections.staging]\nadr = \"x\"\n",
                "connections.staging.adr",
                "addr",
            ),
            (
                "[connections.Staging]\naddr = \"127.0.0.1:1\"\n",
                "connections.Staging",
                "lower case",
            ),
            (
                "[connections.a]\nregion = \"us-east-1\"\n",
                "connections.a.addr",
                "127.0.0.1:3001",
            ),
            (
                "[connections.a]\naddr = \"127.0.0.1:3001\"\n",
                "connections.a.region",
                "eu-west-1",
            ),
            (
                "[connections.a]\naddr = \"127.0.0.1:3000\"\nregion = \"us-east-1\"\n",
                "connections.a.addr",
                "of its own",
            ),
            (
                "[connections.a]\naddr = \"127.0.0.1:3001\"\nregion = \"eu-west-1\"\nssm_mode = \"embedded\"\n",
                "connections.a.region",
                "twice",
            ),
            (
                "[connections.a]\naddr = \"127.0.0.1:3001\"\nregion = \"us-east-1\"\npublic_url = \"https://a.example\"\n",
                "connections.a.public_url",
                "https://",
            ),
            (
                "[connections.default]\naddr = \"127.0.0.1:3001\"\nregion = \"us-east-1\"\n",
                "connections.default.name",
                "another name",
            ),
            (
                "[connections.a]\naddr = \"127.0.0.1:3001\"\nregion = \"us-east-1\"\nproduction = \"perhaps\"\n",
                "connections.a.production",
                "true or false",
            ),
            (
                "ssm_mode = \"aws\"\n[connections.a]\naddr = \"127.0.0.1:3001\"\nregion = \"us-east-1\"\nssm_mode = \"embedded\"\n",
                "connections.a.ssm_mode",
                "use aws",
            ),
            ("connections = 3\n", "connections", "[connections.NAME]"),
        ] {
            let error = read(file, &[]).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains(hint), "{file}: {error}");
        }
        let error = read("", &[("MUSTER_CONNECTIONS_A_ADR", "x")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("MUSTER_CONNECTIONS_A_ADR"), "{error}");
    }

    #[test]
    fn its_secret_is_not_printed() {
        let variables = [
            ("MUSTER_CONNECTIONS_A_SECRET_ACCESS_KEY", "hunter2"),
            ("MUSTER_CONNECTIONS_A_REGION", "us-east-1"),
        ];
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let printed = Settings::gather(&BTreeMap::new(), variables, None)
            .unwrap()
            .print();
        assert!(!printed.contains("hunter2"));
        assert!(printed.contains("[connections.a]") && printed.contains("secret_access_key = \"…\""));
        assert!(printed.contains("region = \"us-east-1\""));
    }
}

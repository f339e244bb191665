//! Where settings come from, and which of several counts.

use crate::config::ConfigError;
use crate::config::connections::{self, Said};
use crate::config::keys::{CONNECTION_KEYS, KEYS, Key};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag on the command line.
    Flag,
    /// A variable of the environment.
    Variable,
    /// A variable that AWS's own tools read.
    AwsVariable,
    /// The settings file.
    File(PathBuf),
    /// Nowhere: the default.
    Default,
}

/// All settings with their values and where these come from.
#[derive(Clone, Debug)]
pub struct Settings {
    values: BTreeMap<&'static str, (String, Source)>,
    /// What is said of each further connection, by its name.
    pub(super) connections: BTreeMap<String, Said>,
}

/// Everything of one connection as it is when nobody says anything.
fn nothing_said() -> Said {
    CONNECTION_KEYS
        .iter()
        .map(|key| (key.name, (key.default.to_owned(), Source::Default)))
        .collect()
}

/// Where AWS's tools read the region from, the first first.
const AWS_REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// The variable of a setting.
#[must_use]
pub(super) fn variable(name: &str) -> String {
    format!("MUSTER_{}", name.to_ascii_uppercase())
}

/// Variables that begin like settings and are none: `muster tunnel` reads the first two, and the agent sets the last ones in
/// terminals and for scripts, in which `muster` may be called too.
const NO_SETTINGS: [&str; 9] = [
    "MUSTER_TOKEN",
    "MUSTER_PORTAL",
    "MUSTER_CONFIG",
    "MUSTER_LOG",
    "MUSTER_ACTIVATION_CODE",
    "MUSTER_SESSION_ID",
    "MUSTER_SNAPSHOT_ID",
    "MUSTER_SNAPSHOT_DESCRIPTION",
    "MUSTER_REBOOTS",
];

/// Whether a variable that begins like a setting is read elsewhere.
fn is_foreign(name: &str) -> bool {
    name.starts_with("MUSTER_TEST_") || name.starts_with("MUSTER_AGENT_") || NO_SETTINGS.contains(&name)
}

/// How alike two names must be to be taken for a slip of the fingers, from 0 to 1; clap asks for the same.
const ALIKE: f64 = 0.7;

fn unknown(place: String, key: &str) -> ConfigError {
    unknown_of(KEYS, place, key, key)
}

fn unknown_of(known: &[Key], place: String, key: &str, whole: &str) -> ConfigError {
    let alike = |name: &str| strsim::jaro_winkler(name, &key.to_ascii_lowercase());
    let near = known
        .iter()
        .filter(|known| alike(known.name) > ALIKE)
        .max_by(|one, other| alike(one.name).total_cmp(&alike(other.name)));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{}`?", near.name));
    ConfigError::Unknown {
        place,
        key: whole.to_owned(),
        hint,
    }
}

/// Takes in the tables `[connections.NAME]` of a settings file.
fn take_tables(
    connections: &mut BTreeMap<String, Said>,
    path: &Path,
    value: &toml::Value,
) -> Result<(), ConfigError> {
    let wrong = |key: String, value: &toml::Value, expected: &str| ConfigError::Value {
        place: path.display().to_string(),
        key,
        // What stands there may be a secret in the wrong place.
        value: value.type_str().to_owned(),
        expected: expected.to_owned(),
    };
    let tables = value.as_table().ok_or_else(|| {
        wrong(
            "connections".into(),
            value,
            "write a table [connections.NAME] for each",
        )
    })?;
    for (name, value) in tables {
        let whole = format!("connections.{name}");
        if !connections::is_name(name) {
            let expected = "call it in lower case letters, digits and dashes, 32 at most";
            return Err(wrong(whole, value, expected));
        }
        let table = value
            .as_table()
            .ok_or_else(|| wrong(whole.clone(), value, "write a table [connections.NAME] for each"))?;
        let said = connections.entry(name.clone()).or_insert_with(nothing_said);
        for (key, value) in table {
            let known = connections::key(key).ok_or_else(|| {
                let place = path.display().to_string();
                unknown_of(CONNECTION_KEYS, place, key, &format!("{whole}.{key}"))
            })?;
            said.insert(known.name, (plain(value), Source::File(path.to_owned())));
        }
    }
    Ok(())
}

/// A value as it is written in a flag or a variable.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Settings {
    /// Puts the sources together. `file` must exist when it is named; else `muster.toml` in the data directory
    /// is read where there is one.
    ///
    /// # Errors
    /// When a source holds something that nobody knows, or the file cannot be read.
    pub fn gather(
        flags: &BTreeMap<String, String>,
        environment: impl Iterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let mut values: BTreeMap<&'static str, (String, Source)> = KEYS
            .iter()
            .map(|key| (key.name, (key.default.to_owned(), Source::Default)))
            .collect();
        let mut from_environment = BTreeMap::new();
        let mut connections = BTreeMap::new();
        let mut of_connections = Vec::new();
        let mut aws_region = [None, None];
        for (name, value) in environment {
            if let Some(place) = AWS_REGION.iter().position(|known| *known == name)
                && let Some(region) = aws_region.get_mut(place)
            {
                *region = Some(value.clone()).filter(|value| !value.is_empty());
            }
            if !name.starts_with("MUSTER_") || is_foreign(&name) {
                continue;
            }
            let key = name.trim_start_matches("MUSTER_").to_ascii_lowercase();
            if let Some(rest) = key.strip_prefix("connections_") {
                let found = connections::of_variable(rest)
                    .ok_or_else(|| unknown(format!("the variable {name}"), &key))?;
                of_connections.push((found, value));
                continue;
            }
            let known = KEYS
                .iter()
                .find(|known| known.name == key)
                .ok_or_else(|| unknown(format!("the variable {name}"), &key))?;
            from_environment.insert(known.name, value);
        }
        let data_dir = flags
            .get("data_dir")
            .or_else(|| from_environment.get("data_dir"))
            .map_or_else(|| PathBuf::from("./data"), PathBuf::from);
        let in_data = data_dir.join("muster.toml");
        let path = file
            .map(Path::to_owned)
            .or_else(|| in_data.is_file().then_some(in_data));
        if let Some(path) = path {
            for (key, value) in read_file(&path)? {
                if key == "connections" {
                    take_tables(&mut connections, &path, &value)?;
                    continue;
                }
                let value = plain(&value);
                let known = KEYS
                    .iter()
                    .find(|known| known.name == key)
                    .ok_or_else(|| unknown(path.display().to_string(), &key))?;
                values.insert(known.name, (value, Source::File(path.clone())));
            }
        }
        for ((name, key), value) in of_connections {
            let said = connections.entry(name).or_insert_with(nothing_said);
            said.insert(key.name, (value, Source::Variable));
        }
        for (name, value) in from_environment {
            values.insert(name, (value, Source::Variable));
        }
        for (name, value) in flags {
            let known = KEYS
                .iter()
                .find(|known| known.name == name)
                .ok_or_else(|| unknown("the command line".into(), name))?;
            values.insert(known.name, (value.clone(), Source::Flag));
        }
        // At AWS its own variables say the region where Muster's do not. The embedded endpoint's region must not
        // hang on them: nodes that are registered would be somewhere else.
        let is = |key: &str, value: &str| values.get(key).is_some_and(|(set, _)| set == value);
        let is_aws = is("ssm_mode", "aws") && is("ssm_endpoint", "");
        let is_default = |(_, source): &(String, Source)| matches!(source, Source::Default);
        if is_aws && values.get("region").is_some_and(is_default) {
            // Where they say nothing, the profile may: the SDK looks there.
            let (region, source) = match aws_region {
                [Some(region), _] | [None, Some(region)] => (region, Source::AwsVariable),
                [None, None] => (String::new(), Source::Default),
            };
            values.insert("region", (region, source));
        }
        Ok(Self { values, connections })
    }

    /// A value as text.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.values
            .get(key)
            .map(|(value, _)| value.clone())
            .unwrap_or_default()
    }

    /// Where a value stands, for people.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        match self.values.get(key).map(|(_, source)| source) {
            Some(Source::Flag) => format!("the flag --{}", key.replace('_', "-")),
            Some(Source::Variable) => format!("the variable {}", variable(key)),
            Some(Source::AwsVariable) => format!("the variables {}", AWS_REGION.join(" and ")),
            Some(Source::File(path)) => path.display().to_string(),
            _ => "the defaults".into(),
        }
    }

    /// All settings as TOML with their sources, secrets masked.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = String::new();
        for key in KEYS {
            let value = self.text(key.name);
            let shown = if key.secret && !value.is_empty() {
                "…".to_owned()
            } else {
                value
            };
            text.push_str(&format!(
                "{} = {shown:?}  # {}; {}\n",
                key.name,
                self.place(key.name),
                key.help
            ));
        }
        for (name, said) in &self.connections {
            text.push_str(&format!("\n[connections.{name}]\n"));
            for key in CONNECTION_KEYS {
                let Some((value, source)) = said.get(key.name) else {
                    continue;
                };
                let shown = if key.secret && !value.is_empty() {
                    "…"
                } else {
                    value
                };
                let place = connections::place(source);
                text.push_str(&format!("{} = {shown:?}  # {place}; {}\n", key.name, key.help));
            }
        }
        text
    }
}

fn read_file(path: &Path) -> Result<toml::Table, ConfigError> {
    let wrong = |reason: String| ConfigError::File {
        path: path.display().to_string(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    text.parse()
        .map_err(|error: toml::de::Error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_region_of_aws_tools_counts_at_aws_only_and_last() {
        let environment = |pairs: &[(&str, &str)]| map(pairs).into_iter();
        let region = |flags: &[(&str, &str)], variables: &[(&str, &str)]| {
            let settings = Settings::gather(&map(flags), environment(variables), None).unwrap();
            (settings.text("region"), settings.place("region"))
        };
        let both = [
            ("AWS_DEFAULT_REGION", "us-east-2"),
            ("AWS_REGION", "eu-central-1"),
        ];
        assert_eq!(
            region(&[], &both).0,
            "eu-west-1",
            "the embedded endpoint stays where it is"
        );
        let aws = ("ssm_mode", "aws");
        let (found, place) = region(&[aws], &both);
        assert_eq!(found, "eu-central-1");
        assert!(place.contains("AWS_REGION"), "{place}");
        assert_eq!(region(&[aws], &both[..1]).0, "us-east-2");
        assert_eq!(region(&[aws], &[]).0, "", "left to the profile");
        assert_eq!(region(&[aws, ("region", "sa-east-1")], &both).0, "sa-east-1");
    }

    #[test]
    fn a_listener_with_tls_needs_names_that_can_stand_in_a_certificate() {
        let read = |addr: &str, names: &str| {
            let flags = map(&[("ssm_tls_addr", addr), ("ssm_tls_names", names)]);
            Config::read(&Settings::gather(&flags, std::iter::empty(), None).unwrap())
        };
        let config = read("0.0.0.0:4581", "muster.example, *.fleet.example,10.0.0.5").unwrap();
        assert_eq!(
            config.ssm_tls_names,
            ["muster.example", "*.fleet.example", "10.0.0.5"]
        );
        assert!(read("", "").unwrap().ssm_tls_addr.is_none());
        assert!(read("10.0.0.5:4581", "").is_ok());
        for (addr, names) in [
            ("0.0.0.0:4581", ""),
            ("0.0.0.0:4581", "https://muster.example"),
            ("0.0.0.0:4581", "muster.example:4581"),
            ("0.0.0.0:4581", "-x"),
            ("everywhere", "muster.example"),
            ("10.0.0.5:4581,10.0.0.6:4581", ""),
        ] {
            assert!(read(addr, names).is_err(), "{addr} {names}");
        }
    }

    #[test]
    fn flags_win_over_variables_over_the_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m.toml");
        std::fs::write(&file, "region = \"us-east-1\"\nsession_hours = 3\nlocal_node = false\ntrusted_proxies = [\"10.0.0.1\"]\n").unwrap();
        let environment = map(&[
            ("MUSTER_REGION", "eu-north-1"),
            ("MUSTER_SESSION_HOURS", "4"),
            ("MUSTER_TEST_X", "y"),
            // What `muster tunnel` reads, and what a terminal on a node has.
            ("MUSTER_TOKEN", "t"),
            ("MUSTER_PORTAL", "http://localhost"),
            ("MUSTER_SESSION_ID", "s"),
            ("PATH", "z"),
        ]);
        let settings = Settings::gather(
            &map(&[("session_hours", "5")]),
            environment.into_iter(),
            Some(&file),
        )
        .unwrap();
        let config = Config::read(&settings).unwrap();
        assert_eq!(
            (config.region.as_str(), config.session_hours, config.local_node),
            ("eu-north-1", 5, false)
        );
        assert_eq!(config.trusted_proxies.len(), 1);
        assert_eq!(config.addr.port(), 3000);
    }

    #[test]
    fn what_is_wrong_names_itself_and_its_place() {
        let none = || std::iter::empty();
        let error = Settings::gather(&map(&[("adr", "x")]), none(), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("adr") && error.contains("command line"), "{error}");
        assert!(error.contains("did you mean `addr`?"), "{error}");
        let error = Settings::gather(
            &BTreeMap::new(),
            map(&[("MUSTER_SESION_HOURS", "1")]).into_iter(),
            None,
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains("MUSTER_SESION_HOURS"), "{error}");
        assert!(error.contains("did you mean `session_hours`?"), "{error}");
        let nothing_alike = map(&[("MUSTER_QQQQ", "1")]);
        let error = Settings::gather(&BTreeMap::new(), nothing_alike.into_iter(), None);
        assert!(!error.unwrap_err().to_string().contains("did you mean"));
        for (key, value) in [
            ("addr", "here"),
            ("session_hours", "0"),
            ("ssm_mode", "gcp"),
            ("account", "12"),
            ("local_node", "maybe"),
        ] {
            let settings = Settings::gather(&map(&[(key, value)]), none(), None).unwrap();
            let error = Config::read(&settings).unwrap_err().to_string();
            assert!(
                error.contains(key) && error.contains(value) && error.contains("flag --"),
                "{error}"
            );
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings = Settings::gather(
            &map(&[("database_url", "postgres://u:hunter2@h/d")]),
            std::iter::empty(),
            None,
        )
        .unwrap();
        assert!(!settings.print().contains("hunter2"));
        assert!(settings.print().contains("database_url = \"…\""));
    }
}

//! All settings as flags, made from the one list of settings.

use super::Failure;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use muster_server::config::{Config, KEYS, Settings};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::PathBuf;

/// Which settings a subcommand reads: it takes and shows the flags of those, and no others. What stands in
/// variables and in the file is for all subcommands, and checked by each.
pub(crate) trait Reads {
    /// Their names.
    fn reads(name: &str) -> bool;
}

/// Everything, as the portal does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Everything;

impl Reads for Everything {
    fn reads(_: &str) -> bool {
        true
    }
}

/// The settings of the embedded endpoint alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TheEndpoint;

impl Reads for TheEndpoint {
    fn reads(name: &str) -> bool {
        TheLog::reads(name)
            || matches!(
                name,
                "ssm_addr"
                    | "ssm_extra_addr"
                    | "ssm_tls_addr"
                    | "ssm_tls_names"
                    | "region"
                    | "account"
                    | "connection_lost_seconds"
                    | "log_format"
            )
    }
}

/// Where the database is, and what signs the audit log: for whatever is done behind the door.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TheLog;

impl Reads for TheLog {
    fn reads(name: &str) -> bool {
        TheDatabase::reads(name) || name == "audit_key_path"
    }
}

/// The same, and how people reach the portal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TheLink;

impl Reads for TheLink {
    fn reads(name: &str) -> bool {
        TheLog::reads(name) || matches!(name, "addr" | "public_url")
    }
}

/// Where the database is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TheDatabase;

impl Reads for TheDatabase {
    fn reads(name: &str) -> bool {
        TheDirectory::reads(name) || name == "database_url"
    }
}

/// Where the endpoint is that runs beside this command, and in which region and account.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThePlace;

impl Reads for ThePlace {
    fn reads(name: &str) -> bool {
        TheDirectory::reads(name) || matches!(name, "ssm_addr" | "region" | "account")
    }
}

/// Where recordings are: the data directory, or a bucket and how it is reached.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TheRecordings;

impl Reads for TheRecordings {
    fn reads(name: &str) -> bool {
        TheDirectory::reads(name)
            || matches!(
                name,
                "recording_store"
                    | "s3_endpoint"
                    | "region"
                    | "ssm_mode"
                    | "ssm_endpoint"
                    | "role_arn"
                    | "access_key_id"
                    | "secret_access_key"
            )
    }
}

/// Where everything is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TheDirectory;

impl Reads for TheDirectory {
    fn reads(name: &str) -> bool {
        name == "data_dir"
    }
}

/// The flags that were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingsArgs<R> {
    flags: BTreeMap<String, String>,
    file: Option<PathBuf>,
    reads: PhantomData<R>,
}

impl<R: Reads> Args for SettingsArgs<R> {
    fn augment_args(command: Command) -> Command {
        let command = command.arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .env("MUSTER_CONFIG")
                .help("Read settings from this TOML file")
                .help_heading("Settings"),
        );
        KEYS.iter()
            .filter(|key| R::reads(key.name))
            .fold(command, |command, key| {
                let help = if key.default.is_empty() {
                    key.help.to_owned()
                } else {
                    format!("{} [default: {}]", key.help, key.default)
                };
                command.arg(
                    Arg::new(key.name)
                        .long(key.name.replace('_', "-"))
                        .value_name("VALUE")
                        .help(help)
                        .help_heading("Settings"),
                )
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<R: Reads> FromArgMatches for SettingsArgs<R> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = KEYS
            .iter()
            .filter(|key| R::reads(key.name))
            .filter_map(|key| Some((key.name.to_owned(), matches.get_one::<String>(key.name)?.clone())))
            .collect();
        Ok(Self {
            flags,
            file: matches.get_one::<String>("config").map(PathBuf::from),
            reads: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<R> SettingsArgs<R> {
    /// All settings with their sources.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let mut environment: Vec<(String, String)> = std::env::vars().collect();
        // The builder tells where it put the pages' files; whoever sets it for Muster knows better.
        if let Ok(site) = std::env::var("LEPTOS_SITE_ROOT")
            && !environment.iter().any(|(name, _)| name == "MUSTER_SITE_ROOT")
        {
            environment.push(("MUSTER_SITE_ROOT".into(), site));
        }
        Ok(Settings::gather(
            &self.flags,
            environment.into_iter(),
            self.file.as_deref(),
        )?)
    }

    /// The settings, read and checked.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Ok(Config::read(&self.settings()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_subcommand_reads_is_a_setting() {
        let read = |reads: fn(&str) -> bool| KEYS.iter().filter(|key| reads(key.name)).count();
        assert_eq!(read(Everything::reads), KEYS.len());
        assert_eq!(
            read(TheEndpoint::reads),
            11,
            "a name in the list is no setting any more"
        );
        assert_eq!(read(TheLink::reads), 5);
        assert_eq!(read(TheLog::reads), 3);
        assert_eq!(read(TheDatabase::reads), 2);
        assert_eq!(read(ThePlace::reads), 4);
        assert_eq!(read(TheRecordings::reads), 9);
        assert_eq!(read(TheDirectory::reads), 1);
    }
}

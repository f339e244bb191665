//! All settings as flags, made from the one list of settings.

use super::Failure;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use muster_server::config::{Config, KEYS, Settings};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The flags that were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingsArgs {
    flags: BTreeMap<String, String>,
    file: Option<PathBuf>,
}

impl Args for SettingsArgs {
    fn augment_args(command: Command) -> Command {
        let command = command.arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .env("MUSTER_CONFIG")
                .help("Read settings from this TOML file")
                .help_heading("Settings"),
        );
        KEYS.iter().fold(command, |command, key| {
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

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = KEYS
            .iter()
            .filter_map(|key| Some((key.name.to_owned(), matches.get_one::<String>(key.name)?.clone())))
            .collect();
        Ok(Self {
            flags,
            file: matches.get_one::<String>("config").map(PathBuf::from),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl SettingsArgs {
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

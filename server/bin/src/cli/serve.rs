//! `serve`, `control-plane` and `migrate`.

use super::settings::{Everything, SettingsArgs, TheDatabase, TheEndpoint};
use super::{Failure, say};
use clap::Args;
use muster::start::{self, audit_log, control_plane, database};
use muster::{data_dir, endpoint};
use muster_domain::system::{SystemClock, SystemRandom};
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// `muster serve`.
#[derive(Args)]
#[command(after_help = "Examples:
  muster serve                                       SQLite in ./data, embedded endpoint, this machine as a node
  muster serve --data-dir /var/lib/muster --public-url https://muster.example
  MUSTER_DATABASE_URL=postgres://muster@db/muster muster serve
  muster serve --ssm-mode aws --region eu-central-1 --role-arn arn:aws:iam::111122223333:role/Muster")]
pub(crate) struct ServeArgs {
    /// Show all settings with their sources, secrets masked, and end
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    settings: SettingsArgs<Everything>,
}

/// `muster control-plane`.
#[derive(Args)]
#[command(after_help = "Example:
  muster control-plane --data-dir /var/lib/muster-ssm --ssm-addr 10.0.0.5:4580
  then, where the portal runs, with the key that `muster keys --portal` shows:
  muster serve --ssm-mode aws --ssm-endpoint http://10.0.0.5:4580 --access-key-id AKIA… --secret-access-key …")]
pub(crate) struct ControlPlaneArgs {
    #[command(flatten)]
    settings: SettingsArgs<TheEndpoint>,
}

/// `muster migrate`.
#[derive(Args)]
#[command(
    after_help = "Make a backup first: a newer schema cannot be taken back.\nExample:\n  muster migrate --data-dir /var/lib/muster"
)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    settings: SettingsArgs<TheDatabase>,
}

/// Begins logging to standard error; `MUSTER_LOG` filters as in `info,muster_server=debug`.
pub(crate) fn log(json: bool) {
    let filter = EnvFilter::try_from_env("MUSTER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second call in one process finds the first one's logger, which is fine.
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.with_target(false).try_init()
    };
}

/// Waits until somebody asks the program to end.
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

impl ServeArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let settings = self.settings.settings()?;
        let config = muster_server::config::Config::read(&settings)?;
        if self.print_config {
            say(settings.print().trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        log(config.log_json);
        let running = start::start(config).await?;
        if let Some(addr) = running.ssm_addr {
            say(&format!(
                "Systems Manager endpoint: http://{addr} (region {}; `muster keys` shows how to use it)",
                running.region
            ));
        }
        if let Some(link) = &running.setup_link {
            say(&format!("Create the first administrator within 24 hours: {link}"));
        }
        for (name, url) in &running.further {
            say(&format!("The connection {name}: {url}"));
        }
        say(&format!("Muster is ready: {}", running.url));
        ended().await;
        say("Stopping; commands that run on nodes go on.");
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl ControlPlaneArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let config = self.settings.config()?;
        log(config.log_json);
        let _hold = data_dir::hold(&config.data_dir)?;
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let db = database(&config, clock.as_ref()).await?;
        let audit = audit_log(&config, &db, clock.clone(), random.clone())?;
        let plane = control_plane(&config, &db, clock.clone(), random, Arc::clone(&audit)).await?;
        let stop = CancellationToken::new();
        let mut addresses = vec![config.ssm_addr];
        addresses.extend(&config.ssm_extra_addr);
        let mut first = None;
        for addr in addresses {
            let (listener, addr) = endpoint::listen(addr).await?;
            first.get_or_insert(addr);
            drop(endpoint::serve(listener, plane.router(), stop.clone()));
            say(&format!(
                "Systems Manager endpoint: http://{addr} (region {})",
                config.region
            ));
        }
        if let Some((addr, _)) = endpoint::serve_over_tls(&config, &plane, clock, &stop).await? {
            say(&format!(
                "Systems Manager endpoint with TLS: https://{addr} (see `muster ca`)"
            ));
        }
        let addr = first.unwrap_or(config.ssm_addr);
        data_dir::tell(
            &config.data_dir,
            &data_dir::Whereabouts {
                addr,
                ssm_addr: Some(addr),
            },
        )?;
        let background = tokio::spawn(plane.run_background(stop.clone()));
        say(&format!("Muster is ready: http://{addr}"));
        ended().await;
        stop.cancel();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), background).await;
        audit.close().await;
        db.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl MigrateArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let config = self.settings.config()?;
        data_dir::make(&config.data_dir)?;
        let db = muster_store::Db::open(&muster_store::db::Address::parse(&config.database())?).await?;
        let now = muster_domain::time::Clock::now(&SystemClock).rfc3339();
        let done = muster_store::migrate::migrate(&db, &now).await?;
        let version = muster_store::migrate::known_version();
        if done.is_empty() {
            say(&format!("The database is of version {version} already."));
        } else {
            let done: Vec<String> = done.iter().map(ToString::to_string).collect();
            say(&format!(
                "Brought the database to version {version}: ran {}.",
                done.join(", ")
            ));
        }
        db.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

//! `tunnel`: a port of a node on this machine, through the portal; and `token`: what such programs sign in with.

use super::settings::{SettingsArgs, TheLog};
use super::users::Desk;
use super::{Failure, say};
use clap::{Args, Subcommand};
use muster::tunnel::{Portal, Tunnel, Wanted};
use muster_domain::access::CreateToken;
use std::net::IpAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;

/// `muster tunnel`.
#[derive(Args)]
#[command(after_help = "Examples:
  export MUSTER_TOKEN=…            a token from Settings → API tokens, or from `muster token create`
  muster tunnel --portal https://muster.example --node mi-0123456789abcdef0 --remote-port 5432
  muster tunnel --node mi-0123456789abcdef0 --remote-host db.internal --remote-port 5432 --local-port 15432

Every connection is carried through Systems Manager's own session; who opened what, and how many bytes went each
way, is in the audit log.")]
pub(crate) struct TunnelArgs {
    /// Where the portal is
    #[arg(
        long,
        env = "MUSTER_PORTAL",
        default_value = "http://127.0.0.1:3000",
        value_name = "URL"
    )]
    portal: String,
    /// Through which node
    #[arg(long, value_name = "ID")]
    node: String,
    /// To which port
    #[arg(long, value_name = "PORT")]
    remote_port: u16,
    /// Of which host, as the node reaches it; without it, of the node itself
    #[arg(long, default_value = "", value_name = "HOST")]
    remote_host: String,
    /// On which port of this machine; 0 for any that is free
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    local_port: u16,
    /// On which address of this machine
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    bind: IpAddr,
    /// What for
    #[arg(long, default_value = "")]
    reason: String,
}

impl TunnelArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Not an argument: arguments can be read by everybody on the machine.
        let token = std::env::var("MUSTER_TOKEN").unwrap_or_default();
        if token.is_empty() {
            return Err("MUSTER_TOKEN is not set: make a token in the portal under Settings → API tokens, or with `muster token create`".into());
        }
        let portal = Portal {
            url: self.portal.trim_end_matches('/').to_owned(),
            token,
        };
        let listener = TcpListener::bind((self.bind, self.local_port)).await?;
        let local = listener.local_addr()?;
        let wanted = Wanted {
            node: self.node,
            port: self.remote_port,
            host: self.remote_host,
            reason: self.reason,
        };
        let tunnel = Tunnel::open(portal, &wanted).await?;
        let host = if wanted.host.is_empty() {
            &wanted.node
        } else {
            &wanted.host
        };
        say(&format!(
            "{local} leads to port {} of {host} (session {}). Ctrl-C ends it.",
            wanted.port,
            tunnel.session()
        ));
        tokio::select! {
            ended = tunnel.carry(listener) => {
                say(&format!("The tunnel is closed. {}", ended?));
                Ok(ExitCode::SUCCESS)
            }
            _ = tokio::signal::ctrl_c() => {
                tunnel.end().await?;
                say("The tunnel is closed.");
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// `muster token`.
#[derive(Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token for a user and print it, once
    #[command(after_help = "Example:
  export MUSTER_TOKEN=$(muster token create alice --name laptop --days 30)")]
    Create {
        /// Whose it is
        user: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days until it ends
        #[arg(long, default_value_t = 30)]
        days: u32,
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
}

impl TokenArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let TokenCommand::Create {
            user,
            name,
            days,
            settings,
        } = self.command;
        let desk = Desk::open(&settings).await?;
        let made = desk
            .access
            .create_token_for(&desk.actor, &user, CreateToken { name, days })
            .await;
        Ok(desk.close(&made?.secret).await)
    }
}

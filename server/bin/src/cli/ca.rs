//! `ca`: the certificate that nodes have to trust when they reach the embedded endpoint over TLS.

use super::settings::{SettingsArgs, TheDirectory};
use super::{Failure, say};
use clap::Args;
use muster_control_plane::tls::Authority;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use std::process::ExitCode;

/// `muster ca`.
#[derive(Args)]
#[command(
    after_help = r#"The endpoint listens with TLS where ssm_tls_addr says, with a certificate for ssm_tls_names:
  muster serve --ssm-tls-addr 0.0.0.0:4581 --ssm-tls-names muster.example,10.0.0.5

Nodes must trust this authority. For Muster's own agent:
  muster ca > muster-ca.pem
  muster agent register --endpoint https://muster.example:4581 --ca-file muster-ca.pem …

For Amazon's agent, unmodified, put the file on the node and name it in the agent's environment, because the agent has
no setting for it (with systemd: systemctl edit amazon-ssm-agent):
  [Service]
  Environment=SSL_CERT_FILE=/etc/amazon/ssm/muster-ca.pem

and tell the agent where the endpoint is, in /etc/amazon/ssm/amazon-ssm-agent.json. Write Mgs with https:// and the port;
Ssm and Mds may be the same address, or the one without TLS:
  {
    "Profile": {"ShareCreds": true, "KeyAutoRotateDays": 0},
    "Ssm": {"Endpoint": "https://muster.example:4581"},
    "Mds": {"Endpoint": "https://muster.example:4581"},
    "Mgs": {"Region": "eu-west-1", "Endpoint": "https://muster.example:4581"},
    "Agent": {"Region": "eu-west-1"},
    "Identity": {"ConsumptionOrder": ["OnPrem"]}
  }

Then, with an activation of `muster activation create`:
  SSL_CERT_FILE=/etc/amazon/ssm/muster-ca.pem amazon-ssm-agent -register -code … -id … -region eu-west-1

SSL_CERT_FILE takes the place of the node's own list of authorities for this agent: where it has to reach AWS as well
(S3, say), put both into one file. Whoever has ca-key.pem from the data directory can be this endpoint for your nodes:
keep it as you keep the database."#
)]
pub(crate) struct CaArgs {
    /// Print the file's path instead of the certificate
    #[arg(long)]
    path: bool,
    #[command(flatten)]
    settings: SettingsArgs<TheDirectory>,
}

impl CaArgs {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let config = self.settings.config()?;
        let authority = Authority::open(&config.data_dir, SystemClock.now())?;
        if self.path {
            say(&authority.pem_path().display().to_string());
        } else {
            say(authority.pem().trim_end());
        }
        Ok(ExitCode::SUCCESS)
    }
}

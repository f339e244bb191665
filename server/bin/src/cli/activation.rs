//! `activation` and `keys`: joining as a node, and using the embedded endpoint with other clients.

use super::settings::{SettingsArgs, ThePlace};
use super::{Failure, say};
use aws_sdk_ssm::types::Tag;
use clap::{Args, Subcommand};
use muster::data_dir;
use muster_domain::ids::ConnectionId;
use muster_domain::system::SystemClock;
use muster_domain::time::Clock as _;
use muster_server::aws::{Connection, Ssm};
use muster_server::config::Config;
use std::process::ExitCode;

/// `muster keys`.
#[derive(Args)]
#[command(after_help = "Example:
  eval \"$(muster keys)\" && aws ssm describe-instance-information")]
pub(crate) struct KeysArgs {
    /// The key that a portal elsewhere signs with
    #[arg(long)]
    portal: bool,
    #[command(flatten)]
    settings: SettingsArgs<ThePlace>,
}

/// `muster activation`.
#[derive(Args)]
pub(crate) struct ActivationArgs {
    #[command(subcommand)]
    command: ActivationCommand,
}

#[derive(Subcommand)]
enum ActivationCommand {
    /// Make an activation at the running server's endpoint, and print it as JSON
    ///
    /// The code is shown this once: whoever has it can join as a node until it expires.
    #[command(after_help = "Example:
  muster activation create --limit 10 --hours 24 --tag Environment=Staging --tag Team=web")]
    Create {
        /// How many nodes may join
        #[arg(long, default_value_t = 1)]
        limit: i32,
        /// For how many hours
        #[arg(long, default_value_t = 24)]
        hours: i64,
        /// A tag that joining nodes get; may be repeated
        #[arg(long = "tag", value_name = "KEY=VALUE")]
        tags: Vec<String>,
        /// The name that joining nodes get
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: SettingsArgs<ThePlace>,
    },
}

/// An access key out of the file that the embedded endpoint made.
fn key(config: &Config, holder: &str) -> Result<(String, String), Failure> {
    let path = config.data_dir.join("ssm-keys.json");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!(
            "{} cannot be read ({error}): the keys are made when the server starts for the first time",
            path.display()
        )
    })?;
    let keys: serde_json::Value = serde_json::from_str(&text)?;
    let field = |name: &str| {
        keys[holder][name]
            .as_str()
            .map(str::to_owned)
            .ok_or("the keys file is damaged: restore it from the backup")
    };
    Ok((field("access_key_id")?, field("secret_access_key")?))
}

fn endpoint(config: &Config) -> String {
    let addr = data_dir::find(&config.data_dir)
        .and_then(|found| found.ssm_addr)
        .unwrap_or(config.ssm_addr);
    format!("http://{addr}")
}

impl KeysArgs {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let config = self.settings.config()?;
        let (id, secret) = key(&config, if self.portal { "portal" } else { "operator" })?;
        say(&format!("export AWS_ACCESS_KEY_ID={id}"));
        say(&format!("export AWS_SECRET_ACCESS_KEY={secret}"));
        say(&format!("export AWS_REGION={}", config.region));
        say(&format!("export AWS_DEFAULT_REGION={}", config.region));
        say(&format!(
            "export AWS_ENDPOINT_URL_SSM={0}\nexport AWS_ENDPOINT_URL_STS={0}",
            endpoint(&config)
        ));
        Ok(ExitCode::SUCCESS)
    }
}

impl ActivationArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        let ActivationCommand::Create {
            limit,
            hours,
            tags,
            name,
            settings,
        } = self.command;
        let config = settings.config()?;
        let mut made = Vec::new();
        for tag in &tags {
            let (key, value) = tag
                .split_once('=')
                .ok_or_else(|| format!("--tag {tag}: write KEY=VALUE"))?;
            made.push(Tag::builder().key(key).value(value).build()?);
        }
        let endpoint = endpoint(&config);
        let ssm = Ssm::connect(Connection {
            id: ConnectionId::new("cli"),
            name: "cli".into(),
            account: config.account.clone(),
            region: config.region.clone(),
            embedded: true,
            endpoint: Some(endpoint.clone()),
            role_arn: None,
            activation_role: String::new(),
            s3_endpoint: None,
            output_bucket: None,
            keys: Some(key(&config, "operator")?),
            url: String::new(),
            is_production: false,
        })
        .await;
        let expires = SystemClock.now().plus_ms(hours * 3_600_000);
        let request = ssm
            .client
            .create_activation()
            .iam_role("MusterNode")
            .registration_limit(limit)
            .expiration_date(aws_sdk_ssm::primitives::DateTime::from_millis(expires.0))
            .set_default_instance_name(name)
            .set_tags((!made.is_empty()).then_some(made));
        let answer = ssm
            .call("CreateActivation", request.send())
            .await
            .map_err(|error| error.to_string())?;
        let text = serde_json::json!({
            "ActivationId": answer.activation_id(),
            "ActivationCode": answer.activation_code(),
            "Region": config.region,
            "Endpoint": endpoint,
        });
        say(&text.to_string());
        Ok(ExitCode::SUCCESS)
    }
}

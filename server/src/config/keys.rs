//! Which settings there are.

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file; the flag has dashes, the variable is `MUSTER_` and capitals.
    pub name: &'static str,
    /// What holds when nobody says.
    pub default: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
}

const fn key(name: &'static str, default: &'static str, help: &'static str) -> Key {
    Key {
        name,
        default,
        help,
        secret: false,
    }
}

const fn secret(name: &'static str, help: &'static str) -> Key {
    Key {
        name,
        default: "",
        help,
        secret: true,
    }
}

/// All settings.
pub const KEYS: &[Key] = &[
    key("addr", "127.0.0.1:3000", "Where the portal listens"),
    key("data_dir", "./data", "Where everything is kept"),
    key(
        "public_url",
        "",
        "How people reach the portal, e.g. https://muster.example (turns on secure cookies)",
    ),
    secret(
        "database_url",
        "postgres://… instead of the SQLite file in the data directory",
    ),
    key(
        "ssm_mode",
        "embedded",
        "embedded: the built-in Systems Manager endpoint; aws: AWS itself",
    ),
    key(
        "ssm_addr",
        "127.0.0.1:4580",
        "Where the embedded endpoint listens",
    ),
    key("ssm_extra_addr", "", "More addresses for it, separated by commas"),
    key(
        "ssm_endpoint",
        "",
        "Another Systems Manager endpoint than the region's own (with ssm_mode=aws)",
    ),
    key("region", "eu-west-1", "The region"),
    key(
        "account",
        "123456789012",
        "The embedded endpoint's account number",
    ),
    key(
        "connection_name",
        "default",
        "What the connection is called in the portal",
    ),
    key("role_arn", "", "A role to assume at AWS"),
    key(
        "activation_role",
        "MusterManagedNodes",
        "The service role that nodes get at AWS when they are added by activation",
    ),
    key("output_bucket", "", "A bucket for full command output at AWS"),
    key(
        "s3_endpoint",
        "",
        "Where that bucket is reached, when not at S3's own address (a VPC endpoint, an S3-compatible store)",
    ),
    key(
        "access_key_id",
        "",
        "An access key for ssm_endpoint; normally the SDK finds its own",
    ),
    secret("secret_access_key", "The secret of access_key_id"),
    key(
        "idle_timeout_minutes",
        "30",
        "Minutes without use after which a session ends",
    ),
    key(
        "session_hours",
        "12",
        "Hours after which a session ends, used or not",
    ),
    key(
        "trusted_proxies",
        "",
        "Proxies whose X-Forwarded-For is believed, separated by commas",
    ),
    key(
        "audit_key_path",
        "",
        "The key that signs the audit log, when not in the data directory",
    ),
    key("site_root", "target/site", "Where script, style and fonts are"),
    key("log_format", "text", "text or json"),
    key(
        "local_node",
        "true",
        "Make this machine a node of the embedded endpoint",
    ),
    key(
        "connection_lost_seconds",
        "120",
        "Seconds of silence after which a node has lost its connection",
    ),
];

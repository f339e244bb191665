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
        "ssm_tls_addr",
        "",
        "Where it listens with TLS as well, which Amazon's own agent demands (see `muster ca`)",
    ),
    key(
        "ssm_tls_names",
        "",
        "The names and addresses by which nodes reach ssm_tls_addr, separated by commas",
    ),
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
    key(
        "connection_production",
        "false",
        "Whether what is behind the connection is production, which its pages then show",
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
    key(
        "terminal_reason",
        "optional",
        "Whether a reason has to be given for a terminal: required or optional",
    ),
    key(
        "terminal_idle_minutes",
        "20",
        "Minutes without traffic after which a terminal's session ends",
    ),
    key(
        "terminal_max_minutes",
        "60",
        "Minutes after which it ends, unless its owner asks for more",
    ),
    key("terminal_more_minutes", "30", "Minutes that asking once gives"),
    key(
        "terminal_limit_minutes",
        "720",
        "Minutes after which it ends in any case",
    ),
    key(
        "terminal_watched",
        "none",
        "Nodes (tags like Environment=Production, * for all) where somebody must look on before anything is typed",
    ),
    key(
        "production",
        "Environment=Production",
        "Nodes (tags, * for all, none) whose terminals are marked as production",
    ),
    key(
        "terminals_per_person",
        "20",
        "Sessions that one person may have at once",
    ),
    key("terminals_at_most", "1000", "Sessions that may go on at once"),
    key(
        "recording",
        "required",
        "required: no recorder, no session; best-effort: a recorder that fails is noted; off",
    ),
    key(
        "recording_input",
        "drop",
        "keep or drop what is typed: it may hold secrets, and its echo is in the output anyway",
    ),
    key(
        "recording_store",
        "",
        "Where recordings are kept when not in the data directory: s3://bucket/prefix",
    ),
    key(
        "bucket_store",
        "",
        "Where the buckets of resource data syncs are when not in the data directory: s3, or the address of what speaks \
         like it, with keys as the AWS tools find them",
    ),
    key(
        "kms_master_key",
        "",
        "The key of a key management service that seals the master key of the embedded endpoint: aws-kms://alias/muster, or an \
         id or ARN in its place; the service at AWS_ENDPOINT_URL_KMS, with keys as the AWS tools find them",
    ),
    key(
        "approval_policies",
        "",
        "A TOML file with the approval policies, for those who keep it under version control; else they are changed in the \
         portal",
    ),
    secret(
        "notify_webhook_url",
        "An address that notices are posted to as JSON, http or https",
    ),
    secret(
        "notify_webhook_secret",
        "What signs them (Muster-Signature: t=…,v1=…, HMAC-SHA256 over time, a dot and the body); at least 16 characters",
    ),
    secret(
        "notify_slack_url",
        "A Slack webhook, or one of what speaks like it, that notices are posted to",
    ),
    secret(
        "notify_smtp_url",
        "The mail server for notices: smtps://user:password@mail.example, or smtp://…?tls=required",
    ),
    key(
        "notify_mail_from",
        "",
        "Whom mail with notices is from, e.g. Muster <muster@example.com>",
    ),
    key(
        "notify_mail_to",
        "",
        "Who gets it: names with addresses like group:sre=sre@example.com, user:bob=bob@example.com, *=… for everything",
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

/// The settings of each further connection, a table `[connections.NAME]`.
pub const CONNECTION_KEYS: &[Key] = &[
    key(
        "addr",
        "",
        "Where its pages are served, e.g. 127.0.0.1:3001: each connection has an address of its own",
    ),
    key(
        "public_url",
        "",
        "How people reach these, e.g. https://staging.muster.example",
    ),
    key("production", "false", "Whether what is behind it is production"),
    key(
        "ssm_mode",
        "aws",
        "aws: AWS itself or ssm_endpoint; embedded: another region of the built-in endpoint",
    ),
    key("region", "", "The region"),
    key(
        "ssm_endpoint",
        "",
        "Another Systems Manager endpoint than the region's own",
    ),
    key("role_arn", "", "A role to assume, in the account that is meant"),
    key(
        "activation_role",
        "MusterManagedNodes",
        "The service role that nodes get when they are added by activation",
    ),
    key("output_bucket", "", "A bucket for full command output"),
    key(
        "s3_endpoint",
        "",
        "Where that bucket is reached, when not at S3's own address",
    ),
    key(
        "access_key_id",
        "",
        "An access key for ssm_endpoint; normally the SDK finds its own",
    ),
    secret("secret_access_key", "The secret of access_key_id"),
];

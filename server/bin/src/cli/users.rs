//! `user`: what an administrator does with users, from the machine that holds the data.

use super::settings::{SettingsArgs, TheLink, TheLog};
use super::{Failure, say};
use clap::{Args, Subcommand};
use muster::data_dir;
use muster::start::{audit_log, database};
use muster_domain::Actor;
use muster_domain::access::{Access as _, CreateUser, Password, UserView};
use muster_domain::permission::{Role, Scope};
use muster_domain::system::{SystemClock, SystemRandom};
use muster_server::access::AccessService;
use muster_server::access::passwords::Passwords;
use muster_server::config::Config;
use muster_server::door::Door;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

/// `muster user`.
#[derive(Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Create a user with a first role
    #[command(after_help = "Examples:
  muster user add alice --role operator --scope Environment=Staging
  pass show muster/bob | muster user add bob --role auditor --password-stdin")]
    Add {
        /// The name to sign in with
        name: String,
        /// viewer, auditor, operator, approver or administrator
        #[arg(long, default_value = "viewer")]
        role: String,
        /// Where the role holds: * or tags like Environment=Staging
        #[arg(long, default_value = "*")]
        scope: String,
        /// The name shown to others
        #[arg(long, default_value = "")]
        display_name: String,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
    /// Print a new one-time link with which the first administrator is created, while there is no user
    ///
    /// A link that was printed before holds no longer.
    SetupLink {
        #[command(flatten)]
        settings: SettingsArgs<TheLink>,
    },
    /// List users with their roles
    List {
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
    /// Refuse a user and end their sessions
    Disable {
        /// The user's name
        name: String,
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
    /// Let a disabled user in again
    Enable {
        /// The user's name
        name: String,
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
    /// Give a user a new password, end their sessions and forgive failed tries
    ResetPassword {
        /// The user's name
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        settings: SettingsArgs<TheLog>,
    },
}

#[derive(Args)]
struct PasswordArgs {
    /// Read the password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordArgs {
    /// Asks for the password. On a terminal it is asked twice, and not shown.
    fn read(&self) -> Result<Password, Failure> {
        let line = || -> Result<String, Failure> {
            let mut text = String::new();
            std::io::stdin().lock().read_line(&mut text)?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        };
        if self.password_stdin || !std::io::stdin().is_terminal() {
            return Ok(Password(line()?));
        }
        let ask = |prompt: &str| -> Result<String, Failure> {
            let mut out = std::io::stderr();
            write!(out, "{prompt}: ")?;
            out.flush()?;
            let terminal = rustix::termios::tcgetattr(std::io::stdin())?;
            let mut quiet = terminal.clone();
            quiet.local_modes.remove(rustix::termios::LocalModes::ECHO);
            rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &quiet)?;
            let text = line();
            rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &terminal)?;
            writeln!(out)?;
            text
        };
        let first = ask("Password")?;
        if ask("The same again")? != first {
            return Err("the two passwords are not the same".into());
        }
        Ok(Password(first))
    }
}

/// Who runs this program, as the system knows it. What variables say is only added, and only where sudo wrote it.
fn person() -> String {
    let uid = rustix::process::getuid();
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = account_of(&known, uid.as_raw()).unwrap_or_else(|| format!("uid-{}", uid.as_raw()));
    match std::env::var("SUDO_USER") {
        Ok(behind) if uid.is_root() && behind != name => {
            let behind: String = behind.chars().filter(|c| !c.is_control()).take(64).collect();
            format!("{name} (sudo: {behind})")
        }
        _ => name,
    }
}

/// The account of a number in the text of a passwd file.
fn account_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

pub(super) struct Desk {
    pub(super) access: AccessService,
    pub(super) actor: Actor,
    audit: Arc<muster_server::audit::AuditLog>,
    db: muster_store::Db,
}

impl Desk {
    pub(super) async fn open(settings: &SettingsArgs<TheLog>) -> Result<Self, Failure> {
        Self::of(&settings.config()?).await
    }

    async fn of(config: &Config) -> Result<Self, Failure> {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let db = database(config, clock.as_ref()).await?;
        let audit = audit_log(config, &db, clock.clone(), random.clone())?;
        let access = AccessService {
            db: db.clone(),
            door: Door::new(Arc::clone(&audit) as _),
            clock,
            passwords: Passwords::new(random.clone()),
            random,
        };
        Ok(Self {
            access,
            actor: Actor::command_line(&person()),
            audit,
            db,
        })
    }

    async fn user(&self, name: &str) -> Result<UserView, Failure> {
        let users = self.access.users(&self.actor).await?;
        let lower = name.trim().to_lowercase();
        users
            .into_iter()
            .find(|user| user.name == lower)
            .ok_or_else(|| format!("there is no user {name}: see `muster user list`").into())
    }

    /// Everything that was done is in the audit log before the program ends.
    pub(super) async fn close(self, text: &str) -> ExitCode {
        let Self {
            access, audit, db, ..
        } = self;
        drop(access);
        audit.close().await;
        db.close().await;
        if !text.is_empty() {
            say(text);
        }
        ExitCode::SUCCESS
    }
}

impl UserArgs {
    pub(crate) async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            UserCommand::Add {
                name,
                role,
                scope,
                display_name,
                password,
                settings,
            } => {
                let role = Role::parse(&role).ok_or_else(|| {
                    format!(
                        "there is no role {role}: use viewer, auditor, operator, approver or administrator"
                    )
                })?;
                let scope = Scope::of_role(&scope)?;
                let desk = Desk::open(&settings).await?;
                let password = password.read()?;
                let input = CreateUser {
                    name: name.clone(),
                    display_name,
                    password,
                    role,
                    scope: scope.clone(),
                };
                desk.access.create_user(&desk.actor, input).await?;
                Ok(desk
                    .close(&format!("Created {name} as {} in {scope}.", role.as_str()))
                    .await)
            }
            UserCommand::SetupLink { settings } => {
                let config = settings.config()?;
                let desk = Desk::of(&config).await?;
                let made = desk.access.another_setup_token(&desk.actor).await;
                let token = match made {
                    Ok(token) => token,
                    Err(error) => {
                        desk.close("").await;
                        return Err(error.into());
                    }
                };
                let portal = config.public_url.clone().unwrap_or_else(|| {
                    let running = data_dir::find(&config.data_dir).map(|found| found.addr);
                    format!("http://{}", running.unwrap_or(config.addr))
                });
                Ok(desk
                    .close(&format!(
                        "Create the first administrator within 24 hours: {portal}/setup?token={token}"
                    ))
                    .await)
            }
            UserCommand::List { settings } => {
                let desk = Desk::open(&settings).await?;
                let users = desk.access.users(&desk.actor).await?;
                let mut text = format!("{:<24} {:<9} {:<25} roles", "name", "state", "last sign-in");
                for user in users {
                    let roles: Vec<String> = user
                        .grants
                        .iter()
                        .map(|grant| format!("{} in {}", grant.role.as_str(), grant.scope))
                        .collect();
                    let seen = user
                        .last_sign_in_at
                        .map_or_else(|| "never".to_owned(), muster_domain::Timestamp::rfc3339);
                    let state = if user.disabled { "disabled" } else { "active" };
                    text.push_str(&format!(
                        "\n{:<24} {state:<9} {seen:<25} {}",
                        user.name,
                        roles.join("; ")
                    ));
                }
                Ok(desk.close(&text).await)
            }
            UserCommand::Disable { name, settings } => {
                let desk = Desk::open(&settings).await?;
                let user = desk.user(&name).await?;
                desk.access.disable_user(&desk.actor, user.id).await?;
                Ok(desk
                    .close(&format!("Disabled {name} and ended {} sessions.", user.sessions))
                    .await)
            }
            UserCommand::Enable { name, settings } => {
                let desk = Desk::open(&settings).await?;
                let user = desk.user(&name).await?;
                desk.access.enable_user(&desk.actor, user.id).await?;
                Ok(desk.close(&format!("{name} may sign in again.")).await)
            }
            UserCommand::ResetPassword {
                name,
                password,
                settings,
            } => {
                let desk = Desk::open(&settings).await?;
                let user = desk.user(&name).await?;
                let password = password.read()?;
                desk.access.reset_password(&desk.actor, user.id, password).await?;
                Ok(desk
                    .close(&format!("{name} has a new password; their sessions have ended."))
                    .await)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::account_of;

    #[test]
    fn a_number_is_an_account_of_the_system() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbad line\nvera:x:1000:1000::/home/vera:/bin/sh\n";
        assert_eq!(account_of(passwd, 1000).as_deref(), Some("vera"));
        assert_eq!(account_of(passwd, 0).as_deref(), Some("root"));
        assert_eq!(account_of(passwd, 7), None);
    }
}

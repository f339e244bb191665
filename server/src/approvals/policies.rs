//! The policies: their text in TOML, read and checked, from a file under version control or from the database, where
//! every version is kept.

use crate::approvals::times;
use crate::error::store;
use muster_domain::approvals::{Act, Effect, Hours, Level, Meeting, Policies, Proposal, glob};
use muster_domain::permission::{Role, Scope};
use muster_domain::{PortalError, Timestamp};
use muster_store::{Db, RowExt, Sql, StoreError};
use ring::digest::{SHA256, digest};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a file of policies at most.
const MAX_FILE: u64 = 1024 * 1024;

/// Policies that were read, with the text that they were read from.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The text.
    pub text: String,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
    /// What it says.
    pub policies: Policies,
    /// Who wrote it, when it is in the database.
    pub by: String,
    /// When.
    pub at: Option<Timestamp>,
    /// What is wrong with a newer text in the file, which does not hold therefore.
    pub problem: String,
}

/// Where the policies are.
#[derive(Clone)]
pub struct PolicyBook {
    db: Db,
    file: Option<PathBuf>,
    last: Arc<Mutex<Arc<Loaded>>>,
}

/// The hash of a text, hexadecimal.
#[must_use]
pub fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

fn complaint_about_name(name: &str, policies: &Policies) -> Option<String> {
    match name.split_once(':') {
        Some(("user", account)) if !account.trim().is_empty() => None,
        Some(("role", role)) if Role::parse(role).is_some() => None,
        Some(("role", role)) => Some(format!("there is no role {role}")),
        Some(("group", group)) if policies.groups.contains_key(group) => None,
        Some(("group", group)) => Some(format!("there is no group {group} under [groups]")),
        _ => Some(format!(
            "\"{name}\" is nobody: write user:NAME, group:NAME or role:NAME"
        )),
    }
}

fn complaint_about_act(pattern: &str) -> Option<String> {
    let known = Act::ALL.iter().any(|act| glob(pattern, act.as_str()));
    (!known).then(|| {
        let all: Vec<&str> = Act::ALL.iter().map(|act| act.as_str()).collect();
        format!("there is no act {pattern}: there are {}", all.join(", "))
    })
}

fn complaint_about_level(level: &Level, policies: &Policies) -> Option<String> {
    if level.of.is_empty() {
        return Some("a level has to say of whom (of = [\"role:approver\"])".into());
    }
    if !(1..=20).contains(&level.approvals) {
        return Some("a level asks for 1 to 20 approvals".into());
    }
    if level.escalate_to.is_empty() != level.escalate_after_minutes.is_none() {
        return Some("escalate_to and escalate_after_minutes belong together".into());
    }
    let mut names = level.of.iter().chain(&level.escalate_to);
    names.find_map(|name| complaint_about_name(name, policies))
}

/// Everything that is wrong, each with its place.
fn complaints(policies: &Policies) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for policy in &policies.policies {
        let mut say = |what: Option<String>| {
            if let Some(what) = what {
                found.push(format!("policy \"{}\": {what}", policy.name));
            }
        };
        if policy.name.trim().is_empty() || policy.name.chars().count() > 100 {
            say(Some("it needs a name of 1 to 100 characters".into()));
        }
        if !names.insert(policy.name.as_str()) {
            say(Some("another one has the same name".into()));
        }
        if policy.acts.is_empty() {
            say(Some("it has to say which acts it is about".into()));
        }
        policy.acts.iter().for_each(|act| say(complaint_about_act(act)));
        if !policy.nodes.is_empty() {
            say(Scope::parse(&policy.nodes).err());
        }
        if policy.connections.iter().any(|pattern| pattern.trim().is_empty()) {
            say(Some(
                "a connection of it is empty: write a name, or leave it out".into(),
            ));
        }
        if !policy.parameters.is_empty() {
            let about = [Act::RevealParameter, Act::PutParameter, Act::DeleteParameter];
            let is_about = |pattern: &String| about.iter().any(|act| glob(pattern, act.as_str()));
            if !policy.acts.iter().any(is_about) {
                say(Some(
                    "it names parameters, so its acts have to be among parameters.reveal, parameters.put and parameters.delete"
                        .into(),
                ));
            }
            if policy.parameters.iter().any(|pattern| pattern.trim().is_empty()) {
                say(Some(
                    "a parameter of it is empty: write a path such as /prod/*".into(),
                ));
            }
        }
        if !policy.maintenance_windows.is_empty() {
            let about = [Act::ChangeWindow, Act::DeleteWindow];
            let is_about = |pattern: &String| about.iter().any(|act| glob(pattern, act.as_str()));
            if !policy.acts.iter().any(is_about) {
                say(Some(
                    "it names maintenance windows, so its acts have to be among windows.change and windows.delete".into(),
                ));
            }
            if policy
                .maintenance_windows
                .iter()
                .any(|pattern| pattern.trim().is_empty())
            {
                say(Some(
                    "a maintenance window of it is empty: write a name such as prod-*".into(),
                ));
            }
        }
        if !(policy.applications.is_empty() && policy.environments.is_empty()) {
            let about = [Act::Deploy, Act::RollBack];
            let is_about = |pattern: &String| about.iter().any(|act| glob(pattern, act.as_str()));
            if !policy.acts.iter().any(is_about) {
                say(Some(
                    "it names applications or environments, so its acts have to be among deployments.deploy and \
                     deployments.roll_back"
                        .into(),
                ));
            }
            let mut names = policy.applications.iter().chain(&policy.environments);
            if names.any(|pattern| pattern.trim().is_empty()) {
                say(Some(
                    "an application or environment of it is empty: write a name such as web-*".into(),
                ));
            }
        }
        if policy.effect == Effect::Approve && policy.levels.is_empty() {
            say(Some(
                "it asks for approval, so it has to say of whom ([[policy.levels]])".into(),
            ));
        }
        if policy.effect != Effect::Approve && !policy.levels.is_empty() {
            say(Some("only a policy that asks for approval has levels".into()));
        }
        policy
            .levels
            .iter()
            .for_each(|level| say(complaint_about_level(level, policies)));
        for name in policy.break_glass.iter().chain(&policy.requesters) {
            say(complaint_about_name(name, policies));
        }
        if let Some(ticket) = &policy.ticket
            && let Err(error) = regex::Regex::new(ticket)
        {
            say(Some(format!("ticket is no regular expression: {error}")));
        }
        if !(5..=43_200).contains(&policy.expires_minutes) || !(5..=43_200).contains(&policy.usable_minutes) {
            say(Some(
                "expires_minutes and usable_minutes are 5 to 43200 (30 days)".into(),
            ));
        }
        if !(1..=720).contains(&policy.review_hours) {
            say(Some("review_hours are 1 to 720".into()));
        }
        say(policy.at.as_ref().and_then(times::complaint_about_hours));
        policy
            .windows
            .iter()
            .for_each(|window| say(times::complaint_about_window(window)));
    }
    for freeze in &policies.freezes {
        let mut say = |what: Option<String>| {
            if let Some(what) = what {
                found.push(format!("freeze \"{}\": {what}", freeze.name));
            }
        };
        say(times::complaint_about_freeze(freeze));
        for name in &freeze.break_glass {
            say(complaint_about_name(name, policies));
        }
        freeze.acts.iter().for_each(|act| say(complaint_about_act(act)));
        if !freeze.nodes.is_empty() {
            say(Scope::parse(&freeze.nodes).err());
        }
    }
    let mut accounts = std::collections::BTreeMap::new();
    for (person, names) in &policies.people {
        for name in names {
            if let Some(other) = accounts.insert(name.to_lowercase(), person) {
                found.push(format!("people: {name} is both {other} and {person}"));
            }
        }
    }
    found
}

/// Reads policies.
///
/// # Errors
/// Everything that is wrong, with its place.
pub fn read(text: &str) -> Result<Policies, String> {
    let policies: Policies = toml::from_str(text).map_err(|error| error.to_string())?;
    let found = complaints(&policies);
    if found.is_empty() {
        Ok(policies)
    } else {
        Err(found.join("\n"))
    }
}

fn load(text: String) -> Result<Loaded, String> {
    Ok(Loaded {
        policies: read(&text)?,
        sha256: sha256(&text),
        text,
        by: String::new(),
        at: None,
        problem: String::new(),
    })
}

impl PolicyBook {
    /// Policies in the database, or in `file`.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(db: Db, file: Option<PathBuf>) -> Result<Self, String> {
        let last = match &file {
            Some(path) => load(from_file(path)?)?,
            None => load(String::new())?,
        };
        Ok(Self {
            db,
            file,
            last: Arc::new(Mutex::new(Arc::new(last))),
        })
    }

    /// The file that they are in, when they are in one.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    fn last(&self) -> Arc<Loaded> {
        Arc::clone(&self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&loaded);
        loaded
    }

    /// The policies that hold now: a change of the file, or by another portal on the same database, holds at once.
    ///
    /// # Errors
    /// When the database does not answer. A file that cannot be read any more leaves the policies as they were.
    pub async fn current(&self) -> Result<Arc<Loaded>, StoreError> {
        let last = self.last();
        if let Some(path) = &self.file {
            let (path, known) = (path.clone(), Arc::clone(&last));
            let read = tokio::task::spawn_blocking(move || match from_file(&path) {
                Ok(text) if text == known.text => Ok(None),
                Ok(text) => load(text).map(Some),
                Err(error) => Err(error),
            })
            .await
            .unwrap_or_else(|error| Err(error.to_string()));
            return Ok(match read {
                Ok(None) if last.problem.is_empty() => last,
                Ok(None) => self.keep(Loaded {
                    problem: String::new(),
                    ..Loaded::clone(&last)
                }),
                Ok(Some(loaded)) => self.keep(loaded),
                Err(problem) if problem == last.problem => last,
                Err(problem) => {
                    tracing::error!(%problem, "the file of policies cannot be used; the policies before it hold");
                    self.keep(Loaded {
                        problem,
                        ..Loaded::clone(&last)
                    })
                }
            });
        }
        let newest = Sql::new("select sha256 from approval_policies order by version desc limit 1")
            .first(self.db.reader())
            .await?
            .map(|row| row.text("sha256"))
            .transpose()?;
        if newest.is_none_or(|sha256| sha256 == last.sha256) {
            return Ok(last);
        }
        let row = Sql::new(
            "select text, changed_by, changed_at from approval_policies order by version desc limit 1",
        )
        .one(self.db.reader())
        .await?;
        let read = load(row.text("text")?).map_err(|message| StoreError::Column {
            column: "approval_policies.text".into(),
            message,
        })?;
        Ok(self.keep(Loaded {
            by: row.text("changed_by")?,
            at: Some(row.time("changed_at")?),
            ..read
        }))
    }

    /// Writes new policies over those with the hash `was`.
    ///
    /// # Errors
    /// When the text cannot be used, when others were written meanwhile, or when they are in a file.
    pub async fn write(&self, text: &str, was: &str, by: &str, now: Timestamp) -> Result<(), PortalError> {
        if let Some(file) = &self.file {
            return Err(PortalError::Conflict {
                message: format!(
                    "The policies are in {}: change them there, where their versions are kept.",
                    file.display()
                ),
            });
        }
        read(text).map_err(|what| PortalError::invalid("text", what))?;
        let changed = || PortalError::Conflict {
            message: "The policies were changed by somebody else meanwhile: look at them again.".into(),
        };
        let mut transaction = self.db.begin().await.map_err(store)?;
        let newest = Sql::new("select version, sha256 from approval_policies order by version desc limit 1")
            .first(&mut *transaction)
            .await
            .map_err(store)?;
        let (version, sha) = match newest {
            None => (0, sha256("")),
            Some(row) => (
                row.int("version").map_err(store)?,
                row.text("sha256").map_err(store)?,
            ),
        };
        if sha != was {
            return Err(changed());
        }
        let mut sql = Sql::new(
            "insert into approval_policies (version, text, sha256, changed_by, changed_at) values (",
        );
        sql.int(version + 1)
            .push(", ")
            .text(text)
            .push(", ")
            .text(sha256(text))
            .push(", ")
            .text(by)
            .push(", ")
            .int(now.0)
            .push(")");
        // Two at once: the version is taken, and the second one is told so.
        match sql.run(&mut *transaction).await {
            Err(error) if error.is_unique_violation() => return Err(changed()),
            other => other.map_err(store)?,
        };
        transaction.commit().await.map_err(store)?;
        Ok(())
    }
}

fn from_file(path: &std::path::Path) -> Result<String, String> {
    let problem = |error: std::io::Error| format!("{}: {error}", path.display());
    if std::fs::metadata(path).map_err(problem)?.len() > MAX_FILE {
        return Err(format!("{}: it is larger than a MiB", path.display()));
    }
    std::fs::read_to_string(path).map_err(problem)
}

/// What an act meets at `now`.
#[must_use]
pub fn meet(policies: &Policies, proposal: &Proposal, now: Timestamp) -> Meeting {
    policies.meet(proposal, &|hours: &Hours| times::is_within(hours, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [groups]
        sre = ["bob", "eve"]

        [people]
        Rita = ["rita", "rita-admin"]

        [[freeze]]
        name = "year's end"
        from = "2026-12-20T00:00Z"
        until = "2027-01-04T00:00Z"

        [[policy]]
        name = "Production changes"
        acts = ["commands.run", "runbooks.*"]
        nodes = "Environment=Production"
        reason = true
        ticket = "OPS-[0-9]+"
        windows = [{ schedule = "cron(0 2 ? * SUN *)", hours = 4, time_zone = "Europe/Berlin" }]
        break_glass = ["role:administrator"]

        [[policy.levels]]
        approvals = 2
        of = ["group:sre"]
        escalate_after_minutes = 30
        escalate_to = ["user:boss"]
    "#;

    #[test]
    fn what_is_written_is_read() {
        let policies = read(GOOD).unwrap();
        assert_eq!(policies.default, Effect::Allow);
        assert_eq!(policies.policies[0].levels[0].approvals, 2);
        assert_eq!(policies.policies[0].expires_minutes, 240);
        assert_eq!(
            read("").unwrap(),
            Policies {
                default: Effect::Allow,
                ..Policies::default()
            }
        );
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        for (from, to, said) in [
            ("group:sre", "group:ops", "there is no group ops"),
            ("role:administrator", "role:king", "there is no role king"),
            ("commands.run", "commands.walk", "there is no act commands.walk"),
            ("OPS-[0-9]+", "OPS-[", "no regular expression"),
            ("approvals = 2", "approvals = 0", "1 to 20"),
            ("cron(0 2 ? * SUN *)", "cron(0 2)", "six fields"),
            ("Europe/Berlin", "Mars", "time zone Mars"),
            (
                "2027-01-04T00:00Z",
                "2026-01-04T00:00Z",
                "from has to be before until",
            ),
            ("Environment=Production", "Production", "is not a tag"),
            ("reason = true", "reasons = true", "reasons"),
            ("rita-admin\"]", "rita-admin\"]\nRob = [\"RITA\"]", "is both"),
            ("escalate_after_minutes = 30", "", "belong together"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let error = read(&text).unwrap_err();
            assert!(error.contains(said), "{from} → {to}: {error}");
        }
    }
}

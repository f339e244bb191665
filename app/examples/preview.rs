//! A development aid: serves the pages with made-up data, without services or a database.

use async_trait::async_trait;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use axum::{Router, extract::Request, middleware::Next, response::Redirect};
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, generate_route_list};
use muster_domain::access::*;
use muster_domain::actor::Origin;
use muster_domain::audit::*;
use muster_domain::commands::*;
use muster_domain::fleet::*;
use muster_domain::ids::*;
use muster_domain::overview::*;
use muster_domain::paging::{Cursor, Page};
use muster_domain::permission::{Grant, Role, Scope};
use muster_domain::system::SystemClock;
use muster_domain::time::Clock;
use muster_domain::{Actor, Backend, PortalError, Timestamp};
use std::sync::{Arc, Mutex};

type R<T> = Result<T, PortalError>;

fn now() -> Timestamp {
    SystemClock.now()
}

fn node(at: usize) -> NodeSummary {
    let kinds = ["web", "api", "db-primary", "batch", "edge-fra", "cache", "queue"];
    let platforms = [
        ("Debian GNU/Linux", "12"),
        ("Ubuntu", "24.04"),
        ("Amazon Linux", "2023"),
    ];
    let kind = kinds[at % 7];
    let (platform_name, platform_version) = platforms[at % 3];
    NodeSummary {
        node_id: NodeId::new(format!("mi-0f3a9c1d2e4b5{at:04x}")),
        name: format!("{kind}-{:02}", at / 7 + 1),
        computer_name: format!("{kind}-{:02}.internal.example", at / 7 + 1),
        ping_status: if at % 19 == 4 {
            PingStatus::ConnectionLost
        } else {
            PingStatus::Online
        },
        last_ping_at: Some(
            now().plus_ms(-(2_000 + 7_000 * (at as i64 % 9) + if at % 19 == 4 { 900_000 } else { 0 })),
        ),
        platform_type: "Linux".into(),
        platform_name: platform_name.into(),
        platform_version: platform_version.into(),
        agent_version: if at.is_multiple_of(5) {
            "3.3.484.0".into()
        } else {
            "3.3.551.0".into()
        },
        ip_address: format!("10.20.{}.{}", at / 250, at % 250 + 1),
        tags: vec![
            Tag {
                key: "Environment".into(),
                value: if at.is_multiple_of(3) {
                    "Production".into()
                } else {
                    "Staging".into()
                },
            },
            Tag {
                key: "Role".into(),
                value: kind.into(),
            },
            Tag {
                key: "Team".into(),
                value: "payments".into(),
            },
        ],
        connection_id: "c1".into(),
        synced_at: now().plus_ms(-4_000),
    }
}

fn command(at: u32, status: CommandStatus, completed: u32, errors: u32) -> CommandSummary {
    CommandSummary {
        command_id: CommandId::new(format!("cmd-{at}")),
        document: ["AWS-RunShellScript", "AWS-RunPatchBaseline", "AWS-UpdateSSMAgent"][at as usize % 3]
            .into(),
        comment: ["rotate logs", "monthly patches", "restart payment services"][at as usize % 3].into(),
        requested_by: "op-web".into(),
        requested_at: now().plus_ms(-i64::from(at) * 340_000 - 60_000),
        ended_at: status.is_final().then(|| now().plus_ms(-i64::from(at) * 340_000)),
        status,
        status_details: status.as_str().into(),
        targets: 640,
        completed,
        errors,
        synced_at: now(),
    }
}

fn entry(at: i64) -> AuditEntryView {
    let kinds = [
        ("commands.run", "command:cmd-1", Outcome::Success, ""),
        (
            "session.sign_in",
            "user:operator",
            Outcome::Denied,
            "Name or password is wrong.",
        ),
        (
            "fleet.edit_tags",
            "node:mi-0f3a9c1d2e4b50004",
            Outcome::Success,
            "",
        ),
        (
            "users.create",
            "user:op-data",
            Outcome::Failure,
            "name: already taken.",
        ),
    ];
    let (action, resource, outcome, message) = kinds[usize::try_from(at).unwrap_or(0) % 4];
    AuditEntryView {
        sequence: 5_000 - at,
        act_id: ActId::new(format!("act-{at}")),
        at: now().plus_ms(-at * 190_000),
        actor: if at % 3 == 0 { "op-web".into() } else { "operator".into() },
        action: action.into(),
        resource: resource.into(),
        address: "10.1.2.3".into(),
        via: "browser".into(),
        user_agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0".into(),
        outcome,
        outcome_sequence: Some(5_001 - at),
        message: message.into(),
        detail: r#"{"document":"AWS-RunShellScript","targets":640,"parameters":{"commands":["logrotate -f /etc/logrotate.conf"]}}"#.into(),
        hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
    }
}

#[derive(Default)]
struct Fake {
    empty: bool,
    unreachable: bool,
    views: Mutex<Vec<SavedView>>,
}

fn grants() -> Vec<GrantView> {
    vec![
        GrantView {
            id: "g1".into(),
            role: Role::Administrator,
            scope: "*".into(),
            granted_at: now().plus_ms(-9_000_000),
            granted_by: "setup".into(),
        },
        GrantView {
            id: "g2".into(),
            role: Role::Operator,
            scope: "Environment=Staging".into(),
            granted_at: now().plus_ms(-9_000_000),
            granted_by: "operator".into(),
        },
    ]
}

#[async_trait]
impl Access for Fake {
    async fn needs_setup(&self) -> R<bool> {
        Ok(false)
    }
    async fn setup(&self, _: Origin, _: String, _: String, _: Password) -> R<SignedIn> {
        Err(PortalError::SignInRequired)
    }
    async fn sign_in(&self, _: Origin, _: String, _: Password) -> R<SignedIn> {
        Err(PortalError::SignInRequired)
    }
    async fn profile(&self, _: &Actor) -> R<Profile> {
        Ok(Profile {
            id: "u1".into(),
            name: "operator".into(),
            display_name: String::new(),
            grants: grants(),
            may: muster_domain::action::Action::ALL
                .iter()
                .map(|a| a.as_str().to_owned())
                .collect(),
        })
    }
    async fn sessions(&self, _: &Actor) -> R<Vec<SessionView>> {
        Ok((0..3)
            .map(|at| SessionView {
                id: SessionId::new(format!("s{at}")),
                address: format!("10.1.2.{at}"),
                user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"
                    .into(),
                signed_in_at: now().plus_ms(-7_200_000),
                last_seen_at: now().plus_ms(-60_000 * at),
                expires_at: now().plus_ms(36_000_000),
                current: at == 0,
            })
            .collect())
    }
    async fn revoke_session(&self, _: &Actor, _: SessionId) -> R<()> {
        Ok(())
    }
    async fn sign_out_everywhere(&self, _: &Actor) -> R<()> {
        Ok(())
    }
    async fn sign_out(&self, _: &Actor) -> R<()> {
        Ok(())
    }
    async fn change_password(&self, _: &Actor, input: ChangePassword) -> R<()> {
        if input.new != input.repeat {
            return Err(PortalError::invalid("repeat", "The two new passwords differ."));
        }
        PortalError::from_fields(check_password("new", &input.new, "operator"))
    }
    async fn users(&self, _: &Actor) -> R<Vec<UserView>> {
        Ok(["operator", "op-web", "op-data"]
            .iter()
            .enumerate()
            .map(|(at, name)| UserView {
                id: UserId::new(format!("u{}", at + 1)),
                name: (*name).into(),
                display_name: if at == 1 {
                    "Wanda Webb".into()
                } else {
                    String::new()
                },
                disabled: at == 2,
                grants: if at == 2 { vec![] } else { grants() },
                created_at: now().plus_ms(-90_000_000),
                last_sign_in_at: (at != 2).then(|| now().plus_ms(-600_000)),
                sessions: 1,
            })
            .collect())
    }
    async fn create_user(&self, _: &Actor, input: CreateUser) -> R<UserId> {
        input.check()?;
        Ok("u9".into())
    }
    async fn disable_user(&self, _: &Actor, _: UserId) -> R<()> {
        Err(PortalError::Conflict {
            message: "The last administrator cannot be disabled.".into(),
        })
    }
    async fn enable_user(&self, _: &Actor, _: UserId) -> R<()> {
        Ok(())
    }
    async fn reset_password(&self, _: &Actor, _: UserId, p: Password) -> R<()> {
        PortalError::from_fields(check_password("password", &p, "x"))
    }
    async fn grant_role(&self, _: &Actor, _: UserId, _: Role, _: Scope) -> R<GrantId> {
        Ok("g9".into())
    }
    async fn revoke_role(&self, _: &Actor, _: GrantId) -> R<()> {
        Ok(())
    }
}

#[async_trait]
impl Fleet for Fake {
    async fn list(&self, _: &Actor, query: FleetQuery) -> R<FleetPage> {
        let all: Vec<NodeSummary> = if self.empty {
            vec![]
        } else {
            (0..1302).map(node).collect()
        };
        let matching: Vec<NodeSummary> = all
            .iter()
            .filter(|n| {
                query.filter.tokens.iter().all(|t| {
                    let hay = format!(
                        "{} {} {} {} {}",
                        n.name,
                        n.node_id,
                        n.ip_address,
                        n.ping_status.as_str(),
                        n.tags
                            .iter()
                            .map(|t| t.value.clone())
                            .collect::<Vec<_>>()
                            .join(" ")
                    );
                    t.values
                        .iter()
                        .any(|v| hay.to_lowercase().contains(&v.to_lowercase()))
                })
            })
            .cloned()
            .collect();
        let from: usize = query.cursor.and_then(|c| c.0.parse().ok()).unwrap_or(0);
        let items: Vec<_> = matching.iter().skip(from).take(50).cloned().collect();
        let next = (from + 50 < matching.len()).then(|| Cursor((from + 50).to_string()));
        Ok(FleetPage {
            page: Page { items, next },
            matching: matching.len() as u64,
            total: all.len() as u64,
            not_reporting: if self.empty { 0 } else { 18 },
            synced_at: Some(now().plus_ms(-4_000)),
            may_run: true,
            may_add: true,
        })
    }
    async fn get(&self, _: &Actor, id: NodeId) -> R<NodeDetail> {
        let summary = (0..1302)
            .map(node)
            .find(|n| n.node_id == id)
            .ok_or(PortalError::NotFound {
                what: format!("Node {id}"),
            })?;
        Ok(NodeDetail {
            summary,
            resource_type: "ManagedInstance".into(),
            activation_id: Some("0a1b2c3d".into()),
            iam_role: Some("service-role/AmazonEC2RunCommandRoleForManagedInstances".into()),
            registered_at: Some(now().plus_ms(-8_000_000_000)),
            recent_commands: (1..5)
                .map(|at| {
                    command(
                        at,
                        if at == 2 {
                            CommandStatus::Failed
                        } else {
                            CommandStatus::Success
                        },
                        640,
                        u32::from(at == 2) * 12,
                    )
                })
                .collect(),
            may_run: true,
            may_edit_tags: true,
        })
    }
    async fn facets(&self, _: &Actor) -> R<Vec<Facet>> {
        let f = |p: &str, v: &[(&str, u64)]| Facet {
            property: p.into(),
            values: v.iter().map(|(a, b)| ((*a).to_owned(), *b)).collect(),
        };
        Ok(vec![
            f("status", &[("Online", 1284), ("ConnectionLost", 18)]),
            f("platform", &[("Debian GNU/Linux 12", 434)]),
            f("agent", &[("3.3.551.0", 1041)]),
            f("tag:Environment", &[("Staging", 868), ("Production", 434)]),
            f("tag:Role", &[("web", 186), ("api", 186)]),
            f("tag:Team", &[("payments", 1302)]),
        ])
    }
    async fn resolve(&self, _: &Actor, _: NodeSelection) -> R<ResolvedTargets> {
        Ok(ResolvedTargets {
            count: 3,
            nodes: (0..3)
                .map(node)
                .map(|n| TargetNode {
                    node_id: n.node_id,
                    name: n.name,
                    ping_status: n.ping_status,
                    platform_type: n.platform_type,
                    environment: Some("Production".into()),
                })
                .collect(),
            by_environment: vec![("Production".into(), 3)],
            excluded_count: 0,
            excluded: vec![],
        })
    }
    async fn edit_tags(&self, _: &Actor, input: EditTags) -> R<()> {
        input.check()
    }
    async fn create_activation(&self, _: &Actor, input: CreateActivation) -> R<ActivationCreated> {
        input.check()?;
        Ok(ActivationCreated {
            activation_id: "7a1c8f3e-5d1b-4a8e-9c0f-2b6d1f0e4a11".into(),
            activation_code: "Xk2mVt9QpLr4".into(),
            region: "eu-west-1".into(),
            endpoint: Some("http://127.0.0.1:8321/ssm".into()),
            expires_at: now().plus_ms(86_400_000),
        })
    }
    async fn views(&self, _: &Actor) -> R<Vec<SavedView>> {
        Ok(self.views.lock().map(|v| v.clone()).unwrap_or_default())
    }
    async fn save_view(&self, _: &Actor, input: SaveView) -> R<SavedViewId> {
        input.check()?;
        if let Ok(mut views) = self.views.lock() {
            let id = format!("v{}", views.len());
            views.push(SavedView {
                id: id.as_str().into(),
                name: input.name,
                query: input.query,
                shared: input.shared,
                owner: "operator".into(),
                mine: true,
            });
        }
        Ok("v".into())
    }
    async fn delete_view(&self, _: &Actor, view: SavedViewId) -> R<()> {
        if let Ok(mut v) = self.views.lock() {
            v.retain(|one| one.id != view);
        }
        Ok(())
    }
}

#[async_trait]
impl Commands for Fake {
    async fn documents(&self, _: &Actor) -> R<Vec<DocumentSummary>> {
        Ok(["AWS-RunShellScript", "AWS-RunPatchBaseline"]
            .iter()
            .map(|n| DocumentSummary {
                name: (*n).into(),
                owner: "Amazon".into(),
                description: "Run a shell script or specify the commands to run.".into(),
                platform_types: vec!["Linux".into()],
                document_type: "Command".into(),
                default_version: "1".into(),
            })
            .collect())
    }
    async fn document(&self, actor: &Actor, name: String) -> R<DocumentDetail> {
        let summary = self
            .documents(actor)
            .await?
            .into_iter()
            .find(|d| d.name == name)
            .ok_or(PortalError::NotFound { what: name })?;
        let p = |name: &str, kind, default: Option<&str>, multi| DocumentParameter {
            name: name.into(),
            parameter_type: kind,
            description: "Specify it.".into(),
            default: default.map(|d| vec![d.into()]),
            allowed_values: vec![],
            allowed_pattern: None,
            multi_line: multi,
        };
        Ok(DocumentDetail {
            summary,
            parameters: vec![
                p("commands", ParameterType::StringList, None, true),
                p("workingDirectory", ParameterType::String, Some(""), false),
                p("executionTimeout", ParameterType::String, Some("3600"), false),
            ],
            content: "{\n  \"schemaVersion\": \"1.2\"\n}".into(),
            hash: "ab".repeat(32),
        })
    }
    async fn run(&self, _: &Actor, input: RunCommand) -> R<CommandId> {
        input.check()?;
        Ok("cmd-1".into())
    }
    async fn again(&self, _: &Actor, _: CommandId, _: bool) -> R<RunCommand> {
        Ok(RunCommand {
            document: "AWS-RunShellScript".into(),
            parameters: [("commands".to_owned(), vec!["uptime".to_owned()])].into(),
            selection: NodeSelection::Nodes {
                nodes: vec![node(1).node_id],
            },
            max_concurrency: "50".into(),
            max_errors: "0".into(),
            timeout_seconds: 600,
            comment: "again".into(),
        })
    }
    async fn cancel(&self, _: &Actor, _: CommandId) -> R<()> {
        Ok(())
    }
    async fn list(&self, _: &Actor, _: CommandQuery) -> R<Page<CommandSummary>> {
        Ok(Page {
            items: (1..30)
                .map(|at| command(at, CommandStatus::ALL[at as usize % 8], 500, at % 4 * 3))
                .collect(),
            next: None,
        })
    }
    async fn get(&self, _: &Actor, _: CommandId) -> R<CommandDetail> {
        Ok(CommandDetail {
            summary: command(1, CommandStatus::InProgress, 512, 12),
            document_version: "1".into(),
            parameters: [(
                "commands".to_owned(),
                vec!["logrotate -f /etc/logrotate.conf".to_owned()],
            )]
            .into(),
            selection: NodeSelection::Nodes {
                nodes: vec![node(1).node_id],
            },
            max_concurrency: "50".into(),
            max_errors: "10%".into(),
            timeout_seconds: 600,
            ssm_command_ids: vec!["7f0c".into()],
            by_status: vec![
                (CommandStatus::Success, 500),
                (CommandStatus::Failed, 12),
                (CommandStatus::InProgress, 128),
            ],
            event_cursor: 3,
            problem: String::new(),
            may_run: true,
            may_cancel: true,
            usual_duration_ms: Some(42_000),
        })
    }
    async fn invocations(&self, _: &Actor, _: CommandId, _: InvocationQuery) -> R<Page<InvocationView>> {
        Ok(Page {
            items: (0..50)
                .map(|at| {
                    let n = node(at);
                    InvocationView {
                        node_id: n.node_id,
                        node_name: n.name,
                        status: CommandStatus::ALL[at % 8],
                        status_details: "Success".into(),
                        response_code: 0,
                        started_at: Some(now().plus_ms(-9_000)),
                        ended_at: Some(now()),
                        stdout_bytes: 120,
                        stderr_bytes: 0,
                        output_hash: format!("{:064x}", at % 3),
                    }
                })
                .collect(),
            next: None,
        })
    }
    async fn output(
        &self,
        _: &Actor,
        _: CommandId,
        _: NodeId,
        stream: OutputStream,
        _: i64,
    ) -> R<OutputPiece> {
        let text = "rotating /var/log/syslog\nrotating /var/log/auth.log\ndone\n".to_owned();
        Ok(OutputPiece {
            stream,
            offset: 0,
            end: text.len() as i64,
            total: text.len() as i64,
            text,
        })
    }
}

#[async_trait]
impl Audit for Fake {
    async fn list(&self, _: &Actor, query: AuditQuery) -> R<Page<AuditEntryView>> {
        let from: i64 = query.cursor.and_then(|c| c.0.parse().ok()).unwrap_or(0);
        Ok(Page {
            items: (from..from + 50)
                .map(entry)
                .filter(|e| query.outcome.is_none_or(|o| o == e.outcome))
                .collect(),
            next: Some(Cursor((from + 50).to_string())),
        })
    }
    async fn verify(&self, _: &Actor) -> R<VerifyReport> {
        Ok(VerifyReport {
            rows: 120_456,
            checkpoints: 14,
            findings: vec![],
            head: "9f86d081884c7d65".repeat(4),
            checked_at: now(),
        })
    }
}

#[async_trait]
impl Overview for Fake {
    async fn get(&self, _: &Actor) -> R<OverviewView> {
        let lost: Vec<_> = (0..200)
            .map(node)
            .filter(|n| n.ping_status == PingStatus::ConnectionLost)
            .take(6)
            .map(|n| (n.node_id.to_string(), n.name, n.last_ping_at))
            .collect();
        Ok(if self.empty {
            OverviewView {
                nodes_online: 0,
                nodes_total: 0,
                commands_running: 0,
                failed_24h: 0,
                commands_24h: 0,
                people_signed_in: 1,
                running: vec![],
                failed: vec![],
                recent: Some(vec![]),
                not_reporting: vec![],
                synced_at: Some(now()),
                as_of: now(),
            }
        } else {
            OverviewView {
                nodes_online: 1284,
                nodes_total: 1302,
                commands_running: 3,
                failed_24h: 4,
                commands_24h: 212,
                people_signed_in: 5,
                running: (1..4)
                    .map(|at| command(at, CommandStatus::InProgress, 200 * at - 88, at * 4))
                    .collect(),
                failed: (4..8)
                    .map(|at| command(at, CommandStatus::Failed, 640, at * 4))
                    .collect(),
                recent: Some((0..8).map(entry).collect()),
                not_reporting: lost,
                synced_at: Some(now().plus_ms(-4_000)),
                as_of: now(),
            }
        })
    }
    async fn connections(&self, _: &Actor) -> R<Vec<ConnectionView>> {
        Ok(connections(self.unreachable))
    }
    async fn search(&self, _: &Actor, text: String) -> R<Vec<SearchHit>> {
        Ok((0..1302)
            .map(node)
            .filter(|n| n.name.contains(&text))
            .take(8)
            .map(|n| SearchHit {
                kind: "Node".into(),
                title: n.name,
                subtitle: n.ip_address,
                url: format!("/fleet/{}", n.node_id),
            })
            .collect())
    }
}

fn connections(unreachable: bool) -> Vec<ConnectionView> {
    let state = if unreachable {
        ConnectionState::Unreachable
    } else {
        ConnectionState::Live
    };
    vec![ConnectionView {
        id: "c1".into(),
        name: "production".into(),
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        mode: "embedded".into(),
        state,
        synced_at: Some(now().plus_ms(if unreachable { -900_000 } else { -4_000 })),
        message: if unreachable {
            "The endpoint did not answer within 5 s.".into()
        } else {
            String::new()
        },
    }]
}

fn site(part: &str) -> String {
    format!(
        "{}/{part}",
        std::env::var("MUSTER_PREVIEW_SITE").unwrap_or_else(|_| "target/site".into())
    )
}

#[tokio::main]
async fn main() {
    let flag = |name: &str| std::env::args().any(|arg| arg == name);
    let port: u16 = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .next()
        .unwrap_or(3900);
    let options = LeptosOptions::builder()
        .output_name("muster")
        .site_root(site(""))
        .site_pkg_dir("pkg")
        .build();
    let fake = Arc::new(Fake {
        empty: flag("empty"),
        unreachable: flag("unreachable"),
        ..Default::default()
    });
    let backend = Backend {
        access: fake.clone(),
        fleet: fake.clone(),
        commands: fake.clone(),
        audit: fake.clone(),
        overview: fake,
    };
    let unreachable = flag("unreachable");
    let routes = generate_route_list(muster_app::App);
    let events = move || async move {
        use futures::StreamExt;
        let ticks = tokio_stream::wrappers::IntervalStream::new(tokio::time::interval(
            std::time::Duration::from_secs(5),
        ));
        Sse::new(ticks.map(move |_| {
            Event::default()
                .event("state")
                .json_data(connections(unreachable))
        }))
    };
    let shell_options = options.clone();
    let app: Router = Router::new()
        .route("/events/portal", get(events))
        .route("/sign-in", post(|| async { Redirect::to("/") }))
        .route("/setup", post(|| async { Redirect::to("/") }))
        .route("/sign-out", post(|| async { Redirect::to("/sign-in") }))
        .leptos_routes_with_context(
            &options,
            routes,
            move || provide_context(backend.clone()),
            move || muster_app::shell(shell_options.clone()),
        )
        .nest_service("/pkg", tower_http::services::ServeDir::new(site("pkg")))
        .nest_service("/fonts", tower_http::services::ServeDir::new(site("fonts")))
        .route_service(
            "/favicon.svg",
            tower_http::services::ServeFile::new(site("favicon.svg")),
        )
        .layer(axum::middleware::from_fn(
            |mut request: Request, next: Next| async move {
                request.extensions_mut().insert(Actor {
                    user_id: Some("u1".into()),
                    name: "operator".into(),
                    grants: vec![Grant {
                        role: Role::Administrator,
                        scope: Scope::All,
                    }],
                    session: Some("s0".into()),
                    origin: Origin::default(),
                });
                next.run(request).await
            },
        ))
        .with_state(options);
    if let Ok(listener) = tokio::net::TcpListener::bind(("127.0.0.1", port)).await {
        let _ = axum::serve(listener, app).await;
    }
}

-- Applications that are deployed: what they are, and their environments in their order, as JSON. One that was deleted stays, for
-- its history. Times are epoch milliseconds.
create table applications (
    application_id text not null primary key,
    connection_id text not null,
    name text not null,
    -- The name in small letters: the order of the list.
    name_key text not null,
    settings text not null,
    environments text not null,
    -- Counts changes: who changes it says which one they looked at.
    revision bigint not null,
    -- The number of the newest release.
    releases bigint not null,
    changed_by text not null,
    changed_at bigint not null,
    deleted_at bigint
);
create unique index applications_by_name on applications (connection_id, name_key) where deleted_at is null;
-- Releases: written once, never changed, never deleted.
create table releases (
    release_id text not null primary key,
    application_id text not null references applications (application_id),
    number bigint not null,
    version text not null,
    notes text not null,
    content text not null,
    created_by text not null,
    created_by_id text,
    created_at bigint not null,
    unique (application_id, number),
    unique (application_id, version)
);
-- Deployments: each is an execution of a runbook, and stands as that does.
create table deployments (
    deployment_id text not null primary key,
    application_id text not null references applications (application_id),
    application text not null,
    environment text not null,
    kind text not null,
    release_id text not null references releases (release_id),
    number bigint not null,
    version text not null,
    replaces_id text,
    replaces text not null,
    reason text not null,
    ticket text not null,
    requested_by text not null,
    requested_by_id text,
    requested_at bigint not null,
    ended_at bigint,
    state text not null,
    is_open bigint not null,
    rolled_back text not null,
    nodes bigint not null,
    execution_id text not null unique,
    request_id text
);
-- One at a time in each environment, whoever asks.
create unique index deployments_one_at_a_time on deployments (application_id, environment) where is_open = 1;
create index deployments_by_time on deployments (application_id, requested_at, deployment_id);
create index deployments_by_environment on deployments (application_id, environment, requested_at, deployment_id);
create index deployments_by_state on deployments (application_id, state, requested_at, deployment_id);
create index deployments_by_release on deployments (release_id, environment, state, requested_at);
-- What runs where: the newest deployment that succeeded, and the newest of all.
create table application_environments (
    application_id text not null references applications (application_id),
    environment text not null,
    last_deployment_id text not null,
    current_deployment_id text,
    primary key (application_id, environment)
);
-- Deployments among the open requests are looked for by act.
create index approval_requests_by_act on approval_requests (is_open, act, number);

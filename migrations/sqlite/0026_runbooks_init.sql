-- Runbooks as the portal knows them: what there is, in which versions, and their texts, each once by its hash.
create table runbooks (
    connection_id text not null,
    name text not null,
    owner text not null,
    owner_name text not null,
    category text not null,
    description text not null,
    default_version text not null,
    described_at bigint not null,
    versions_at bigint not null,
    synced_at bigint not null,
    primary key (connection_id, name)
);
create index runbooks_by_category on runbooks (connection_id, category, name);
create index runbooks_by_owner on runbooks (connection_id, owner, name);
create index runbooks_by_description on runbooks (connection_id, described_at);
create index runbooks_by_age on runbooks (connection_id, synced_at);
create table runbook_versions (
    connection_id text not null,
    name text not null,
    version bigint not null,
    version_name text not null,
    created_at bigint,
    is_default bigint not null,
    content_hash text not null,
    primary key (connection_id, name, version)
);
create table runbook_contents (
    content_hash text not null primary key,
    content text not null
);
-- Executions: what was asked, frozen; their steps; the nodes that they were given; and the ordered events that a page follows.
create table executions (
    execution_id text not null primary key,
    connection_id text not null,
    ssm_execution_id text,
    client_token text not null,
    document text not null,
    document_version text not null,
    content_hash text not null,
    parameters text not null,
    targets text not null,
    max_concurrency text not null,
    max_errors text not null,
    reaches_further bigint not null,
    reason text not null,
    requested_by text not null,
    requested_by_id text,
    executed_by text not null,
    requested_at bigint not null,
    ended_at bigint,
    status text not null,
    current_step text not null,
    failure_message text not null,
    outputs text not null,
    parent_ssm_id text not null,
    steps bigint not null,
    steps_ended bigint not null,
    steps_failed bigint not null,
    state text not null,
    problem text not null,
    next_event bigint not null,
    synced_at bigint not null
);
create unique index executions_ssm on executions (ssm_execution_id);
create index executions_by_time on executions (requested_at, execution_id);
create index executions_by_state on executions (state, synced_at);
create index executions_by_status on executions (status, requested_at, execution_id);
create index executions_by_document on executions (document, requested_at, execution_id);
create index executions_by_parent on executions (parent_ssm_id, requested_at);
create table execution_nodes (
    execution_id text not null references executions (execution_id),
    node_id text not null,
    node_name text not null,
    primary key (execution_id, node_id)
);
create index execution_nodes_by_node on execution_nodes (node_id, execution_id);
create table execution_steps (
    execution_id text not null references executions (execution_id),
    position bigint not null,
    step_execution_id text not null,
    name text not null,
    action text not null,
    status text not null,
    started_at bigint,
    ended_at bigint,
    response_code text not null,
    failure_message text not null,
    inputs text not null,
    outputs text not null,
    primary key (execution_id, position)
);
create table execution_events (
    execution_id text not null,
    sequence bigint not null,
    kind text not null,
    happened_at bigint not null,
    body text not null,
    primary key (execution_id, sequence)
);
create index execution_steps_waiting on execution_steps (status, action);
create index execution_steps_by_id on execution_steps (step_execution_id);

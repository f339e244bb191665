-- Commands as the portal knows them: what was asked, what each node answered, all output, and the
-- ordered events that a page follows.
create table commands (
    command_id text not null primary key,
    connection_id text not null,
    document text not null,
    document_version text not null,
    parameters text not null,
    selection text not null,
    max_concurrency text not null,
    max_errors text not null,
    timeout_seconds bigint not null,
    comment text not null,
    requested_by text not null,
    requested_by_id text,
    requested_at bigint not null,
    ended_at bigint,
    status text not null,
    status_details text not null,
    targets bigint not null,
    completed bigint not null,
    errors bigint not null,
    state text not null,
    problem text not null,
    cancel_requested_at bigint,
    next_event bigint not null,
    synced_at bigint not null
);
create index commands_by_time on commands (requested_at, command_id);
create index commands_by_state on commands (state, requested_at);
create index commands_by_status on commands (status, requested_at);
create table command_parts (
    command_id text not null references commands (command_id),
    part bigint not null,
    ssm_command_id text,
    node_ids text,
    targets text,
    state text not null,
    sent_at bigint,
    primary key (command_id, part)
);
create unique index command_parts_ssm on command_parts (ssm_command_id);
create table command_invocations (
    command_id text not null references commands (command_id),
    node_id text not null,
    node_name text not null,
    ssm_command_id text not null,
    status text not null,
    status_details text not null,
    response_code bigint not null,
    started_at bigint,
    ended_at bigint,
    stdout_bytes bigint not null,
    stderr_bytes bigint not null,
    output_hash text not null,
    output_complete bigint not null,
    sort_rank bigint not null,
    primary key (command_id, node_id)
);
create index command_invocations_order on command_invocations (command_id, sort_rank, node_name, node_id);
create index command_invocations_node on command_invocations (node_id, command_id);
create table command_output (
    command_id text not null,
    node_id text not null,
    stream text not null,
    start_offset bigint not null,
    end_offset bigint not null,
    bytes bytea not null,
    primary key (command_id, node_id, stream, start_offset)
);
create table command_events (
    command_id text not null,
    sequence bigint not null,
    kind text not null,
    node_id text,
    stream text,
    start_offset bigint,
    body text not null,
    primary key (command_id, sequence)
);

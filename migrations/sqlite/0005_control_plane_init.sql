-- The embedded control plane: activations, nodes and their tags, commands, their invocations and steps.
-- Times are epoch milliseconds; `region` separates one region's state from another's.
create table ssm_activations (
    activation_id text not null primary key,
    region text not null,
    code_hash text not null,
    description text not null,
    default_instance_name text not null,
    iam_role text not null,
    registration_limit bigint not null,
    registrations bigint not null,
    tags text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index ssm_activations_by_time on ssm_activations (region, created_at, activation_id);
create table ssm_nodes (
    node_id text not null primary key,
    region text not null,
    activation_id text not null,
    iam_role text not null,
    name text not null,
    fingerprint text not null,
    public_key text not null,
    public_key_type text not null,
    registered_at bigint not null,
    last_ping_at bigint not null,
    agent_name text not null,
    agent_version text not null,
    platform_type text not null,
    platform_name text not null,
    platform_version text not null,
    computer_name text not null,
    ip_address text not null
);
create index ssm_nodes_by_region on ssm_nodes (region, node_id);
create index ssm_nodes_by_activation on ssm_nodes (activation_id);
create table ssm_tags (
    resource_type text not null,
    resource_id text not null,
    region text not null,
    tag_key text not null,
    tag_value text not null,
    primary key (resource_type, resource_id, tag_key)
);
create index ssm_tags_by_key on ssm_tags (region, tag_key, tag_value);
create table ssm_commands (
    command_id text not null primary key,
    region text not null,
    document text not null,
    document_version text not null,
    document_content text not null,
    parameters text not null,
    instance_ids text not null,
    targets text not null,
    comment text not null,
    max_concurrency text not null,
    max_errors text not null,
    timeout_seconds bigint not null,
    execution_timeout_seconds bigint not null,
    output_bucket text not null,
    output_prefix text not null,
    output_region text not null,
    service_role text not null,
    notification text not null,
    cloud_watch text not null,
    requested_at bigint not null,
    status text not null,
    status_details text not null,
    target_count bigint not null,
    completed_count bigint not null,
    error_count bigint not null,
    delivery_timed_out_count bigint not null,
    acknowledged_count bigint not null,
    cancel_requested bigint not null,
    finished bigint not null
);
create index ssm_commands_by_time on ssm_commands (region, requested_at, command_id);
create index ssm_commands_open on ssm_commands (finished, requested_at);
create table ssm_invocations (
    command_id text not null references ssm_commands (command_id),
    node_id text not null,
    region text not null,
    node_name text not null,
    requested_at bigint not null,
    status text not null,
    status_details text not null,
    trace_output text not null,
    sent_at bigint,
    acknowledged_at bigint,
    started_at bigint,
    ended_at bigint,
    finished bigint not null,
    primary key (command_id, node_id)
);
create index ssm_invocations_by_time on ssm_invocations (region, requested_at, command_id, node_id);
create index ssm_invocations_by_node on ssm_invocations (node_id, requested_at);
create index ssm_invocations_open on ssm_invocations (finished, command_id);
create table ssm_steps (
    command_id text not null,
    node_id text not null,
    step text not null,
    plugin text not null,
    status text not null,
    code bigint not null,
    started_at bigint,
    ended_at bigint,
    standard_output text not null,
    standard_error text not null,
    primary key (command_id, node_id, step)
);

-- Maintenance windows of the embedded control plane. Times are epoch milliseconds; `region` separates one region's state
-- from another's. A `definition` is JSON: what was registered, as it is answered.
-- `next_at` is when the window opens next, in its own index, so that a round reads only what is due.
create table ssm_windows (
    region text not null,
    window_id text not null,
    definition text not null,
    next_at bigint,
    created_at bigint not null,
    modified_at bigint not null,
    primary key (region, window_id)
);
create index ssm_windows_due on ssm_windows (next_at) where next_at is not null;
create table ssm_window_targets (
    region text not null,
    window_id text not null,
    target_id text not null,
    definition text not null,
    primary key (region, window_id, target_id)
);
create table ssm_window_tasks (
    region text not null,
    window_id text not null,
    task_id text not null,
    definition text not null,
    primary key (region, window_id, task_id)
);
-- One row for each time that a window opened, or should have.
create table ssm_window_executions (
    region text not null,
    execution_id text not null,
    window_id text not null,
    status text not null,
    status_details text not null,
    starts_at bigint not null,
    cutoff_at bigint not null,
    ended_at bigint,
    finished bigint not null,
    primary key (region, execution_id)
);
create index ssm_window_executions_by_window on ssm_window_executions (region, window_id, starts_at, execution_id);
create index ssm_window_executions_open on ssm_window_executions (starts_at) where finished = 0;
-- The tasks as they were registered when the window opened.
create table ssm_window_task_executions (
    execution_id text not null,
    task_execution_id text not null,
    task_id text not null,
    priority bigint not null,
    definition text not null,
    status text not null,
    status_details text not null,
    started_at bigint,
    ended_at bigint,
    primary key (execution_id, task_execution_id)
);
-- What one registered target has to do for a task; for Run Command, `command_id` is the command that does it.
create table ssm_window_invocations (
    execution_id text not null,
    task_execution_id text not null,
    invocation_id text not null,
    position bigint not null,
    node_ids text not null,
    command_id text not null,
    parameters text not null,
    owner_information text not null,
    window_target_id text not null,
    status text not null,
    status_details text not null,
    started_at bigint,
    ended_at bigint,
    primary key (execution_id, task_execution_id, invocation_id)
);
-- Tokens by which a repeated call is known, with what was answered the first time.
create table ssm_client_tokens (
    region text not null,
    operation text not null,
    client_token text not null,
    request_sha256 text not null,
    answer text not null,
    at bigint not null,
    primary key (region, operation, client_token)
);
create index ssm_client_tokens_by_age on ssm_client_tokens (at);

-- Executions of runbooks of the embedded control plane, and their steps in the order in which they were begun. Times are
-- epoch milliseconds.
create table ssm_automation_executions (
    region text not null,
    execution_id text not null primary key,
    document text not null,
    document_version text not null,
    content text not null,
    parameters text not null,
    variables text not null,
    status text not null,
    failure_message text not null,
    stop text not null,
    executed_by text not null,
    parent_id text not null,
    outputs text not null,
    current_step text not null,
    current_action text not null,
    started_at bigint not null,
    ended_at bigint
);
create index ssm_automation_executions_by_time on ssm_automation_executions (region, started_at desc, execution_id desc);
create index ssm_automation_executions_open on ssm_automation_executions (ended_at, started_at, execution_id);
create table ssm_automation_steps (
    execution_id text not null,
    position bigint not null,
    step bigint not null,
    name text not null,
    action text not null,
    step_execution_id text not null,
    attempts bigint not null,
    status text not null,
    inputs text not null,
    outputs text not null,
    response_code text not null,
    failure_message text not null,
    chosen text not null,
    work text not null,
    started_at bigint not null,
    ended_at bigint,
    due_at bigint,
    poll_at bigint,
    primary key (execution_id, position)
);

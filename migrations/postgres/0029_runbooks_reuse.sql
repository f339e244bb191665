-- Filled forms that start runbooks, kept under a name: one's own and shared ones. Secrets are not among what is kept.
create table runbook_templates (
    template_id text not null primary key,
    connection_id text not null,
    owner_id text not null,
    owner_name text not null,
    document text not null,
    name text not null,
    version text not null,
    saved_version text not null,
    content_hash text not null,
    input text not null,
    left_out text not null,
    shared bigint not null,
    saved_at bigint not null,
    unique (connection_id, owner_id, document, name)
);
create index runbook_templates_by_document on runbook_templates (connection_id, document);
-- Steps that were retried: they count as not begun, and stay to be read.
alter table ssm_automation_steps add column retried bigint not null default 0;
-- Executions that were retried: when, and when they had ended before. News that old is not that they have ended again.
alter table executions add column retried_at bigint;
alter table executions add column ended_before bigint;
-- Schedules on which runbooks are started: what exactly, and the maintenance window at Systems Manager that does it. Written
-- down before the window is made, with the tokens under which it is.
create table runbook_schedules (
    schedule_id text not null primary key,
    connection_id text not null,
    name text not null,
    plan text not null,
    reason text not null,
    schedule text not null,
    time_zone text not null,
    duration_hours bigint not null,
    cutoff_hours bigint not null,
    window_token text not null,
    task_token text not null,
    window_id text,
    state text not null,
    enabled bigint not null,
    held text not null,
    problem text not null,
    created_by text not null,
    created_by_id text,
    created_at bigint not null,
    last_window_execution text not null,
    last_status text not null,
    last_at bigint,
    last_execution text not null
);

-- Runbooks: loops (in which iteration of which step a step was begun), executions over many targets (each target is an
-- execution of its own), and executions that are run step by step.
alter table ssm_automation_steps add column parent_position bigint;
alter table ssm_automation_steps add column parent_iteration bigint not null default 0;
alter table ssm_automation_executions add column mode text not null default 'Auto';
alter table ssm_automation_executions add column permitted text not null default '';
alter table ssm_automation_executions add column targets text not null default '';
alter table ssm_automation_executions add column target text not null default '';
alter table ssm_automation_executions add column target_group text not null default '';
create index ssm_automation_executions_by_parent
    on ssm_automation_executions (parent_id, started_at desc, execution_id desc);
create table ssm_automation_targets (
    execution_id text not null,
    position bigint not null,
    given text not null,
    child_id text not null,
    primary key (execution_id, position)
);
create index ssm_automation_targets_waiting on ssm_automation_targets (execution_id, child_id, position);
create table ssm_automation_previews (
    region text not null,
    preview_id text not null primary key,
    preview text not null,
    failure_message text not null,
    ended_at bigint not null
);
create index ssm_automation_previews_by_time on ssm_automation_previews (ended_at);

-- Patches that are excepted on a baseline for a time: while one holds, its patch is among the rejected ones. Rows are kept.
-- Times are epoch milliseconds.
create table patch_exceptions (
    exception_id text not null primary key,
    connection_id text not null,
    baseline_id text not null,
    baseline_name text not null,
    patch text not null,
    because text not null,
    control text not null,
    expires_at bigint not null,
    -- granting, holding, ended or failed.
    state text not null,
    -- 1 while it is granted or holds.
    is_open bigint not null,
    granted_by text not null,
    request_id text not null,
    granted_at bigint not null,
    ended_at bigint,
    ended_because text not null
);
create unique index patch_exceptions_open on patch_exceptions (connection_id, baseline_id, patch) where is_open = 1;
create index patch_exceptions_due on patch_exceptions (connection_id, is_open, expires_at, exception_id);
create index patch_exceptions_by_time on patch_exceptions (connection_id, granted_at, exception_id);
create index patch_exceptions_of_baseline on patch_exceptions (connection_id, baseline_id, granted_at, exception_id);

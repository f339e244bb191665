-- An exception can be ended before its day: by whom, and since when that is under way.
alter table patch_exceptions add column ended_by text not null default '';
alter table patch_exceptions add column ending_at bigint;
create index patch_exceptions_ending on patch_exceptions (connection_id, ending_at)
    where is_open = 1 and ending_at is not null;

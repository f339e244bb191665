-- What the calendar needs of maintenance windows to say when they open without asking for it.
alter table maintenance_windows add column offset_days bigint not null default 0;
alter table maintenance_windows add column ends text not null default '';
create index maintenance_windows_by_next on maintenance_windows (connection_id, enabled, next_at, window_id);

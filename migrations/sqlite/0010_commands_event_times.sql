-- When the portal took note of an event: the log of a command shows it. Not known of earlier events.
alter table command_events add column happened_at bigint;

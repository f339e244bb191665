-- Every order in which the fleet can be listed has its index, which ends with the id that makes it unique:
-- a page is read from where it begins, however many nodes there are. Orders of more than one column are a
-- column of their own: SQLite finds a place in an index only by columns.
alter table nodes add column sort_platform text generated always as (platform_name || ' ' || platform_version) stored;
alter table nodes add column sort_ping bigint generated always as (coalesce(last_ping_at, 0)) stored;
create index nodes_in_order_of_status on nodes (ping_status, node_id);
create index nodes_in_order_of_platform on nodes (sort_platform, node_id);
create index nodes_in_order_of_agent on nodes (agent_version, node_id);
create index nodes_in_order_of_address on nodes (ip_address, node_id);
create index nodes_in_order_of_ping on nodes (sort_ping, node_id);
-- Those that have been silent longest, and those whose tags were read longest ago.
create index nodes_silent on nodes (ping_status, last_ping_at, node_id);
create index nodes_by_age_of_tags on nodes (connection_id, tags_synced_at);
-- Where somebody is signed in, by the name that pages know it by.
create index web_sessions_by_id on web_sessions (session_id);

-- Several connections keep what is theirs in the same tables. Lists and rounds ask for one connection's rows, so indexes begin
-- with it. Requests made before belong to the only connection that there was.
alter table approval_requests add column connection_id text not null default 'default';
update approval_requests set connection_id = coalesce(
    (select connection_id from connections order by synced_at desc nulls last limit 1), 'default');

drop index nodes_by_name;
drop index nodes_by_status;
drop index nodes_in_order_of_status;
drop index nodes_in_order_of_platform;
drop index nodes_in_order_of_agent;
drop index nodes_in_order_of_address;
drop index nodes_in_order_of_ping;
drop index nodes_silent;
create index nodes_by_name on nodes (connection_id, sort_name, node_id);
create index nodes_by_status on nodes (connection_id, ping_status, sort_name, node_id);
create index nodes_in_order_of_status on nodes (connection_id, ping_status, node_id);
create index nodes_in_order_of_platform on nodes (connection_id, sort_platform, node_id);
create index nodes_in_order_of_agent on nodes (connection_id, agent_version, node_id);
create index nodes_in_order_of_address on nodes (connection_id, ip_address, node_id);
create index nodes_in_order_of_ping on nodes (connection_id, sort_ping, node_id);
create index nodes_silent on nodes (connection_id, ping_status, last_ping_at, node_id);

drop index commands_by_time;
drop index commands_by_state;
drop index commands_by_status;
create index commands_by_time on commands (connection_id, requested_at, command_id);
create index commands_by_state on commands (connection_id, state, requested_at);
create index commands_by_status on commands (connection_id, status, requested_at, command_id);

drop index sessions_by_time;
drop index sessions_live;
create index sessions_by_time on sessions (connection_id, started_at, session_id);
create index sessions_live on sessions (connection_id, is_over, started_at);

drop index executions_by_time;
drop index executions_by_state;
drop index executions_by_status;
drop index executions_by_document;
drop index executions_by_parent;
create index executions_by_time on executions (connection_id, requested_at, execution_id);
create index executions_by_state on executions (connection_id, state, synced_at);
create index executions_by_status on executions (connection_id, status, requested_at, execution_id);
create index executions_by_document on executions (connection_id, document, requested_at, execution_id);
create index executions_by_parent on executions (connection_id, parent_ssm_id, requested_at);

drop index approval_requests_open;
drop index approval_requests_over;
drop index approval_requests_by_run;
drop index approval_requests_by_act;
drop index approval_requests_by_requester;
drop index approval_requests_by_outcome;
create index approval_requests_open on approval_requests (connection_id, is_open, expires_at, number);
create index approval_requests_over on approval_requests (connection_id, is_open, number);
create index approval_requests_by_run on approval_requests (connection_id, state, runs_at);
create index approval_requests_by_act on approval_requests (connection_id, is_open, act, number);
create index approval_requests_by_requester on approval_requests (connection_id, requester_id, number);
create index approval_requests_by_outcome on approval_requests (connection_id, outcome_id);
create index approval_requests_to_be_reviewed on approval_requests (connection_id, review_due_at);

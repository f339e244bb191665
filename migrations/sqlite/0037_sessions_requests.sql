-- Under which request for approval a session was opened; empty where it needed none.
alter table sessions add column request_id text not null default '';
update sessions set request_id = coalesce((select min(r.request_id) from approval_requests r where r.outcome_id = sessions.session_id), '')
    where exists (select 1 from approval_requests r where r.outcome_id = sessions.session_id);
-- The history of one node is walked along this, page by page.
create index sessions_of_node on sessions (node_id, started_at, session_id);
drop index sessions_by_node;

-- Requests for approval with what was frozen, decided and done, the policies in all their versions, and roles that are
-- held for a time. Times are epoch milliseconds.
create table approval_requests (
    request_id text not null primary key,
    number bigint not null unique,
    act text not null,
    title text not null,
    requester_id text,
    requester text not null,
    requester_person text not null,
    address text not null,
    asked_at bigint not null,
    state text not null,
    is_open bigint not null,
    generation bigint not null,
    version bigint not null,
    waits_since bigint not null,
    expires_at bigint not null,
    usable_until bigint,
    not_before bigint,
    runs_at bigint,
    ended_at bigint,
    reason text not null,
    ticket text not null,
    proposed text not null,
    plan text not null,
    digest text not null,
    changed text not null,
    demand text not null,
    nodes bigint not null,
    in_production bigint not null,
    glass_broken bigint not null,
    review_due_at bigint,
    review text,
    outcome_id text not null,
    problem text not null,
    reminded_at bigint,
    search text not null
);
create index approval_requests_open on approval_requests (is_open, expires_at, number);
create index approval_requests_over on approval_requests (is_open, number);
create index approval_requests_by_requester on approval_requests (requester_id, number);
create index approval_requests_by_run on approval_requests (state, runs_at);
create index approval_requests_by_review on approval_requests (review_due_at);
create index approval_requests_by_outcome on approval_requests (outcome_id);
create table approval_request_nodes (
    request_id text not null references approval_requests (request_id),
    node_id text not null,
    primary key (request_id, node_id)
);
create index approval_request_nodes_by_node on approval_request_nodes (node_id);
create table approval_asked (
    name text not null,
    request_id text not null references approval_requests (request_id),
    from_at bigint not null,
    primary key (name, request_id)
);
create index approval_asked_by_request on approval_asked (request_id);
create table approval_decisions (
    request_id text not null references approval_requests (request_id),
    number bigint not null,
    generation bigint not null,
    user_id text,
    account text not null,
    person text not null,
    verdict text not null,
    counts text not null,
    decided_at bigint not null,
    comment text not null,
    digest text not null,
    address text not null,
    struck bigint not null,
    primary key (request_id, number)
);
create table approval_events (
    request_id text not null references approval_requests (request_id),
    version bigint not null,
    happened_at bigint not null,
    who text not null,
    what text not null,
    primary key (request_id, version)
);
create table approval_numbers (
    only_one bigint not null primary key,
    next bigint not null
);
insert into approval_numbers (only_one, next) values (1, 1001);
create table approval_policies (
    version bigint not null primary key,
    text text not null,
    sha256 text not null,
    changed_by text not null,
    changed_at bigint not null
);
alter table user_grants add column expires_at bigint;
create index user_grants_by_end on user_grants (expires_at);
create index audit_log_resource on audit_log (resource, sequence);

-- The audit log: rows chained by hash, one head, signed checkpoints. Rows are only ever added.
create table audit_log (
    sequence bigint not null primary key,
    act_id text not null,
    phase text not null,
    at bigint not null,
    actor text not null,
    action text not null,
    resource text not null,
    address text not null,
    via text not null,
    outcome text not null,
    body text not null,
    hash text not null
);
create index audit_log_act on audit_log (act_id, sequence);
create index audit_log_actor on audit_log (actor, sequence);
create index audit_log_action on audit_log (action, sequence);
create index audit_log_at on audit_log (at, sequence);
create table audit_head (
    id bigint not null primary key,
    sequence bigint not null,
    hash text not null,
    touched_at bigint not null
);
insert into audit_head (id, sequence, hash, touched_at) values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0);
create table audit_checkpoints (
    sequence bigint not null primary key,
    body text not null,
    key_id text not null,
    signature text not null
);

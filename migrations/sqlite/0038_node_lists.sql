-- Nodes that somebody chose one by one, too many for an address. The id is a digest of them: the same choice is kept once.
create table node_lists (
    list_id text not null primary key,
    node_ids text not null,
    kept_at bigint not null
);
create index node_lists_by_age on node_lists (kept_at);

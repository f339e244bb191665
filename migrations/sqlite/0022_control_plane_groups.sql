-- Resource groups of the embedded control plane: saved queries for nodes by their tags. Times are epoch milliseconds.
create table ssm_resource_groups (
    region text not null,
    name text not null,
    about text not null,
    query_type text not null,
    query text not null,
    created_at bigint not null,
    primary key (region, name)
);

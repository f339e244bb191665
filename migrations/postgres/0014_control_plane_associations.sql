-- State Manager and compliance of the embedded control plane. Times are epoch milliseconds; `region` separates one
-- region's state from another's. A `definition` is JSON: an association as it was made or changed.
create table ssm_associations (
    region text not null,
    association_id text not null,
    document text not null,
    version bigint not null,
    definition text not null,
    created_at bigint not null,
    modified_at bigint not null,
    -- When it runs next; now and overdue are the same.
    next_at bigint,
    last_execution_at bigint,
    last_success_at bigint,
    primary key (region, association_id)
);
create index ssm_associations_due on ssm_associations (next_at) where next_at is not null;
create index ssm_associations_by_document on ssm_associations (region, document);
create table ssm_association_versions (
    region text not null,
    association_id text not null,
    version bigint not null,
    definition text not null,
    created_at bigint not null,
    primary key (region, association_id, version)
);
create table ssm_association_executions (
    region text not null,
    association_id text not null,
    execution_id text not null,
    version bigint not null,
    command_id text not null,
    status text not null,
    detailed_status text not null,
    counts text not null,
    created_at bigint not null,
    finished bigint not null,
    primary key (region, association_id, execution_id)
);
create index ssm_association_executions_by_time
    on ssm_association_executions (region, association_id, created_at, execution_id);
create index ssm_association_executions_open on ssm_association_executions (created_at) where finished = 0;
-- How an association stands on each of its nodes.
create table ssm_association_nodes (
    region text not null,
    association_id text not null,
    node_id text not null,
    version bigint not null,
    execution_id text not null,
    status text not null,
    detailed_status text not null,
    execution_at bigint not null,
    primary key (region, association_id, node_id)
);
create index ssm_association_nodes_by_node on ssm_association_nodes (region, node_id, association_id);
-- What is and is not compliant; items about patches are in the inventory of their nodes.
create table ssm_compliance_items (
    region text not null,
    resource_id text not null,
    compliance_type text not null,
    item_id text not null,
    title text not null,
    severity text not null,
    status text not null,
    details text not null,
    execution_at bigint not null,
    execution_id text not null,
    execution_type text not null,
    primary key (region, resource_id, compliance_type, item_id)
);
-- The same for each resource and type as counts: what lists and summaries are made of.
create table ssm_compliance_resources (
    region text not null,
    resource_id text not null,
    compliance_type text not null,
    resource_type text not null,
    status text not null,
    severity text not null,
    compliant text not null,
    non_compliant text not null,
    content_hash text not null,
    execution_at bigint not null,
    execution_id text not null,
    execution_type text not null,
    primary key (region, resource_id, compliance_type)
);
create index ssm_compliance_resources_by_type on ssm_compliance_resources (region, compliance_type, resource_id);

-- Nodes that are to run their associations because a command asked for it (aws:refreshAssociation), until they do.
create table ssm_association_refreshes (
    region text not null,
    command_id text not null,
    node_id text not null,
    primary key (command_id, node_id)
);

-- Sessions of the embedded control plane, and the documents that accounts make themselves.
-- Times are epoch milliseconds; `region` separates one region's state from another's. No token is kept here.
create table ssm_sessions (
    session_id text not null primary key,
    region text not null,
    node_id text not null,
    document text not null,
    document_content text not null,
    parameters text not null,
    reason text not null,
    owner text not null,
    status text not null,
    status_version bigint not null,
    started_at bigint not null,
    ended_at bigint,
    idle_ms bigint not null,
    max_ms bigint,
    end_message text not null,
    details text not null,
    input_bytes bigint not null,
    output_bytes bigint not null,
    finished bigint not null
);
create index ssm_sessions_by_time on ssm_sessions (region, finished, started_at, session_id);
create index ssm_sessions_open on ssm_sessions (finished, started_at);
create table ssm_documents (
    region text not null,
    name text not null,
    version bigint not null,
    version_name text not null,
    display_name text not null,
    document_type text not null,
    target_type text not null,
    schema_version text not null,
    format text not null,
    content text not null,
    sha256 text not null,
    owner text not null,
    created_at bigint not null,
    is_default bigint not null,
    primary key (region, name, version)
);
create index ssm_documents_default on ssm_documents (region, is_default, name);

-- Which version of its Session document a session was opened with, and what that says: SHA-256 of its content, and the minutes
-- after which it ends when idle and at the latest; 0 where it says nothing.
alter table sessions add column document_version text not null default '';
alter table sessions add column document_sha256 text not null default '';
alter table sessions add column document_idle_minutes bigint not null default 0;
alter table sessions add column document_max_minutes bigint not null default 0;
-- Who is in a session now: few, whatever has been.
create index session_participants_there on session_participants (joined_at) where left_at is null;

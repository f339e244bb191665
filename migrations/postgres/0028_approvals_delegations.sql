-- Who carries a request out holds it for a while, by the database's clock.
alter table approval_requests add column held_by text;
alter table approval_requests add column held_until bigint;

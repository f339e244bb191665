//! All whole-portal tests in one binary: the built program, driven over HTTP and its command line.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]
#![expect(
    unreachable_pub,
    reason = "one binary; its modules' headers say what is there"
)]

mod approvals;
mod approvals_of_steps;
mod aws_mode;
mod buckets;
mod command_documents;
mod commands;
mod deployments;
mod deployments_done;
mod deployments_on_approval;
mod doors;
mod doors_of_approvals;
mod doors_of_deployments;
mod doors_of_endpoint;
mod doors_of_parameters;
mod doors_of_patching;
mod doors_of_routes;
mod doors_of_windows;
mod entrance;
mod first_day;
mod full_disk;
mod limits;
mod master_key;
mod parameters;
mod parameters_on_approval;
mod patching;
mod patching_exceptions;
mod plan_walks;
mod plans;
mod postgres;
mod recordings_in_a_bucket;
mod records;
mod refusals;
mod rough;
mod runbook_reuse;
mod runbook_starts;
mod runbooks;
mod selections;
mod session_clients;
mod several_connections;
mod standing;
mod steps;
mod support;
mod terminal_documents;
mod terminal_ends;
mod terminal_faults;
mod terminal_limits;
mod terminals;
mod windows;
mod windows_on_approval;

/// Makes sure that every page, and with it every server function, is part of this binary.
#[test]
fn pages_are_linked() {
    let _ = muster_app::App;
}

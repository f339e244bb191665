//! The control plane from outside: signed requests through its router, and a simulated agent on a real
//! websocket. What single functions do is tested beside them.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod association_examples;
#[cfg(test)]
mod associations;
#[cfg(test)]
mod automation;
#[cfg(test)]
mod automation_examples;
#[cfg(test)]
mod automation_limits;
#[cfg(test)]
mod automation_loops;
#[cfg(test)]
mod automation_retries;
#[cfg(test)]
mod automation_scripts;
#[cfg(test)]
mod automation_targets;
#[cfg(test)]
mod automation_webhooks;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_input_tables;
#[cfg(test)]
mod bucket;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod compliance;
#[cfg(test)]
mod data_sync;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod ec2;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod kms;
#[cfg(test)]
mod model;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod ops_item_examples;
#[cfg(test)]
mod ops_items;
#[cfg(test)]
mod parameter_lists;
#[cfg(test)]
mod parameter_policies;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod patch_examples;
#[cfg(test)]
mod patches;
#[cfg(test)]
mod real_agent;
#[cfg(test)]
mod run_command;
#[cfg(test)]
mod run_command_faults;
#[cfg(test)]
mod runbooks;
#[cfg(test)]
mod session_clients;
#[cfg(test)]
mod session_documents;
#[cfg(test)]
mod session_ends;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sessions_faults;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod topic_delivery;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod webhook;
#[cfg(test)]
mod window_examples;
#[cfg(test)]
mod window_runbooks;
#[cfg(test)]
mod window_runs;
#[cfg(test)]
mod windows;
#[cfg(test)]
mod world;

//! The `vestibule` command, as an administrator runs it: arguments in, exit code and
//! text out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod admin;
mod database;
mod decode_launch;
mod doctor;
#[path = "../shared/epic.rs"]
mod epic;
mod launch_link;
mod pages;
mod profile_check;
mod profile_import;
mod profile_keypair;
mod profile_remove;
mod profile_seal;
mod samples;
mod support;

//! The conferencing side over real HTTP: what Pexip Infinity asks and tells, what the
//! embedded node tells, and what the simulated EHR hears of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod admin_pages;
mod at_rest;
#[path = "../shared/clock.rs"]
mod clock;
#[path = "../shared/database.rs"]
mod database;
mod device_test;
mod embedded;
#[path = "../shared/epic.rs"]
mod epic;
mod event_sink;
mod house;
mod issued;
mod pins;
mod policy;
mod routing;
mod row_23_end_of_visit;
mod row_34_drain;
mod secrets;
mod visit;
mod write_backs;

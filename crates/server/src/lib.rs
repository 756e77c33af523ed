//! The Vestibule server: takes launches from the EHR, signs in, and sends the
//! browser into the visit.

pub mod access_log;
pub mod cli;
pub mod clock;
pub mod conferencing;
pub mod config;
pub mod dialect;
pub mod error_page;
pub mod failure;
pub mod http_client;
pub mod in_flight;
pub mod launch;
mod problem;
pub mod profile;
pub mod random;
pub mod routes;
pub mod sealing;
pub mod security_headers;
pub mod server;
pub mod state;
pub mod tools;

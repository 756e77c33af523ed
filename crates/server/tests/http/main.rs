//! The server over real HTTP, with a scripted EHR on the other side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod admin;
mod admin_access;
mod admin_bounds;
mod admin_changes;
mod admin_fields;
mod admin_oidc;
mod admin_sign_in;
mod binary;
#[path = "../shared/clock.rs"]
mod clock;
mod configuration_reference;
mod credentials;
#[path = "../shared/database.rs"]
mod database;
mod departure;
mod direct_link;
#[path = "../shared/epic.rs"]
mod epic;
mod errors_reference;
mod failure_page;
mod faults;
mod faults_reference;
mod forgery;
mod headers;
mod headers_everywhere;
mod jwks;
mod landing_page;
mod launch;
mod launch_bearer;
mod launch_error;
mod limits;
mod metrics;
mod nodes;
mod open_redirects;
mod openapi;
mod plain;
mod profiles_reload;
mod refusals;
mod registry;
mod retention;
mod samples;
mod sandbox;
mod secrets;
mod serving;
mod session;
mod session_cookies;
mod sign_in;
mod support;
mod ticket;
mod traces;
mod turned_away;
mod two_servers;
mod zoom;

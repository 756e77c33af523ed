//! Where connections come in: limits, TLS, the end, and whether the server can work.

mod admin_downloads;
mod admin_limits;
mod counted;
mod drain;
mod floods;
mod hsts;
mod limits;
mod ready;
mod smuggling;
mod tls;

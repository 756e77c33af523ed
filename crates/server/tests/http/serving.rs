//! Where connections come in: limits, TLS, the end, and whether the server can work.

mod counted;
mod drain;
mod floods;
mod limits;
mod ready;
mod smuggling;
mod tls;

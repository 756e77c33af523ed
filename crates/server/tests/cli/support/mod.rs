//! A server's folder, the command, and an EHR that it can ask.

mod browser;
mod command;
mod ehr;
mod home;
mod terminal;
mod tls;

pub(crate) use crate::epic::{KEY, SITE, UUID};
pub(crate) use browser::Browser;
pub(crate) use command::{Ran, vestibule};
pub(crate) use ehr::SimulatedEhr;
pub(crate) use home::{Home, Profile};
pub(crate) use terminal::in_terminal;
pub(crate) use tls::{TlsServer, openssl};

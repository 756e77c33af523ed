//! What the whole-system tests share: a browser, a house (server and simulated
//! EHR as real processes) and a tap on the wire between them.

pub(crate) mod browser;
pub(crate) mod house;
pub(crate) mod launcher;
pub(crate) mod process;
pub(crate) mod tap;

//! What must be on the machine besides Rust. Each part looks first, installs
//! what is missing where it may, and otherwise says in a sentence what to do.

mod apt;
pub(crate) mod browser;
mod cargo_tool;
pub(crate) mod debian;
pub(crate) mod deny;
pub(crate) mod firefox;
pub(crate) mod fuzzer;
pub(crate) mod nginx;
pub(crate) mod node;
pub(crate) mod openssl;
pub(crate) mod peers;
pub(crate) mod postgresql;
pub(crate) mod python;
mod tool_folder;
pub(crate) mod wasm_target;
pub(crate) mod webkit;

//! The templates of a telehealth profile: Jinja2 as Pexip Infinity documents it
//! (a subset of the language, 18 standard filters, filters named `pex_…`), with
//! limits that make a template safe to run whoever wrote it.
//!
//! ```
//! use vestibule_template::{Escaping, Template, contexts::*, defaults};
//!
//! let template = Template::parse(defaults::PATIENT_DISPLAY_NAME)?;
//! let name = template.render(
//!     Escaping::None,
//!     &DisplayNameContext {
//!         launch_information: LaunchInformation {
//!             fname: Some("Beverley".into()),
//!             lname: Some("Spinder".into()),
//!             ..LaunchInformation::default()
//!         },
//!         telehealth_integration: TelehealthIntegration::default(),
//!         telehealth_request_id: String::new(),
//!         unique_encounter_id: String::new(),
//!     },
//! )?;
//! assert_eq!(name, "Beverley Spinder");
//! # Ok::<(), vestibule_template::TemplateError>(())
//! ```
//!
//! Where this differs from Jinja2 3.1: no `include`, `import`, `extends`, `block`,
//! `macro`, `call`, `autoescape` and recursive loops; no other functions than
//! `range`; of Python's methods those in `methods.rs`; of named character
//! references, `striptags` knows six; floats of 1e16 and more are written out,
//! not a number is `NaN`; whole numbers end at 127 bits; [`limits`]. Names of
//! filters, tests and functions are checked when a template is parsed, not when
//! it is rendered. `tests/jinja2.rs` compares the two.

mod arguments;
pub mod contexts;
pub mod defaults;
mod engine;
mod error;
mod escaping;
mod filters;
mod functions;
mod guard;
pub mod limits;
mod methods;
mod operators;
mod predicates;
mod python;
mod source;
mod template;

pub use error::{TemplateError, TemplateErrorKind};
pub use escaping::{Escaping, Verbatim};
pub use template::Template;

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
//! What a template means is what Jinja2 3.1 makes of it: `tests/jinja2.rs` compares the
//! two over a corpus and over generated templates. What differs on purpose stands in
//! `tests/jinja2/differences.json` with a reason each. Names of filters, tests,
//! functions and methods are checked when a template is parsed, not when it is rendered,
//! and [`Template::parse_as`] checks the variables of a [`Kind`] too.
//!
//! Without the feature `full`, the filters that need regular expressions, hashes, time
//! zones and the like, and `str.format`, do not exist, and letters are changed by what
//! surrounds the rendering: the browser's error page is smaller for it.

mod arguments;
mod arithmetic;
pub mod contexts;
pub mod defaults;
mod engine;
mod error;
mod escaping;
mod filters;
mod functions;
mod guard;
#[cfg(feature = "full")]
mod kind;
pub mod limits;
mod methods;
mod names;
mod operators;
mod predicates;
mod python;
mod source;
mod surroundings;
mod template;

pub use error::{TemplateError, TemplateErrorKind};
pub use escaping::{Escaping, Verbatim};
#[cfg(feature = "full")]
pub use kind::Kind;
pub use surroundings::{Letters, Log, Random, Surroundings};
pub use template::Template;

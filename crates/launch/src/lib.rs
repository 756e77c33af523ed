//! What browser and server share of a telehealth launch.
//!
//! Nothing here does input or output, reads a clock or draws a random number
//! by itself: time and randomness come in as arguments, so a whole launch can
//! be simulated in a unit test.

mod alias;
pub mod client_api;
mod clock;
pub mod crypto;
mod display_name;
mod error_name;
mod join_link;
pub mod launch_api;
mod launch_context;
mod launch_parameters;
mod launch_ticket;
mod pin;
mod random_text;
mod request_id;
mod role;

pub use alias::{BaseAlias, NotABaseAlias};
pub use clock::{Clock, UnixTime};
pub use display_name::{DisplayName, DisplayNameError};
pub use error_name::{BrowserErrorName, ErrorName};
pub use join_link::{
    ClassicLink, Entry, JoinLink, JoinLinkError, LONGEST_LINK, LinkForm, LinkText, Remark,
    encode_component, scrub,
};
pub use launch_context::{
    EncounterId, LaunchContext, LaunchContextError, LaunchInformation, ParameterMap,
};
pub use launch_parameters::{LaunchParameters, LaunchParametersError, ParameterFault, PlusSign};
pub use launch_ticket::{LaunchTicket, NotALaunchTicket};
pub use pin::{Pin, PinError};
pub use request_id::RequestId;
pub use role::{EhrRole, Role};

//! What browser and server share of a telehealth launch.
//!
//! Nothing here does input or output, reads a clock or draws a random number
//! by itself: time and randomness come in as arguments, so a whole launch can
//! be simulated in a unit test. Without the standard library, whose panic handler
//! would weigh more in the browser than all the rest.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod alias;
pub mod client_api;
mod clock;
mod connect_link;
pub mod crypto;
mod display_name;
mod error_name;
mod join_link;
pub mod launch_api;
mod launch_context;
mod launch_event;
mod launch_parameters;
mod launch_ticket;
mod pin;
mod random_text;
mod request_id;
mod role;
mod trim;

pub use alias::{BaseAlias, NotABaseAlias};
pub use clock::{Clock, UnixTime};
pub use connect_link::{ConnectForm, connect_link};
pub use display_name::{DisplayName, DisplayNameError};
pub use error_name::{BrowserErrorName, ErrorName};
pub use join_link::{
    ClassicLink, Entry, JoinLink, JoinLinkError, LONGEST_LINK, LinkForm, LinkText, Remark,
    encode_component, scrub,
};
pub use launch_context::{
    EncounterId, LaunchContext, LaunchContextError, LaunchInformation, ParameterMap,
};
pub use launch_event::{DeviceTest, LaunchEvent, TestResult};
pub use launch_parameters::{LaunchParameters, LaunchParametersError, ParameterFault, PlusSign};
pub use launch_ticket::{LaunchTicket, NotALaunchTicket};
pub use pin::{Pin, PinError};
pub use request_id::RequestId;
pub use role::{EhrRole, Role};

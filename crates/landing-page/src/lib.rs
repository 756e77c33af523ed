//! The landing page as a hospital configures it: its name, logo and colour, where the
//! node is, and what happens to a visit that is joined.
//!
//! [`apply`] puts a [`Configuration`] into the page as it was built;
//! [`content_security_policy`] is the policy under which the result runs. The server
//! does both once, as it starts, and `cargo xtask branding` for a page that another web
//! server serves. Nothing here reads or writes.

mod apply;
mod colour;
mod compress;
mod configuration;
mod html;
mod logo;
mod page_path;
mod policy;
mod theme;
mod web_address;

pub use apply::{ApplyError, Page, apply};
pub use colour::{Colour, ColourError};
pub use compress::{brotli, gzip};
pub use configuration::{
    Configuration, ConfigurationError, Connect, DeviceCheck, HandOver, LANGUAGES,
};
pub use logo::{LogoError, LogoImage, LogoKind, LogoSource, MOST_LOGO_BYTES};
pub use page_path::{PagePath, PagePathError, is_page};
pub use policy::{NO_DEVICES, content_security_policy, error_frame_policy, permissions_policy};
pub use theme::{DARK_BACKGROUNDS, LIGHT_BACKGROUNDS, Theme, palette, themes};
pub use vestibule_launch::ConnectForm;
pub use web_address::{Origin, WebAddressError, WebAppAddress};

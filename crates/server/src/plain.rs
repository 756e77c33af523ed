//! A visit in plain HTML, for browsers in which the landing page's WebAssembly module
//! cannot run: the server joins for the browser.
//!
//! What the server must know of such a visit from one page to the next is sealed in a
//! cookie, so that it remembers nothing and any node may answer.

mod answer;
mod brand;
mod cookie;
mod form;
mod frame;
mod joining;
mod looking;
mod looks;
mod node_client;
mod own_address;
mod page;
mod visit;
mod words;

pub(crate) use brand::{Brand, style};
pub use cookie::PATH;
pub(crate) use cookie::{forget, read, remember};
pub(crate) use form::{Asked, By, Given, RememberedLaunch, Step};
pub(crate) use frame::{refresh_unknown, render_unknown};
pub(crate) use joining::{Offer, join};
pub(crate) use looking::{Seen, leave, look};
pub(crate) use looks::Looks;
pub(crate) use node_client::{Asking, NodeClient};
pub(crate) use own_address::{is_loopback, own_origin};
pub(crate) use page::Page;
pub(crate) use visit::{Shown, Stage, Visit};

use std::sync::Arc;

use axum::Router;
use vestibule_landing_page::{Configuration, HandOver, PagePath};
use vestibule_launch::ConnectForm;

use crate::{conferencing::PexipConfig, language::spoken, tools::Tools};

/// Why a visit in plain HTML does not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitFault {
    /// The conferencing node knows no such conference.
    #[error("the conferencing node knows no such conference (any more)")]
    NotFound,
    /// Too many PINs were wrong.
    #[error("too many wrong PINs")]
    PinLocked,
    /// The node refuses, or wants a sign-in, for which a current browser is needed.
    #[error("the conferencing node refused the participant, or wants a sign-in")]
    Refused,
    /// The node cannot be reached, or is out of order.
    #[error("the conferencing node cannot be reached, or is out of order: {0}")]
    Unavailable(String),
    /// The node's answer cannot be understood.
    #[error("the conferencing node's answer cannot be understood")]
    Malformed,
}

/// How often one browser may look at its visit in a minute: three tabs that wait.
const LOOKS_PER_MINUTE: u32 = 60;

/// What becomes of visits in plain HTML.
#[derive(Debug)]
pub(crate) enum Way {
    /// They are joined here, on this node.
    Join(NodeClient),
    /// They are taken on to a Connect web app.
    Connect {
        /// Its address, such as `https://meet.example.com/webapp3`.
        base: String,
        /// Its version.
        form: ConnectForm,
    },
    /// They are joined in another browser: which node they are on is not known here.
    Elsewhere,
}

/// What visits in plain HTML work with.
#[derive(Debug)]
pub struct PlainVisits {
    pub(crate) way: Way,
    /// Looks of one browser.
    pub(crate) looks: Looks,
    /// The hospital on the pages.
    pub(crate) brand: Brand,
    /// The language of those of whom nothing else says one, by primary tag.
    pub(crate) language: Option<&'static str>,
    /// Where the landing page is, for the links to it.
    pub(crate) landing_page: PagePath,
}

impl PlainVisits {
    /// Visits as the landing page's configuration has them: on the conferencing node that
    /// it names, or else on the embedded one, whose routes these are. With `pexip`, which
    /// says that Pexip Infinity has the conferences, the embedded node has none of them.
    pub fn new(
        configuration: &Configuration,
        pexip: &PexipConfig,
        embedded: Router,
        tools: &Tools,
    ) -> Self {
        let connect = configuration.connect.as_ref();
        let connect = connect.filter(|_| configuration.hand_over == HandOver::Connect);
        let connect = connect.map(|connect| Way::Connect {
            base: connect.base.as_str().to_owned(),
            form: connect.form,
        });
        let way = connect.unwrap_or_else(|| match &configuration.node {
            Some(node) => Way::Join(NodeClient::remote(
                Arc::clone(&tools.transport),
                node.as_str(),
            )),
            None if lacks_node(configuration, pexip) => Way::Elsewhere,
            None => Way::Join(NodeClient::embedded(embedded)),
        });
        let looks = Looks::new(LOOKS_PER_MINUTE);
        Self {
            way,
            looks,
            brand: Brand::of(configuration),
            language: configuration.language.as_deref().and_then(spoken),
            landing_page: configuration.assets(),
        }
    }
}

/// Whether visits in plain HTML cannot be joined here, because Pexip Infinity has the
/// conferences and `landing_page.node` does not say where it is.
pub(crate) fn lacks_node(configuration: &Configuration, pexip: &PexipConfig) -> bool {
    let is_pexip = pexip.policy.is_some() || pexip.event_sink.is_some();
    is_pexip && configuration.node.is_none() && configuration.hand_over != HandOver::Connect
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_pexip_infinity_its_node_must_be_named_or_visits_handed_on() {
        let with_policy = "policy_username = 'p'\npolicy_password = 'q'";
        let connect =
            "hand_over = 'connect'\nconnect = { base = 'https://h.example/w', form = 'webapp3' }";
        for (pexip, page, lacks) in [
            ("", "", false),
            (with_policy, "", true),
            (with_policy, "node = 'https://conf.example.org'", false),
            (with_policy, connect, false),
        ] {
            let pexip: PexipConfig = toml::from_str(pexip).unwrap();
            let page: Configuration = toml::from_str(page).unwrap();
            assert_eq!(lacks_node(&page, &pexip), lacks, "{page:?}");
        }
    }
}

//! The conferencing node's client API, version 2: the addresses of what
//! the handshake and the session send.

use vestibule_launch::encode_component;

use crate::{
    answer::expires,
    browser::{Browser, Url},
    json::Json,
};

/// Deadline of a `request_token`, in milliseconds: a node may be routing the call.
pub(crate) const TOKEN_DEADLINE: i32 = 60_000;
/// Deadline of every other request, in milliseconds.
pub(crate) const DEADLINE: i32 = 10_000;
/// Shortest wait before a renewal, in milliseconds, whatever lifetime a node claims.
const SHORTEST_RENEWAL: u32 = 1_000;

/// The paths of the requests, below the conference. The star stands for the token.
pub(crate) mod path {
    pub(crate) const REQUEST: &str = "request_token";
    pub(crate) const REFRESH: &str = "refresh_token";
    pub(crate) const RELEASE: &str = "release_token?token=*";
    pub(crate) const EVENTS: &str = "events?token=*";
}

/// A conference on a node, and the token to it. Without `Debug`: it holds the token.
pub(crate) struct Conference<J> {
    base: Option<J>,
    /// None before one is granted.
    pub(crate) token: Option<J>,
}

impl<J: Json> Conference<J> {
    /// No conference.
    pub(crate) const NONE: Self = Self {
        base: None,
        token: None,
    };

    /// The conference `alias` on the node at `node`; without one, on the page's own
    /// origin.
    pub(crate) fn new(browser: &impl Browser<Value = J>, node: Option<&J>, alias: &str) -> Self {
        let alias = J::from_text(&encode_component(alias));
        Self {
            base: Some(browser.address(Url {
                base: node,
                path: "/api/client/v2/conferences/*/",
                place: Some(&alias),
            })),
            token: None,
        }
    }

    /// The address of a request.
    pub(crate) fn url<'a>(&'a self, path: &'a str) -> Url<'a, J> {
        Url {
            base: self.base.as_ref(),
            path,
            place: self.token.as_ref(),
        }
    }
}

/// The token and its lifetime in seconds, out of the answer to `refresh_token`.
pub(crate) fn renewed<J: Json>(answer: &J) -> Option<(J, u32)> {
    let result = answer.get("result")?;
    Some((result.text("token")?, expires(&result)))
}

/// When a token that lives `expires` seconds is to be renewed: after a third of that.
pub(crate) fn renewal_after(expires: u32) -> i32 {
    let milliseconds = (expires.saturating_mul(1000) / 3).max(SHORTEST_RENEWAL);
    i32::try_from(milliseconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_after_a_third_of_its_life_but_not_without_pause() {
        assert_eq!(renewal_after(120), 40_000);
        assert_eq!(renewal_after(0), 1_000);
        assert_eq!(renewal_after(u32::MAX), 1_431_655_765);
    }
}

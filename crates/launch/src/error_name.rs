//! The public names of what can go wrong in a launch.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! error_names {
    (
        server { $($(#[$server_doc:meta])+ $server:ident = $server_name:literal,)+ }
        browser { $($(#[$browser_doc:meta])+ $browser:ident = $browser_name:literal,)+ }
    ) => {
        /// The public name of a failure: what the error page's template tests,
        /// what a user reads out to the help desk and what the log carries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorName {
            $($(#[$server_doc])+ #[serde(rename = $server_name)] $server,)+
            $($(#[$browser_doc])+ #[serde(rename = $browser_name)] $browser,)+
        }

        impl ErrorName {
            /// Every name, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$server,)+ $(Self::$browser,)+];

            /// The name as it is shown.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$server => $server_name,)+
                    $(Self::$browser => $browser_name,)+
                }
            }

            /// Whether it can happen in the browser, after the join link was given
            /// out. The others are the server's to tell.
            pub fn from_browser(self) -> bool {
                matches!(self, $(Self::$browser)|+)
            }
        }

        /// The names of those failures that can happen in the browser. A type of its
        /// own, so that the browser need not carry the names of the others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum BrowserErrorName {
            $($(#[$browser_doc])+ $browser,)+
        }

        impl BrowserErrorName {
            /// The name as it is shown.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$browser => $browser_name,)+
                }
            }
        }
    };
}

error_names! {
    server {
        /// The link is for an old appointment or for one that is not open yet.
        LinkNotValid = "BorvoGetTelehealthDirectLaunchTokenError",
        /// No telehealth profile has the uuid of the launch URL.
        ProfileNotFound = "TelehealthIntegrationNotFoundException",
        /// The EHR's SMART metadata could not be fetched or read.
        MetadataFetch = "MetadataFetchError",
        /// The encrypted launch parameters are bad, in whatever way.
        LaunchParametersInvalid = "launch_params_invalid",
        /// The launch URL lacks `iss` or `launch`, or names an EHR that the profile does not allow.
        LaunchRequestInvalid = "launch_request_invalid",
        /// The launch was used already.
        LaunchUsed = "launch_used",
        /// Too many launches from one place.
        RateLimited = "launch_rate_limited",
        /// The sign-in came back with a state that is unknown, forged, expired or another
        /// profile's, or to another browser.
        StateInvalid = "oauth2_state_invalid",
        /// The EHR or the user refused the sign-in.
        SignInRefused = "oauth2_access_denied",
        /// The EHR refused to exchange the authorization code.
        TokenExchange = "Oauth2 Launch Error",
        /// The EHR's token answer could not be read.
        TokenResponseMalformed = "token_response_malformed",
        /// The EHR did not answer in time.
        EhrTimeout = "ehr_timeout",
        /// The EHR could not be reached.
        EhrUnreachable = "ehr_unreachable",
        /// The EHR's name could not be resolved.
        EhrDns = "ehr_dns",
        /// No secure connection to the EHR could be made.
        EhrTls = "ehr_tls",
        /// The EHR refused this server's proof of itself, and the clocks disagree.
        ClockSkew = "clock_skew",
        /// A template of the profile failed.
        Template = "template_error",
    }
    browser {
        /// A one-time launch ticket is unknown, expired or used.
        TicketInvalid = "launch_ticket_invalid",
        /// The launch API could not be reached.
        LaunchApiUnavailable = "launch_api_unavailable",
        /// The join link names no conference.
        JoinLinkInvalid = "join_link_invalid",
        /// The conferencing node knows no such conference.
        ConferenceNotFound = "conference_not_found",
        /// The conferencing node could not be reached or answered with an error.
        NodeUnavailable = "conferencing_node_unavailable",
        /// The conferencing node's answer could not be understood.
        NodeAnswerInvalid = "conferencing_node_answer_invalid",
        /// The conferencing node refused the participant.
        NodeRefused = "conferencing_node_refused",
        /// Too many wrong PINs.
        PinLocked = "pin_attempts_exceeded",
        /// No host came in time.
        HostDidNotJoin = "host_did_not_join",
        /// The session was lost and could not be taken up again.
        SessionLost = "session_lost",
        /// An error in Vestibule itself.
        Internal = "internal_error",
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a launch failure")]
pub struct UnknownErrorName;

impl FromStr for ErrorName {
    type Err = UnknownErrorName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|name| name.as_str() == text)
            .ok_or(UnknownErrorName)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_its_own_and_is_read_back() {
        let names: HashSet<_> = ErrorName::ALL.iter().map(|name| name.as_str()).collect();
        assert_eq!(names.len(), ErrorName::ALL.len());
        for name in ErrorName::ALL {
            assert_eq!(name.as_str().parse(), Ok(*name));
            assert_eq!(serde_json::to_value(name).unwrap(), name.to_string());
        }
        assert_eq!("no such name".parse::<ErrorName>(), Err(UnknownErrorName));
    }
}

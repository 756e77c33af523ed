//! The browser in which a launch began: a cookie binds the two together, so that nobody
//! can be put into somebody else's launch by a prepared return address.
//!
//! Every launch has a cookie of its own, because several may run in one browser. It is
//! not a must by default: EHRs show launches in frames, where browsers may keep cookies
//! back.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use vestibule_launch::RequestId;

use super::SIGN_IN;
use crate::{profile::Profile, sealing::Sealer};

/// How long a browser that has its join link may ask for it again.
pub(super) const REPEAT: Duration = Duration::from_secs(60);

const NAME: &str = "vestibule-launch-";

/// Browsers take a cookie with this prefix from nobody but this very server, and only
/// over a secure connection.
const HOST: &str = "__Host-";

/// Most cookies of one launch that are looked at.
const MOST: usize = 64;

/// The launch cookies that came with a request, for one profile.
pub struct Browser<'a> {
    sealer: &'a Sealer,
    profile: &'a Profile,
    headers: &'a HeaderMap,
}

/// Whether a launch began in this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// It did.
    Same,
    /// It did not: the browser has cookies of other launches, or a false one.
    Other,
    /// The browser sent no cookie.
    Unknown,
}

impl<'a> Browser<'a> {
    /// The browser that sent a request with these headers.
    pub fn of(sealer: &'a Sealer, profile: &'a Profile, headers: &'a HeaderMap) -> Self {
        Self {
            sealer,
            profile,
            headers,
        }
    }

    /// Whether the launch `request_id` began here.
    pub(super) fn binding(&self, request_id: RequestId) -> Binding {
        if self.cookies().next().is_none() {
            Binding::Unknown
        } else if self.began(request_id) {
            Binding::Same
        } else {
            Binding::Other
        }
    }

    /// Whether a cookie proves that the launch `request_id` began here. All cookies of
    /// that name must.
    pub(super) fn began(&self, request_id: RequestId) -> bool {
        let own = self.cookies().filter(|(id, _)| *id == request_id);
        let own: Vec<_> = own.take(MOST + 1).collect();
        (1..=MOST).contains(&own.len())
            && own.iter().all(|(_, value)| {
                Base64UrlUnpadded::decode_vec(value).is_ok_and(|proof| {
                    self.sealer
                        .is_browser_proof(self.profile.uuid, request_id, &proof)
                })
            })
    }

    /// Its launch cookies, with the launches that they name. How many a browser may send
    /// is bounded by what a request's headers may hold.
    fn cookies(&self) -> impl Iterator<Item = (RequestId, &'a str)> {
        let prefix = prefix(self.profile);
        self.headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(move |pair| {
                let (name, value) = pair.trim().split_once('=')?;
                let name = name.strip_prefix(prefix)?.strip_prefix(NAME)?;
                Some((name.parse().ok()?, value))
            })
    }
}

/// The `Set-Cookie` by which a browser remembers the launch that begins in it.
pub(crate) fn remember(sealer: &Sealer, profile: &Profile, request_id: RequestId) -> HeaderValue {
    set(sealer, profile, request_id, SIGN_IN)
}

/// The `Set-Cookie` by which a browser remembers the launch until it has been given
/// its join link, and for a repeat.
pub(crate) fn remember_briefly(
    sealer: &Sealer,
    profile: &Profile,
    request_id: RequestId,
) -> HeaderValue {
    set(sealer, profile, request_id, REPEAT)
}

/// The `Set-Cookie` by which a browser forgets a launch that has failed.
pub(crate) fn forget(sealer: &Sealer, profile: &Profile, request_id: RequestId) -> HeaderValue {
    set(sealer, profile, request_id, Duration::ZERO)
}

fn set(sealer: &Sealer, profile: &Profile, request_id: RequestId, life: Duration) -> HeaderValue {
    let proof = sealer.browser_proof(profile.uuid, request_id);
    let proof = Base64UrlUnpadded::encode_string(&*proof);
    let prefix = prefix(profile);
    // `SameSite=None` and `Partitioned`: the EHR shows the launch in a frame.
    let scope = if prefix.is_empty() {
        "SameSite=Lax"
    } else {
        "Secure; SameSite=None; Partitioned"
    };
    let seconds = life.as_secs();
    let mut value = HeaderValue::try_from(format!(
        "{prefix}{NAME}{request_id}={proof}; Path=/; Max-Age={seconds}; HttpOnly; {scope}"
    ))
    .expect("all of it is visible ASCII");
    value.set_sensitive(true);
    value
}

/// Plain HTTP is possible on loopback only, and has no secure cookies.
fn prefix(profile: &Profile) -> &'static str {
    let sign_in = profile.sign_in.as_ref();
    let secure = sign_in.is_none_or(crate::profile::SignIn::returns_securely);
    if secure { HOST } else { "" }
}

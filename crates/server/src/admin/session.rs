//! Sessions of administrators: a cookie that holds 256 random bits, of which the store
//! has a hash.

use std::time::Duration;

use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use vestibule_store::{AdminSession, AdminSessionHash, StoreError};
use zeroize::Zeroizing;

use super::{Admin, Administrator, Role, access::SignedIn};
use crate::plain::is_loopback;

/// How long a session lasts that is not used.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// How long a session lasts.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

const BYTES: usize = 32;

/// The prefix makes browsers refuse a cookie that another host of the domain, or a page
/// without TLS, wants to put in its place.
const NAME: &str = "__Host-vestibule-admin";

/// On the machine itself, without TLS.
const LOOPBACK_NAME: &str = "vestibule-admin";

/// Whether a browser is on this machine, so that its cookies need no TLS. One that comes
/// through a proxy is not, whatever `Host` the proxy sends.
pub(super) fn is_local(admin: &Admin, extensions: &Extensions, headers: &HeaderMap) -> bool {
    is_loopback(headers) && !admin.trusted_proxies.trusts_peer(extensions)
}

/// Begins a session with a fresh id; gives the `Set-Cookie`. The session that the browser
/// shows that it had is over.
///
/// # Errors
/// Where the store fails.
pub(super) async fn begin(
    admin: &Admin,
    headers: &HeaderMap,
    is_local: bool,
    signed_in: &SignedIn,
) -> Result<HeaderValue, StoreError> {
    end(admin, headers, is_local).await?;
    let tools = &admin.tools;
    let mut id = Zeroizing::new([0; BYTES]);
    tools.random.with(|rng| rng.fill_bytes(id.as_mut_slice()));
    let now = tools.now();
    let session = AdminSession {
        administrator: signed_in.name.clone(),
        identity: signed_in.identity.clone(),
        role: signed_in.role.as_str().to_owned(),
        may_see_names: signed_in.may_see_names,
        credential: signed_in.credential,
        created_at: now,
        used_at: now,
        expires_at: now + LONGEST,
    };
    tools.store.begin_admin_session(hash(&id), session).await?;
    let value = Zeroizing::new(Base64UrlUnpadded::encode_string(id.as_slice()));
    Ok(cookie(is_local, &value, ""))
}

/// Whose session the browser has.
///
/// # Errors
/// Where the store fails.
pub(super) async fn find(
    admin: &Admin,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<Option<Administrator>, StoreError> {
    let Some(id) = id_of(headers, is_local(admin, extensions, headers)) else {
        return Ok(None);
    };
    let tools = &admin.tools;
    let session = tools.store.use_admin_session(hash(&id), IDLE, tools.now());
    let Some(session) = session.await? else {
        return Ok(None);
    };
    let Some(signed_in) = still(admin, &session) else {
        tools.store.end_admin_session(hash(&id)).await?;
        return Ok(None);
    };
    let source = admin.trusted_proxies.source(extensions, headers);
    Ok(Some(Administrator {
        name: signed_in.name,
        identity: signed_in.identity,
        role: signed_in.role,
        may_see_names: signed_in.may_see_names,
        source: source.to_string(),
        csrf: csrf(&id),
        session: Some(hash(&id)),
    }))
}

/// Whether somebody who was signed in when a stream began still is. That is no use of the
/// session: a stream goes on by itself.
///
/// # Errors
/// Where the store fails.
pub(super) async fn goes_on(admin: &Admin, who: &Administrator) -> Result<bool, StoreError> {
    let Some(hash) = who.session else {
        return Ok(false);
    };
    let tools = &admin.tools;
    let session = tools.store.find_admin_session(hash, IDLE, tools.now());
    let session = session.await?;
    Ok(session.is_some_and(|session| still(admin, &session).is_some()))
}

/// Whose session it is, as the configuration has it now.
fn still(admin: &Admin, session: &AdminSession) -> Option<SignedIn> {
    let by_provider = || {
        let name = &session.administrator;
        let provider = admin.oidc.as_ref().filter(|_| !admin.access.has_name(name));
        provider?.still(session)
    };
    admin.access.still(session).or_else(by_provider)
}

/// The session that the browser shows, whether or not it still is one.
pub(super) fn shown(headers: &HeaderMap, is_local: bool) -> Option<AdminSessionHash> {
    id_of(headers, is_local).map(|id| hash(&id))
}

/// Ends the browser's session, where it has one.
///
/// # Errors
/// Where the store fails.
pub(super) async fn end(
    admin: &Admin,
    headers: &HeaderMap,
    is_local: bool,
) -> Result<(), StoreError> {
    if let Some(hash) = shown(headers, is_local) {
        admin.tools.store.end_admin_session(hash).await?;
    }
    Ok(())
}

/// The `Set-Cookie` by which the browser forgets its session.
pub(super) fn forget(is_local: bool) -> HeaderValue {
    cookie(is_local, "", "; Max-Age=0")
}

/// The role that a session was begun with.
pub(super) fn role_of(session: &AdminSession) -> Option<Role> {
    Role::of_word(&session.role)
}

fn name(is_local: bool) -> &'static str {
    match is_local {
        true => LOOPBACK_NAME,
        false => NAME,
    }
}

/// It goes when the browser is closed, or earlier with the session.
fn cookie(is_local: bool, value: &str, life: &str) -> HeaderValue {
    let name = name(is_local);
    let secure = if is_local { "" } else { "; Secure" };
    let text = Zeroizing::new(format!(
        "{name}={value}; Path=/{life}; HttpOnly; SameSite=Strict{secure}"
    ));
    let mut value = HeaderValue::try_from(text.as_str()).expect("all of it is visible ASCII");
    value.set_sensitive(true);
    value
}

fn id_of(headers: &HeaderMap, is_local: bool) -> Option<Zeroizing<[u8; BYTES]>> {
    let wanted = name(is_local);
    let mut ids = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| {
            let mut id = Zeroizing::new([0; BYTES]);
            let decoded = Base64UrlUnpadded::decode(value, id.as_mut_slice());
            let is_whole = decoded.is_ok_and(|decoded| decoded.len() == BYTES);
            is_whole.then_some(id)
        });
    let id = ids.next().flatten()?;
    // Whoever put a second one there is not to choose which counts.
    ids.next().is_none().then_some(id)
}

fn hash(id: &[u8; BYTES]) -> AdminSessionHash {
    AdminSessionHash::from_bytes(Sha256::digest(id).into())
}

/// The token of the session's forms: nobody can make it who does not know the id.
fn csrf(id: &[u8; BYTES]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(id).expect("HMAC takes keys of any length");
    mac.update(b"vestibule admin form");
    Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, cookie.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_cookie_is_bound_to_its_host_and_to_tls() {
        let away = cookie(false, "abc", "");
        assert_eq!(
            away,
            "__Host-vestibule-admin=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        let here = cookie(true, "abc", "");
        assert_eq!(
            here,
            "vestibule-admin=abc; Path=/; HttpOnly; SameSite=Strict"
        );
        assert!(away.is_sensitive() && here.is_sensitive());
    }

    #[test]
    fn one_whole_cookie_of_the_right_name_is_an_id() {
        let id = Base64UrlUnpadded::encode_string(&[7; BYTES]);
        let good = format!("a=b; __Host-vestibule-admin={id}");
        assert_eq!(*id_of(&headers(&[&good]), false).unwrap(), [7; BYTES]);
        let plain = format!("vestibule-admin={id}");
        assert!(id_of(&headers(&[&plain]), false).is_none());
        assert!(id_of(&headers(&[&plain]), true).is_some());
        assert!(id_of(&headers(&[&good, &good]), false).is_none());
        for value in ["", "abc", &id[1..], &format!("{id}AA")] {
            let cookie = format!("__Host-vestibule-admin={value}");
            assert!(id_of(&headers(&[&cookie]), false).is_none(), "{value}");
        }
    }

    #[test]
    fn the_token_of_forms_is_the_sessions_own_and_tells_nothing_of_its_id() {
        assert_eq!(csrf(&[1; BYTES]), csrf(&[1; BYTES]));
        assert_ne!(csrf(&[1; BYTES]), csrf(&[2; BYTES]));
        assert_ne!(
            csrf(&[1; BYTES]),
            Base64UrlUnpadded::encode_string(&[1; BYTES])
        );
    }
}

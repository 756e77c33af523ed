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

/// Begins a session with a fresh id; gives the `Set-Cookie`. The session that the browser
/// had is over.
///
/// # Errors
/// Where the store fails.
pub(super) async fn begin(
    admin: &Admin,
    headers: &HeaderMap,
    signed_in: &SignedIn,
) -> Result<HeaderValue, StoreError> {
    end(admin, headers).await?;
    let tools = &admin.tools;
    let mut id = Zeroizing::new([0; BYTES]);
    tools.random.with(|rng| rng.fill_bytes(id.as_mut_slice()));
    let now = tools.now();
    let session = AdminSession {
        administrator: signed_in.name.clone(),
        role: signed_in.role.as_str().to_owned(),
        may_see_names: signed_in.may_see_names,
        credential: signed_in.credential,
        created_at: now,
        used_at: now,
        expires_at: now + LONGEST,
    };
    tools.store.begin_admin_session(hash(&id), session).await?;
    let value = Zeroizing::new(Base64UrlUnpadded::encode_string(id.as_slice()));
    Ok(cookie(headers, &value, ""))
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
    let Some(id) = id_of(headers) else {
        return Ok(None);
    };
    let tools = &admin.tools;
    let session = tools.store.use_admin_session(hash(&id), IDLE, tools.now());
    let Some(session) = session.await? else {
        return Ok(None);
    };
    let by_provider = || admin.oidc.as_ref()?.still(&session);
    let Some(signed_in) = admin.access.still(&session).or_else(by_provider) else {
        tools.store.end_admin_session(hash(&id)).await?;
        return Ok(None);
    };
    let source = admin.trusted_proxies.source(extensions, headers);
    Ok(Some(Administrator {
        name: signed_in.name,
        role: signed_in.role,
        may_see_names: signed_in.may_see_names,
        source: source.to_string(),
        csrf: csrf(&id),
    }))
}

/// Ends the browser's session, where it has one.
///
/// # Errors
/// Where the store fails.
pub(super) async fn end(admin: &Admin, headers: &HeaderMap) -> Result<(), StoreError> {
    if let Some(id) = id_of(headers) {
        admin.tools.store.end_admin_session(hash(&id)).await?;
    }
    Ok(())
}

/// The `Set-Cookie` by which the browser forgets its session.
pub(super) fn forget(headers: &HeaderMap) -> HeaderValue {
    cookie(headers, "", "; Max-Age=0")
}

/// The role that a session was begun with.
pub(super) fn role_of(session: &AdminSession) -> Option<Role> {
    Role::of_word(&session.role)
}

fn name(headers: &HeaderMap) -> &'static str {
    match is_loopback(headers) {
        true => LOOPBACK_NAME,
        false => NAME,
    }
}

/// It goes when the browser is closed, or earlier with the session.
fn cookie(headers: &HeaderMap, value: &str, life: &str) -> HeaderValue {
    let name = name(headers);
    let secure = if is_loopback(headers) { "" } else { "; Secure" };
    let text = Zeroizing::new(format!(
        "{name}={value}; Path=/{life}; HttpOnly; SameSite=Strict{secure}"
    ));
    let mut value = HeaderValue::try_from(text.as_str()).expect("all of it is visible ASCII");
    value.set_sensitive(true);
    value
}

fn id_of(headers: &HeaderMap) -> Option<Zeroizing<[u8; BYTES]>> {
    let wanted = name(headers);
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

    fn headers(host: &str, cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        for cookie in cookies {
            headers.append(header::COOKIE, cookie.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_cookie_is_bound_to_its_host_and_to_tls() {
        let away = cookie(&headers("admin.example.org", &[]), "abc", "");
        assert_eq!(
            away,
            "__Host-vestibule-admin=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        let here = cookie(&headers("127.0.0.1:7090", &[]), "abc", "");
        assert_eq!(
            here,
            "vestibule-admin=abc; Path=/; HttpOnly; SameSite=Strict"
        );
        assert!(away.is_sensitive() && here.is_sensitive());
    }

    #[test]
    fn one_whole_cookie_of_the_right_name_is_an_id() {
        let id = Base64UrlUnpadded::encode_string(&[7; BYTES]);
        let host = "admin.example.org";
        let good = format!("a=b; __Host-vestibule-admin={id}");
        assert_eq!(*id_of(&headers(host, &[&good])).unwrap(), [7; BYTES]);
        let plain = format!("vestibule-admin={id}");
        assert!(id_of(&headers(host, &[&plain])).is_none());
        assert!(id_of(&headers("localhost", &[&plain])).is_some());
        assert!(id_of(&headers(host, &[&good, &good])).is_none());
        for value in ["", "abc", &id[1..], &format!("{id}AA")] {
            let cookie = format!("__Host-vestibule-admin={value}");
            assert!(id_of(&headers(host, &[&cookie])).is_none(), "{value}");
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

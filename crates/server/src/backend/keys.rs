//! The backend application's private keys: which one signs, and which the EHR is told.

use std::time::Duration;

use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_smart::{AssertionKey, Jwks};

use crate::profile::Overlap;

/// How long EHRs may keep the key set, as its `Cache-Control` tells them.
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// How long before the end of a replaced key's time the new one takes over. Longer than
/// an assertion is good, so that the old key is published while anything is under way
/// that it has signed.
const TAKES_OVER: Duration = Duration::from_secs(5 * 60);

/// The route of the key sets.
pub(crate) const JWKS_ROUTE: &str = "/api/telehealth/v1/jwks/{uuid}";

/// The path of a profile's key set: it never changes, and the EHR is told of it.
pub fn jwks_path(profile: Uuid) -> String {
    JWKS_ROUTE.replace("{uuid}", &profile.to_string())
}

/// The keys of the backend application.
///
/// A new key is published as soon as the profile has it, and a replaced key goes on
/// signing until five minutes before its own end. So an EHR that keeps the key set for
/// [`JWKS_MAX_AGE`] knows the new key before it meets it, wherever a replaced key stays
/// valid for more than ten minutes.
#[derive(Clone)]
pub struct BackendKeys(Overlap<AssertionKey>);

impl BackendKeys {
    /// The current key, and what it replaced.
    pub fn new(keys: Overlap<AssertionKey>) -> Self {
        Self(keys)
    }

    /// The key that signs, and the one to try where the EHR does not accept it.
    pub fn signing(&self, now: UnixTime) -> (&AssertionKey, Option<&AssertionKey>) {
        let current = self.0.current();
        let Some(old) = self.0.valid(now).nth(1) else {
            return (current, None);
        };
        if self.0.valid(now + TAKES_OVER).count() > 1 {
            (old, Some(current))
        } else {
            (current, Some(old))
        }
    }

    /// The public keys.
    pub fn published(&self, now: UnixTime) -> Jwks {
        Jwks::new(self.0.valid(now).map(AssertionKey::public_jwk))
            .expect("keys are named after themselves, so two different keys have two names")
    }
}

#[cfg(test)]
mod tests {
    use vestibule_smart::KeyKind;

    use super::*;

    const END: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    fn key() -> AssertionKey {
        AssertionKey::generate(KeyKind::P384).unwrap()
    }

    fn published(keys: &BackendKeys, now: UnixTime) -> Vec<String> {
        let set = keys.published(now);
        set.keys().iter().map(|key| key.kid().to_string()).collect()
    }

    #[test]
    fn the_only_key_signs_at_once() {
        let key = key();
        let keys = BackendKeys::new(Overlap::only(key.clone()));
        assert_eq!(keys.signing(END).0.kid(), key.kid());
        assert!(keys.signing(END).1.is_none());
        assert_eq!(published(&keys, END), [key.kid().to_string()]);
    }

    #[test]
    fn a_new_key_is_published_before_it_signs_and_the_old_one_after_it_signed() {
        let (new, old) = (key(), key());
        let keys = BackendKeys::new(Overlap::replaced(new.clone(), old.clone(), END));
        let minutes = |count: u64| Duration::from_secs(count * 60);
        let names = |keys: &[&AssertionKey]| -> Vec<String> {
            keys.iter().map(|key| key.kid().to_string()).collect()
        };
        for (now, signing, seen) in [
            (END - minutes(60), &old, vec![&new, &old]),
            (END - minutes(6), &old, vec![&new, &old]),
            (END - minutes(5), &new, vec![&new, &old]),
            (END - minutes(1), &new, vec![&new, &old]),
            (END, &new, vec![&new]),
            (END + minutes(60), &new, vec![&new]),
        ] {
            let (first, second) = keys.signing(now);
            assert_eq!(first.kid(), signing.kid(), "{now:?}");
            assert_eq!(second.is_some(), now < END, "{now:?}");
            assert!(second.is_none_or(|second| second.kid() != first.kid()));
            assert_eq!(published(&keys, now), names(&seen), "{now:?}");
        }
    }

    #[test]
    fn whatever_signs_stays_published_while_its_assertion_is_good() {
        let keys = BackendKeys::new(Overlap::replaced(key(), key(), END));
        for second in 0..3600 {
            let now = END - Duration::from_secs(1800) + Duration::from_secs(second);
            let kid = keys.signing(now).0.kid().to_string();
            for later in [0, 60, 240] {
                let later = now + Duration::from_secs(later);
                assert!(published(&keys, later).contains(&kid), "{now:?}");
            }
        }
    }

    #[test]
    fn a_key_that_replaced_itself_is_listed_once() {
        let key = key();
        let keys = BackendKeys::new(Overlap::replaced(key.clone(), key.clone(), END));
        assert_eq!(published(&keys, END - TAKES_OVER).len(), 1);
    }
}

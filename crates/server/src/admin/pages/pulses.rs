//! What pages show, as those know it who watch them: whoever watches the same page in the
//! same role shares a look at it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{sync, time::Instant};

use crate::admin::Role;

/// The address of a page, and who looks at it: what may be done stands on it.
type Key = (String, Role);

/// The pages that are watched now.
#[derive(Default)]
pub(super) struct Pulses(Mutex<HashMap<Key, Weak<Pulse>>>);

/// What one page showed when it was last looked at, and when that was.
#[derive(Default)]
pub(super) struct Pulse(sync::Mutex<Option<(Instant, String)>>);

impl Pulses {
    /// That of a page, for as long as somebody holds it.
    pub(super) fn of(&self, page: &str, role: Role) -> Arc<Pulse> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (page.to_owned(), role);
        if let Some(pulse) = known.get(&key).and_then(Weak::upgrade) {
            return pulse;
        }
        known.retain(|_, pulse| pulse.strong_count() > 0);
        let pulse = Arc::new(Pulse::default());
        known.insert(key, Arc::downgrade(&pulse));
        pulse
    }
}

impl Pulse {
    /// What the page shows: by `look`, unless somebody looked less than `fresh` ago.
    pub(super) async fn get<E>(
        &self,
        fresh: Duration,
        look: impl Future<Output = Result<String, E>>,
    ) -> Result<String, E> {
        let mut last = self.0.lock().await;
        if let Some((at, shown)) = &*last
            && at.elapsed() < fresh
        {
            return Ok(shown.clone());
        }
        let shown = look.await?;
        *last = Some((Instant::now(), shown.clone()));
        Ok(shown)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn those_who_watch_the_same_page_look_once() {
        let pulses = Pulses::default();
        let look = async |pulse: &Pulse, shown: &str| {
            let shown = shown.to_owned();
            let looked = pulse.get(SECOND, async { Ok::<_, Infallible>(shown) });
            looked.await.unwrap()
        };
        let (one, other) = (
            pulses.of("/admin", Role::View),
            pulses.of("/admin", Role::View),
        );
        assert_eq!(look(&one, "first").await, "first");
        assert_eq!(look(&other, "second").await, "first", "it is fresh");
        let operator = pulses.of("/admin", Role::Operate);
        assert_eq!(look(&operator, "theirs").await, "theirs");
        tokio::time::advance(SECOND).await;
        assert_eq!(look(&other, "third").await, "third");
        assert_eq!(look(&one, "fourth").await, "third");
    }

    #[test]
    fn a_page_that_nobody_watches_any_more_takes_no_place() {
        let pulses = Pulses::default();
        for number in 0..100 {
            drop(pulses.of(&format!("/admin/appointments/{number}"), Role::View));
        }
        assert!(pulses.0.lock().unwrap().len() <= 1);
    }
}

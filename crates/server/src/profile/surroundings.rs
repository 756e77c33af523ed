//! What a profile's templates may ask of the server: the time, random values, a line in
//! the log.

use std::sync::Arc;

use vestibule_launch::{Clock, UnixTime};
use vestibule_template::Surroundings;

use super::Profile;
use crate::random::Random;

/// Gives what surrounds a rendering at its time.
pub(super) type Source = Box<dyn Fn() -> Surroundings + Send + Sync>;

impl Profile {
    /// Lets templates use `pex_now`, `pex_random_pin`, `pex_uuid4` and `pex_debug_log`,
    /// which fail without. Only the first call counts.
    pub fn surround(&self, clock: &Arc<dyn Clock>, random: &Arc<Random>) {
        let (clock, profile) = (Arc::clone(clock), self.uuid);
        let random = Arc::clone(random);
        let random: vestibule_template::Random =
            Arc::new(move |bytes: &mut [u8]| random.with(|rng| rng.fill_bytes(bytes)));
        let log: vestibule_template::Log = Arc::new(move |message: &str| {
            tracing::info!(%profile, message, "pex_debug_log");
        });
        let source: Source = Box::new(move || Surroundings {
            now: Some(clock.now().since(UnixTime::from_millis(0))),
            random: Some(Arc::clone(&random)),
            log: Some(Arc::clone(&log)),
            ..Surroundings::default()
        });
        // An error means that there is one already, as good as this.
        let _ = self.surroundings.set(source);
    }

    pub(super) fn surroundings(&self) -> Surroundings {
        let source = self.surroundings.get();
        source.map_or_else(Surroundings::default, |source| source())
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;
    use crate::profile::Sample;

    struct At(Duration);

    impl Clock for At {
        fn now(&self) -> UnixTime {
            UnixTime::from_millis(0) + self.0
        }
    }

    const SAMPLE: &str = include_str!("../../../../docs/samples/profiles/healthcare-org.toml");

    #[test]
    fn templates_learn_the_server_s_time_and_get_random_values() {
        let template = "service_name_template = \"{{ unique_encounter_id }} {{ (pex_now()).year }} {{ pex_uuid4() }}\"\n";
        let text = format!("{template}{SAMPLE}");
        let profile = Profile::parse(Path::new("profile.toml"), &text).unwrap();
        assert!(profile.warnings().is_empty(), "it is tried without");
        let context = Sample::new().context;
        assert!(profile.service_name(&context, "tag").is_err());
        let clock: Arc<dyn Clock> = Arc::new(At(Duration::from_secs(1_800_000_000)));
        let random = Arc::new(Random::new(crate::random::system()));
        profile.surround(&clock, &random);
        let name = profile.service_name(&context, "tag").unwrap();
        assert!(name.starts_with("1853 2027 "), "{name}");
        assert_ne!(profile.service_name(&context, "tag").unwrap(), name);
    }
}

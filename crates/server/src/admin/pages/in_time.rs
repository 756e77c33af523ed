//! Figures of which one may take too long: the page says so in its place, and shows the
//! others.

use std::time::Duration;

use tokio::time::Instant;
use vestibule_store::StoreError;

use super::filter::Chosen;

/// For how long figures are begun. What is read last still has its own deadline, and the
/// page the one of every request, which comes after both.
const BEGUN_WITHIN: Duration = Duration::from_secs(20);

/// In the place of what is not of a time.
pub(super) const SOON: &str = "This took too long. Try again soon.";

/// In a cell of a table.
pub(super) const TOO_LONG: &str = "took too long";

/// Reads figures one after the other.
pub(super) struct InTime {
    end: Instant,
    read_any: bool,
}

impl InTime {
    pub(super) fn new() -> Self {
        Self {
            end: Instant::now() + BEGUN_WITHIN,
            read_any: false,
        }
    }

    /// A figure; `None` where it took too long, or where those before it have left it no
    /// time.
    ///
    /// # Errors
    /// Where it could not be read for another reason.
    pub(super) async fn read<T>(
        &mut self,
        reading: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        if Instant::now() >= self.end {
            return Ok(None);
        }
        match reading.await {
            Ok(read) => {
                self.read_any = true;
                Ok(Some(read))
            }
            Err(StoreError::TooSlow) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is anything to show.
    ///
    /// # Errors
    /// Where nothing was read in time: then it is not for the figures that the database
    /// does not answer.
    pub(super) fn any(&self) -> Result<(), StoreError> {
        match self.read_any {
            true => Ok(()),
            false => Err(StoreError::TooSlow),
        }
    }
}

/// In the place of what took too long of the chosen time and profile: what to choose.
pub(super) fn narrower(chosen: &Chosen) -> String {
    let has_shorter = chosen.get("time") != Some("day");
    let has_all_profiles = chosen.get("profile").is_none();
    let what = match (has_shorter, has_all_profiles) {
        (true, true) => "Choose a shorter time or one profile.",
        (true, false) => "Choose a shorter time.",
        (false, true) => "Choose one profile.",
        (false, false) => "Try again soon.",
    };
    format!("This took too long. {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn soon() -> Result<u32, StoreError> {
        Ok(7)
    }

    async fn late() -> Result<u32, StoreError> {
        Err(StoreError::TooSlow)
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_left_out_and_what_comes_after_it_is_read() {
        let mut time = InTime::new();
        assert!(matches!(time.read(late()).await, Ok(None)));
        assert!(matches!(time.any(), Err(StoreError::TooSlow)));
        assert!(matches!(time.read(soon()).await, Ok(Some(7))));
        assert!(time.any().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn another_failure_is_one() {
        let damaged = async { Err::<u32, _>(StoreError::Damaged("launch")) };
        let read = InTime::new().read(damaged).await;
        assert!(matches!(read, Err(StoreError::Damaged("launch"))));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_begun_when_the_time_is_over() {
        let mut time = InTime::new();
        tokio::time::advance(BEGUN_WITHIN).await;
        assert!(matches!(time.read(soon()).await, Ok(None)));
    }

    #[test]
    fn it_is_said_what_may_still_be_chosen() {
        let said = |query| narrower(&Chosen::of(Some(query)));
        for (query, what) in [
            ("", "Choose a shorter time or one profile."),
            ("profile=", "Choose a shorter time or one profile."),
            ("time=month&profile=7", "Choose a shorter time."),
            ("time=day", "Choose one profile."),
            ("time=day&profile=7", "Try again soon."),
        ] {
            let what = format!("This took too long. {what}");
            assert_eq!(said(query), what, "{query}");
        }
    }
}

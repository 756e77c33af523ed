//! How long is kept what is over.

use std::time::Duration;

use serde::Deserialize;

/// `[retention]` of the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// For how many days launches are kept, for the help desk to find them, and with
    /// them who was in their visits and what EHRs were told; 30 unless said.
    pub days: Days,
}

/// Two days or more, since a join link can be good for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Days(u32);

impl Days {
    /// The time that these days take.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 24 * 60 * 60)
    }
}

impl Default for Days {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u32> for Days {
    type Error = &'static str;

    fn try_from(days: u32) -> Result<Self, Self::Error> {
        match days {
            2..=3650 => Ok(Self(days)),
            _ => Err("must be 2 to 3650 days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_join_link_may_still_need_is_not_forgotten() {
        assert!(Days::try_from(1).is_err());
        let two = Days::try_from(2).unwrap();
        assert_eq!(two.duration(), Duration::from_secs(172_800));
        assert!(Days::try_from(u32::MAX).is_err());
    }
}

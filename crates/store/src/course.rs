//! How a launch went: what is kept of it beside its state.

use std::time::Duration;

use vestibule_launch::UnixTime;

use crate::StoreError;

/// What is kept of how a launch went. Each write of a launch adds to what those before it
/// have kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// What the EHR calls the department of the encounter, where that is known by now.
    /// The caller caps its length.
    pub department: Option<String>,
    /// The steps that were taken since the write before, in their order. Of more than
    /// sixteen the first are kept.
    pub steps: Vec<StepTaken>,
}

/// A step of a launch that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepTaken {
    /// Which.
    pub step: LaunchStep,
    /// When it was over.
    pub at: UnixTime,
    /// How long it took; kept to the millisecond.
    pub took: Duration,
    /// Whether the launch could go on.
    pub ok: bool,
}

/// A step of a launch that is kept with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchStep {
    /// The EHR's SMART metadata.
    Metadata,
    /// The EHR's token endpoint.
    Token,
    /// The EHR's check of a direct join link.
    LinkCheck,
    /// Opening the encrypted parameters.
    Decrypt,
    /// The profile's templates.
    Templates,
}

impl LaunchStep {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Metadata,
        Self::Token,
        Self::LinkCheck,
        Self::Decrypt,
        Self::Templates,
    ];

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Token => "token",
            Self::LinkCheck => "link_check",
            Self::Decrypt => "decrypt",
            Self::Templates => "templates",
        }
    }
}

/// Most steps that one write keeps.
const MOST_STEPS: usize = 16;

impl Course {
    /// The steps as they are put behind those that the store has: `token 1800000000000 12
    /// ok;` for each.
    pub(crate) fn written_steps(&self) -> String {
        let steps = self.steps.iter().take(MOST_STEPS);
        let written = steps.map(|taken| {
            let StepTaken { step, at, took, ok } = taken;
            format!(
                "{} {} {} {};",
                step.as_str(),
                at.as_millis(),
                took.as_millis(),
                if *ok { OK } else { FAILED }
            )
        });
        written.collect()
    }
}

const OK: &str = "ok";
const FAILED: &str = "failed";

/// The steps that the store has.
pub(crate) fn read_steps(text: &str) -> Result<Vec<StepTaken>, StoreError> {
    let steps = text.split_terminator(';').map(read_step);
    let steps: Option<Vec<_>> = steps.collect();
    steps.ok_or(StoreError::Damaged("steps"))
}

fn read_step(text: &str) -> Option<StepTaken> {
    let mut parts = text.split(' ');
    let mut next = || parts.next();
    let word = next()?;
    let step = LaunchStep::ALL.into_iter().find(|it| it.as_str() == word)?;
    let at = UnixTime::from_millis(next()?.parse().ok()?);
    let took = Duration::from_millis(next()?.parse().ok()?);
    let ok = match next()? {
        OK => true,
        FAILED => false,
        _ => return None,
    };
    next().is_none().then_some(StepTaken { step, at, took, ok })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(step: LaunchStep, ok: bool) -> StepTaken {
        StepTaken {
            step,
            at: UnixTime::from_millis(1_800_000_000_000),
            took: Duration::from_millis(12),
            ok,
        }
    }

    #[test]
    fn steps_are_read_as_they_were_written_one_write_behind_the_other() {
        let first: Vec<_> = LaunchStep::ALL.map(|step| taken(step, true)).into();
        let second = vec![taken(LaunchStep::Token, false)];
        let written = |steps: &[StepTaken]| {
            let course = Course {
                department: None,
                steps: steps.to_vec(),
            };
            course.written_steps()
        };
        let both = format!("{}{}", written(&first), written(&second));
        assert_eq!(read_steps(&both).unwrap(), [first, second].concat());
        assert_eq!(written(&[]), "");
        assert_eq!(read_steps("").unwrap(), []);
    }

    #[test]
    fn one_write_keeps_no_more_steps_than_it_may() {
        let course = Course {
            department: None,
            steps: vec![taken(LaunchStep::Token, true); 40],
        };
        let kept = read_steps(&course.written_steps()).unwrap();
        assert_eq!(kept.len(), MOST_STEPS);
    }

    #[test]
    fn what_is_no_step_is_damaged() {
        for text in [
            "token;",
            "token 1 2 maybe;",
            "tea 1 2 ok;",
            "token 1 2 ok 3;",
            "token x 2 ok;",
            ";",
        ] {
            assert!(read_steps(text).is_err(), "{text}");
        }
    }
}

//! What is kept of a launch on its way: which steps it took, and where it leads.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use vestibule_launch::LaunchContext;
use vestibule_store::{Course, LaunchStep, StepTaken};

use crate::{telemetry::Step, tools::Tools};

/// Longest name of a department that is kept, in characters.
const LONGEST_DEPARTMENT: usize = 100;

/// Gathers how a launch goes until the next time that something of it is stored.
#[derive(Debug, Default)]
pub struct Trail(Mutex<Course>);

impl Trail {
    /// Takes a step that may fail: it is counted for the whole server, and kept for the
    /// launch.
    pub(super) async fn step<T, E>(
        &self,
        tools: &Tools,
        step: Step,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let begun = Instant::now();
        let output = tools.telemetry.step(step, future).await;
        self.took(tools, step, begun, output.is_ok());
        output
    }

    /// The same for a step that waits for nothing.
    pub(super) fn step_now<T, E>(
        &self,
        tools: &Tools,
        step: Step,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = Instant::now();
        let output = tools.telemetry.step_now(step, work);
        self.took(tools, step, begun, output.is_ok());
        output
    }

    fn took(&self, tools: &Tools, step: Step, begun: Instant, ok: bool) {
        if let Some(step) = kept(step) {
            let taken = StepTaken {
                step,
                at: tools.now(),
                took: begun.elapsed(),
                ok,
            };
            self.with(|course| course.steps.push(taken));
        }
    }

    /// From now on it is known where the launch leads.
    pub(super) fn leads_to(&self, context: &LaunchContext) {
        let department = context.launch_information.encfacnpiname.as_deref();
        if let Some(department) = department.and_then(shown_department) {
            self.with(|course| course.department = Some(department));
        }
    }

    /// What is to be stored now. It stays for the next time until it was stored.
    pub(super) fn so_far(&self) -> Course {
        self.with(|course| course.clone())
    }

    /// All of it was stored. What comes now is for the next time.
    pub(super) fn was_stored(&self) {
        self.with(|course| *course = Course::default());
    }

    fn with<T>(&self, work: impl FnOnce(&mut Course) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What whole requests take is in the times of the launch itself.
fn kept(step: Step) -> Option<LaunchStep> {
    match step {
        Step::Begin | Step::Complete | Step::DirectLink => None,
        Step::Metadata => Some(LaunchStep::Metadata),
        Step::Token => Some(LaunchStep::Token),
        Step::LinkCheck => Some(LaunchStep::LinkCheck),
        Step::Decrypt => Some(LaunchStep::Decrypt),
        Step::Templates => Some(LaunchStep::Templates),
    }
}

/// A department as listings show it: without control characters, and not longer than fits
/// a column.
fn shown_department(department: &str) -> Option<String> {
    let visible = department
        .chars()
        .filter(|character| !character.is_control());
    let shown: String = visible.take(LONGEST_DEPARTMENT).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_department_is_kept_as_it_is_shown() {
        assert_eq!(
            shown_department("  Radiology ").as_deref(),
            Some("Radiology")
        );
        assert_eq!(
            shown_department("Ra\u{0}dio\nlogy").as_deref(),
            Some("Radiology")
        );
        let long = shown_department(&"ä".repeat(1000)).unwrap();
        assert_eq!(long.chars().count(), LONGEST_DEPARTMENT);
        assert_eq!(shown_department(" \t"), None);
    }
}

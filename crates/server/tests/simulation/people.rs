//! Who takes part in a world.

use rand::{RngExt as _, rngs::ChaCha20Rng};

use crate::browser::Person;

/// Who may take part, and how often at most.
const PEOPLE: [(Person, u32); 5] = [
    (person("1", "provider", "ePrM2vKd7HtQe9Lw4Xs6ZnQ3"), 1),
    (person("1", "patient", "eSpDnKq7TzW0mBv1fXh2AaQ3"), 2),
    (person("2", "provider", "ePrM2vKd7HtQe9Lw4Xs6ZnQ3"), 1),
    (person("2", "patient", "ePcKo2Bn3VmXe4Ry5Ud6LsQ3"), 1),
    (person("3", "patient", "eZmA8kLp9GtSc1Wf2Vh3BnQ3"), 1),
];

/// One of them does; with these chances whoever has the same appointment does too, and
/// each of the others.
const COMPANION: f64 = 0.7;
const STRANGER: f64 = 0.03;

const fn person(appointment: &'static str, role: &'static str, id: &'static str) -> Person {
    Person {
        appointment,
        role,
        id,
    }
}

/// Somebody, those who come along, and how often each is in a visit.
pub(crate) fn drawn(rng: &mut ChaCha20Rng) -> Vec<(Person, u32)> {
    let first = rng.random_range(0..PEOPLE.len());
    let appointment = PEOPLE[first].0.appointment;
    let mut drawn = Vec::new();
    for (place, (person, most)) in PEOPLE.into_iter().enumerate() {
        let chance = match person.appointment == appointment {
            true => COMPANION,
            false => STRANGER,
        };
        if place == first || rng.random_bool(chance) {
            drawn.push((person, rng.random_range(1..=most)));
        }
    }
    drawn
}

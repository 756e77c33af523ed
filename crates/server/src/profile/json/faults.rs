//! What is wrong with a profile's JSON.

use std::collections::BTreeMap;

use crate::profile::Faults;

/// Why JSON is no profile: what is wrong, by field. It does not repeat values.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct JsonFaults(pub BTreeMap<String, Vec<String>>);

impl From<&Faults> for JsonFaults {
    fn from(faults: &Faults) -> Self {
        let mut by_field = Self::default();
        for fault in faults.iter() {
            by_field.add(fault.field, fault.text.clone());
        }
        by_field
    }
}

impl JsonFaults {
    pub(super) fn add(&mut self, field: &str, problem: String) {
        self.0.entry(field.to_owned()).or_default().push(problem);
    }
}

fn lines(faults: &BTreeMap<String, Vec<String>>) -> String {
    let lines = faults.iter().flat_map(|(field, problems)| {
        problems
            .iter()
            .map(move |problem| format!("{field}: {problem}"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

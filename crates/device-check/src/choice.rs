//! The device that was chosen last time, and which one that is today. Browsers
//! give devices new ids from time to time; then the label finds it again.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use crate::browser::BETWEEN;

/// A device as the browser lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `deviceId`.
    pub id: String,
    /// `label`; empty without permission.
    pub label: String,
}

/// What becomes of a remembered choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing was remembered, or it is here: it was asked for by its id, and where
    /// another one came instead, that stays.
    Nothing,
    /// This device is the one, under a new id.
    Renamed(&'a Device),
    /// It is not here any more.
    Gone,
}

impl Device {
    /// Devices from their ids and labels in turn.
    pub(crate) fn list<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Self> {
        let mut words = words;
        let mut list = Vec::new();
        while let (Some(id), Some(label)) = (words.next(), words.next()) {
            list.push(Self {
                id: id.to_owned(),
                label: label.to_owned(),
            });
        }
        list
    }

    /// The same out of one text.
    pub(crate) fn read(text: &str) -> Vec<Self> {
        Self::list(text.split(BETWEEN))
    }
}

/// Looks for what was remembered among the devices that are there, `current`
/// being the id of the one in use.
pub fn find<'a>(remembered: Option<&Device>, here: &'a [Device], current: &str) -> Found<'a> {
    let Some(remembered) = remembered else {
        return Found::Nothing;
    };
    if remembered.id == current || here.iter().any(|device| device.id == remembered.id) {
        return Found::Nothing;
    }
    here.iter()
        .find(|device| !device.label.is_empty() && device.label == remembered.label)
        .map_or(Found::Gone, Found::Renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, label: &str) -> Device {
        Device {
            id: id.to_owned(),
            label: label.to_owned(),
        }
    }

    #[test]
    fn a_device_with_a_new_id_is_found_by_its_label() {
        let here = [device("a", "Built-in"), device("b", "Desk camera")];
        let old = device("old", "Desk camera");
        assert_eq!(find(Some(&old), &here, "a"), Found::Renamed(&here[1]));
    }

    #[test]
    fn a_device_that_came_instead_of_one_that_is_here_stays() {
        let here = [device("a", "Built-in"), device("b", "Desk camera")];
        assert_eq!(find(Some(&here[1]), &here, "a"), Found::Nothing);
        assert_eq!(find(Some(&here[1]), &here, ""), Found::Nothing);
    }

    #[test]
    fn what_is_in_use_already_stays_in_use() {
        let here = [device("a", "Built-in")];
        assert_eq!(find(Some(&here[0]), &here, "a"), Found::Nothing);
        assert_eq!(find(None, &here, "a"), Found::Nothing);
    }

    #[test]
    fn an_unplugged_device_is_gone_and_an_empty_label_finds_nothing() {
        let here = [device("a", "")];
        assert_eq!(find(Some(&device("b", "")), &here, "a"), Found::Gone);
        assert_eq!(find(Some(&device("b", "Desk")), &here, "a"), Found::Gone);
    }
}

//! Which appointments service names stand for, as far as participants have shown it.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest as _, Sha256};

use super::places::Place;

/// Most names that are remembered; the oldest is forgotten first.
const MOST: usize = 4096;

/// Remembers names by their hash: they are patients' names.
#[derive(Default)]
pub(super) struct ServiceNames {
    /// `None` for names that several appointments share.
    places: HashMap<[u8; 32], Option<Place>>,
    in_order: VecDeque<[u8; 32]>,
}

impl ServiceNames {
    pub(super) fn learn(&mut self, name: &str, place: Place) {
        if name.is_empty() {
            return;
        }
        let hash = hash(name);
        if let Some(known) = self.places.get_mut(&hash) {
            if *known != Some(place) {
                *known = None;
            }
            return;
        }
        if self.in_order.len() == MOST
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.places.remove(&oldest);
        }
        self.in_order.push_back(hash);
        self.places.insert(hash, Some(place));
    }

    pub(super) fn find(&self, name: &str) -> Option<Place> {
        *self.places.get(&hash(name))?
    }
}

fn hash(name: &str) -> [u8; 32] {
    Sha256::digest(name).into()
}

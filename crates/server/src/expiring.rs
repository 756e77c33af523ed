//! A map that forgets: each entry after the same time, and the oldest where it is full.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};

use vestibule_launch::UnixTime;

/// A bounded map whose entries live for a fixed time after they were put there.
pub(crate) struct Expiring<K, V> {
    life: Duration,
    most: usize,
    entries: HashMap<K, Entry<V>>,
    /// Every entry in the order of its time, among some that were replaced since.
    order: VecDeque<Place<K>>,
    next: u64,
}

struct Entry<V> {
    number: u64,
    until: UnixTime,
    value: V,
}

struct Place<K> {
    number: u64,
    until: UnixTime,
    key: K,
}

impl<K: Hash + Eq + Clone, V> Expiring<K, V> {
    /// At most `most` entries, each for `life`.
    pub(crate) fn new(life: Duration, most: usize) -> Self {
        Self {
            life,
            most,
            entries: HashMap::new(),
            order: VecDeque::new(),
            next: 0,
        }
    }

    /// The entry, while it lives.
    pub(crate) fn get(&self, key: &K, now: UnixTime) -> Option<&V> {
        let entry = self.entries.get(key)?;
        (now < entry.until).then_some(&entry.value)
    }

    /// Puts an entry, whose life begins now.
    pub(crate) fn put(&mut self, key: K, value: V, now: UnixTime) {
        self.forget(now);
        let (number, until) = (self.next, now + self.life);
        self.next += 1;
        let entry = Entry {
            number,
            until,
            value,
        };
        self.entries.insert(key.clone(), entry);
        self.order.push_back(Place { number, until, key });
        while self.entries.len() > self.most {
            self.pop();
        }
        if self.order.len() > 2 * self.most {
            self.compact();
        }
    }

    /// The entry, made by `make` where there is none. Its life begins now.
    pub(crate) fn touch(&mut self, key: &K, now: UnixTime, make: impl FnOnce() -> V) -> &mut V {
        let value = match self.entries.remove(key) {
            Some(entry) if now < entry.until => entry.value,
            _ => make(),
        };
        self.put(key.clone(), value, now);
        let entry = self.entries.get_mut(key);
        &mut entry.expect("it is the newest").value
    }

    fn forget(&mut self, now: UnixTime) {
        while self.order.front().is_some_and(|place| place.until <= now) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(place) = self.order.pop_front()
            && place.is_of(&self.entries)
        {
            self.entries.remove(&place.key);
        }
    }

    /// Takes the places of what was replaced out of the order: at least half of it.
    fn compact(&mut self) {
        let entries = &self.entries;
        self.order.retain(|place| place.is_of(entries));
    }
}

impl<K: Hash + Eq> Place<K> {
    /// Whether it is an entry's place. One that was replaced has another.
    fn is_of<V>(&self, entries: &HashMap<K, Entry<V>>) -> bool {
        let entry = entries.get(&self.key);
        entry.is_some_and(|entry| entry.number == self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_millis(seconds * 1000)
    }

    #[test]
    fn an_entry_lives_for_its_time_and_a_new_one_begins_anew() {
        let mut map = Expiring::new(Duration::from_secs(10), 5);
        map.put("a", 1, at(0));
        assert_eq!(map.get(&"a", at(9)), Some(&1));
        assert_eq!(map.get(&"a", at(10)), None);
        map.put("a", 2, at(5));
        map.put("b", 3, at(12));
        assert_eq!(map.get(&"a", at(14)), Some(&2));
        assert_eq!(map.get(&"a", at(15)), None);
        assert_eq!(*map.touch(&"b", at(20), || 0), 3);
        assert_eq!(map.get(&"b", at(29)), Some(&3));
        assert_eq!(*map.touch(&"b", at(30), || 0), 0);
    }

    #[test]
    fn a_full_map_forgets_what_was_touched_longest_ago() {
        let mut map = Expiring::new(Duration::from_secs(10), 3);
        for (second, key) in (0..).zip(["a", "b", "c", "a", "d", "e"]) {
            map.touch(&key, at(second), || second);
        }
        let now = at(6);
        let left: Vec<_> = ["a", "b", "c", "d", "e"]
            .iter()
            .filter(|key| map.get(key, now).is_some())
            .collect();
        assert_eq!(left, [&"a", &"d", &"e"]);
        assert_eq!(map.get(&"a", now), Some(&0), "touched, not made again");
    }

    #[test]
    fn however_often_one_is_touched_it_takes_one_place() {
        let mut map = Expiring::new(Duration::from_secs(10), 3);
        map.put("other", 0, at(0));
        for _ in 0..100 {
            *map.touch(&"a", at(1), || 0) += 1;
        }
        assert_eq!(map.get(&"a", at(1)), Some(&100));
        assert!(map.order.len() <= 6);
        assert_eq!(map.get(&"other", at(1)), Some(&0), "it has its place too");
    }
}

//! A bounded table whose entries are forgotten in time.

use std::{collections::HashMap, hash::Hash};

use vestibule_launch::UnixTime;

/// At most `capacity` values, each kept until a time of its own. A full table
/// forgets what has expired, and failing that what would expire first.
pub(crate) struct Expiring<K, V> {
    entries: HashMap<K, Entry<V>>,
    capacity: usize,
}

struct Entry<V> {
    keep_until: UnixTime,
    value: V,
}

impl<K: Copy + Eq + Hash, V> Expiring<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            capacity,
        }
    }

    pub(crate) fn insert(&mut self, key: K, value: V, keep_until: UnixTime, now: UnixTime) {
        if self.entries.len() >= self.capacity {
            self.entries.retain(|_, entry| entry.keep_until > now);
        }
        if self.entries.len() >= self.capacity {
            let first = self
                .entries
                .iter()
                .min_by_key(|(_, entry)| entry.keep_until)
                .map(|(key, _)| *key);
            if let Some(first) = first {
                self.entries.remove(&first);
            }
        }
        self.entries.insert(key, Entry { keep_until, value });
    }

    pub(crate) fn get(&self, key: &K, now: UnixTime) -> Option<&V> {
        self.entries
            .get(key)
            .filter(|entry| entry.keep_until > now)
            .map(|entry| &entry.value)
    }

    pub(crate) fn get_mut(&mut self, key: &K, now: UnixTime) -> Option<&mut V> {
        self.entries
            .get_mut(key)
            .filter(|entry| entry.keep_until > now)
            .map(|entry| &mut entry.value)
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: i64) -> UnixTime {
        UnixTime::from_millis(milliseconds)
    }

    #[test]
    fn an_entry_is_there_until_its_time() {
        let mut table = Expiring::new(2);
        table.insert(1, 'a', at(10), at(0));
        assert_eq!(table.get(&1, at(9)), Some(&'a'));
        assert_eq!(table.get(&1, at(10)), None);
        assert_eq!(table.get_mut(&1, at(10)), None);
    }

    #[test]
    fn a_full_table_forgets_the_expired_before_the_others() {
        let mut table = Expiring::new(2);
        table.insert(1, 'a', at(10), at(0));
        table.insert(2, 'b', at(30), at(0));
        table.insert(3, 'c', at(20), at(10));
        assert_eq!(table.get(&2, at(10)), Some(&'b'));
        table.insert(4, 'd', at(40), at(10));
        assert_eq!(table.get(&3, at(10)), None);
        assert_eq!(table.get(&2, at(10)), Some(&'b'));
        assert_eq!(table.get(&4, at(10)), Some(&'d'));
    }
}

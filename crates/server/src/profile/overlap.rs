//! A secret that was replaced: the old one stays valid for a while.

use vestibule_launch::UnixTime;

/// Something current, and what it replaced while that is still valid.
#[derive(Clone)]
pub struct Overlap<T> {
    current: T,
    previous: Option<(T, UnixTime)>,
}

impl<T> Overlap<T> {
    /// Nothing was replaced.
    pub fn only(current: T) -> Self {
        Self {
            current,
            previous: None,
        }
    }

    /// `previous`, where there is one, was replaced and is valid until its time,
    /// exclusively.
    pub fn new(current: T, previous: Option<(T, UnixTime)>) -> Self {
        Self { current, previous }
    }

    /// `previous` was replaced and is valid until `until`, exclusively.
    pub fn replaced(current: T, previous: T, until: UnixTime) -> Self {
        Self {
            current,
            previous: Some((previous, until)),
        }
    }

    /// The one to use first, and for everything new.
    pub fn current(&self) -> &T {
        &self.current
    }

    /// What is valid at `now`, the current one first.
    pub fn valid(&self, now: UnixTime) -> impl Iterator<Item = &T> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(&self.current).chain(previous.map(|(previous, _)| previous))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_one_is_valid_until_its_time_and_comes_second() {
        let at = UnixTime::from_millis;
        let overlap = Overlap::replaced("new", "old", at(10));
        assert_eq!(overlap.valid(at(9)).collect::<Vec<_>>(), [&"new", &"old"]);
        assert_eq!(overlap.valid(at(10)).collect::<Vec<_>>(), [&"new"]);
        assert_eq!(overlap.current(), &"new");
        assert_eq!(
            Overlap::only("new").valid(at(0)).collect::<Vec<_>>(),
            [&"new"]
        );
    }
}

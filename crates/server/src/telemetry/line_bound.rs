//! How many log lines outsiders can cause. Whoever sends what is refused could otherwise
//! fill the disk.

use std::time::{Duration, Instant};

/// Lines at once.
const BURST: u32 = 500;

/// Lines in a second afterwards.
const PER_SECOND: f64 = 20.0;

/// A token bucket for lines.
#[derive(Debug)]
pub struct LineBound {
    left: f64,
    at: Option<Instant>,
    left_out: u64,
}

/// Whether a line may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may; so many were left out since the last that was.
    Yes {
        /// How many.
        left_out: u64,
    },
    /// It may not.
    No,
}

impl LineBound {
    /// Asks for one line.
    pub fn permit(&mut self, now: Instant) -> Permit {
        let elapsed = self.at.map_or(Duration::ZERO, |at| now.duration_since(at));
        self.left = (self.left + elapsed.as_secs_f64() * PER_SECOND).min(f64::from(BURST));
        self.at = Some(now);
        if self.left < 1.0 {
            self.left_out += 1;
            return Permit::No;
        }
        self.left -= 1.0;
        Permit::Yes {
            left_out: std::mem::take(&mut self.left_out),
        }
    }
}

impl Default for LineBound {
    fn default() -> Self {
        Self {
            left: f64::from(BURST),
            at: None,
            left_out: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_few_lines_and_says_how_many_it_did_not() {
        let begun = Instant::now();
        let mut bound = LineBound::default();
        let all = Permit::Yes { left_out: 0 };
        for _ in 0..BURST {
            assert_eq!(bound.permit(begun), all);
        }
        for _ in 0..7 {
            assert_eq!(bound.permit(begun), Permit::No);
        }
        let later = begun + Duration::from_secs(1);
        assert_eq!(bound.permit(later), Permit::Yes { left_out: 7 });
        assert_eq!(bound.permit(later), all);
    }
}

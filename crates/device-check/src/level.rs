//! How loud a microphone is, and whether somebody was heard.

/// The quietest level that the meter shows, in decibels below full scale.
const FLOOR: f32 = -60.0;
/// A voice across a desk is above this, a quiet room below it.
const VOICE: f32 = -42.0;
/// How many readings above it make a voice: one alone may be a knock.
const READINGS: u32 = 3;

/// The loudness of samples between -1 and 1, in decibels below full scale: the
/// root of their mean square, of what is left when a constant offset is taken
/// away.
pub fn decibels(samples: &[f32]) -> f32 {
    if samples.is_empty() {
        return f32::NEG_INFINITY;
    }
    let count = samples.len() as f32;
    let offset = samples.iter().sum::<f32>() / count;
    let square = |sample: &f32| (sample - offset) * (sample - offset);
    10.0 * libm::log10f(samples.iter().map(square).sum::<f32>() / count)
}

/// Follows a microphone from reading to reading.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ear {
    shown: f32,
    loud: u32,
}

impl Ear {
    /// Takes in a reading and answers what the meter shows: 0 to 100. It rises at
    /// once and falls slowly, so that it can be followed by eye.
    pub fn listen(&mut self, decibels: f32) -> f32 {
        let height = ((decibels - FLOOR) / -FLOOR).clamp(0.0, 1.0) * 100.0;
        self.shown = if height > self.shown {
            height
        } else {
            self.shown * 0.8 + height * 0.2
        };
        if decibels > VOICE {
            self.loud += 1;
        }
        self.shown
    }

    /// Whether somebody has been heard.
    pub fn heard(&self) -> bool {
        self.loud >= READINGS
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn wave(amplitude: f32, offset: f32) -> Vec<f32> {
        let turn = std::f32::consts::TAU / 64.0;
        (0..1024)
            .map(|at| (at as f32 * turn).sin() * amplitude + offset)
            .collect()
    }

    #[test]
    fn a_full_wave_is_three_decibels_below_full_scale() {
        assert!((decibels(&wave(1.0, 0.0)) + 3.01).abs() < 0.01);
        assert!((decibels(&wave(0.1, 0.0)) + 23.01).abs() < 0.01);
    }

    #[test]
    fn a_constant_offset_is_no_sound() {
        assert!((decibels(&wave(0.1, 0.4)) + 23.01).abs() < 0.05);
        assert!(decibels(&[0.25; 64]) < FLOOR);
    }

    #[test]
    fn silence_and_no_samples_leave_the_meter_empty() {
        let mut ear = Ear::default();
        for samples in [&[0.0; 64][..], &[]] {
            assert_eq!(ear.listen(decibels(samples)), 0.0);
        }
        assert!(!ear.heard());
    }

    #[test]
    fn the_meter_rises_at_once_and_falls_slowly_to_nothing() {
        let mut ear = Ear::default();
        assert_eq!(ear.listen(0.0), 100.0);
        let after_one = ear.listen(f32::NEG_INFINITY);
        assert!(after_one > 50.0 && after_one < 100.0);
        for _ in 0..60 {
            ear.listen(f32::NEG_INFINITY);
        }
        assert!(ear.listen(f32::NEG_INFINITY) < 1.0);
    }

    #[test]
    fn a_voice_is_heard_and_a_single_knock_is_not() {
        let mut ear = Ear::default();
        ear.listen(-10.0);
        ear.listen(-55.0);
        assert!(!ear.heard());
        for _ in 0..2 {
            ear.listen(-30.0);
        }
        assert!(ear.heard());
    }

    #[test]
    fn a_quiet_room_is_never_a_voice() {
        let mut ear = Ear::default();
        for _ in 0..100 {
            ear.listen(-50.0);
        }
        assert!(!ear.heard());
    }
}

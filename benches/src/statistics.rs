//! Medians and other quantiles.

/// The middle of what was measured; NaN of nothing.
pub(crate) fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    let half = measured.len() / 2;
    match (measured.get(half), measured.len() % 2) {
        (None, _) => f64::NAN,
        (Some(middle), 1) => *middle,
        (Some(above), _) => f64::midpoint(measured[half - 1], *above),
    }
}

/// The value that this share of what was measured does not exceed; NaN of nothing.
pub(crate) fn quantile(mut measured: Vec<f64>, share: f64) -> f64 {
    measured.sort_by(f64::total_cmp);
    let rank = (0..measured.len()).find(|rank| at(*rank + 1) >= share * at(measured.len()));
    rank.map_or(f64::NAN, |rank| measured[rank])
}

/// A place in a list, as a number.
fn at(place: usize) -> f64 {
    f64::from(u32::try_from(place).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn a_quantile_is_the_smallest_value_that_enough_others_do_not_exceed() {
        let measured: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(quantile(measured.clone(), 0.99), 198.0);
        assert_eq!(quantile(measured, 0.5), 100.0);
        assert_eq!(quantile(vec![7.0], 0.99), 7.0);
        assert!(quantile(vec![], 0.99).is_nan());
    }
}

//! Floats in a given format, without sign: what C's `%f`, `%e` and `%g` write.

/// `%f`
#[cfg(feature = "full")]
pub(crate) fn fixed(number: f64, precision: usize) -> String {
    let number = number.abs();
    if !number.is_finite() {
        return special(number).to_owned();
    }
    format!("{number:.precision$}")
}

/// `%e`
#[cfg(feature = "full")]
pub(crate) fn scientific(number: f64, precision: usize) -> String {
    let number = number.abs();
    if !number.is_finite() {
        return special(number).to_owned();
    }
    let (digits, exponent) = parts(number, precision);
    format!("{digits}{}", exponent_text(exponent))
}

/// `%g`; with all zeros if `alternate`.
#[cfg(feature = "full")]
pub(crate) fn general(number: f64, precision: usize, alternate: bool) -> String {
    let precision = precision.max(1);
    let (text, _) = general_below(number, precision, precision, alternate);
    text
}

/// Like `%g`, but always with a point or an exponent: what `str.format` writes for a
/// precision without a type.
#[cfg(feature = "full")]
pub(crate) fn general_with_point(number: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let (text, is_fixed) = general_below(number, precision, precision - 1, false);
    if is_fixed && !text.contains('.') {
        return text + ".0";
    }
    text
}

/// The text, which has no exponent of ten where that is below `most`, and whether it has none.
#[cfg(feature = "full")]
fn general_below(number: f64, precision: usize, most: usize, alternate: bool) -> (String, bool) {
    let number = number.abs();
    if !number.is_finite() {
        return (special(number).to_owned(), false);
    }
    let (digits, exponent) = parts(number, precision - 1);
    let is_fixed = exponent >= -4 && i32::try_from(most).is_ok_and(|most| exponent < most);
    let mut text = if is_fixed {
        let behind = i32::try_from(precision).unwrap_or(i32::MAX) - 1 - exponent;
        fixed(number, usize::try_from(behind).unwrap_or(0))
    } else {
        digits
    };
    if !alternate && text.contains('.') {
        let kept = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(kept);
    }
    if !is_fixed {
        text.push_str(&exponent_text(exponent));
    }
    (text, is_fixed)
}

/// Digits with a point after the first one, and the exponent of ten.
#[cfg(feature = "full")]
fn parts(number: f64, precision: usize) -> (String, i32) {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').expect("the format has an exponent");
    (
        digits.to_owned(),
        exponent.parse().expect("the format's exponent is a number"),
    )
}

#[cfg(feature = "full")]
fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.unsigned_abs())
}

/// The text of infinities and of what is not a number.
pub(crate) fn special(number: f64) -> &'static str {
    if number.is_nan() {
        "nan"
    } else if number > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

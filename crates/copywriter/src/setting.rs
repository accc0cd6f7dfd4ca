//! Checks that the settings of this crate share.

use crate::CopyError;

pub(crate) fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// Refuses the first share outside [0, 1).
pub(crate) fn check_shares(shares: &[(&'static str, f64)]) -> Result<(), CopyError> {
    let wrong = shares.iter().find(|(_, value)| !(0.0..1.0).contains(value));
    wrong.map_or(Ok(()), |(field, value)| {
        Err(refuse(field, value, "0 or more and below 1"))
    })
}

/// Refuses settings that an optimiser cannot work with.
pub(crate) fn check_optimiser(
    learning_rate: f64,
    clip_norm: f64,
    weight_decay: f64,
) -> Result<(), CopyError> {
    let positive = [("learning_rate", learning_rate), ("clip_norm", clip_norm)];
    if let Some((field, value)) = positive.into_iter().find(|(_, v)| !is_positive(*v)) {
        return Err(refuse(field, value, "a number above 0"));
    }
    if !(weight_decay.is_finite() && weight_decay >= 0.0) {
        return Err(refuse("weight_decay", weight_decay, "0 or more"));
    }
    Ok(())
}

/// Refuses a width that heads with rotary positions cannot share.
pub(crate) fn check_heads(width: usize, heads: usize) -> Result<(), CopyError> {
    if width > 0 && heads > 0 && width.is_multiple_of(2 * heads) {
        return Ok(());
    }
    let expected = "a multiple of twice `heads`, above 0";
    Err(refuse("width", width, expected))
}

/// The error for a setting outside its range.
pub(crate) fn refuse(
    field: &'static str,
    value: impl std::fmt::Display,
    expected: &'static str,
) -> CopyError {
    CopyError::Setting {
        field,
        value: value.to_string(),
        expected,
    }
}

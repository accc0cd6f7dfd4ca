//! Checks that the settings of this crate share.

use crate::CopyError;

pub(crate) fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
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

//! Serialises an `f64` as text that reads back to the same bits.
//!
//! JSON readers may round the last bit of a number; a fold that is stored and taken up again must not.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes the shortest decimal that names the value, as a string.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `with` passes a reference"
)]
pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads what [`serialize`] wrote.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom(format!("`{text}` is not a number")))
}

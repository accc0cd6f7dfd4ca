//! Numbers that survive every text format bit for bit.
//!
//! JSON readers may round the last bit of a number, and a policy restored from JSON must draw exactly what
//! the policy that was saved would have drawn. A list is therefore written as one string of shortest exact
//! decimals, which `str::parse` reads back to the same bits.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a list as one string, the numbers separated by spaces.
pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let words: Vec<String> = values.iter().map(f64::to_string).collect();
    serializer.serialize_str(&words.join(" "))
}

/// Reads the string back.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<f64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parse = |word: &str| {
        word.parse().map_err(|_| {
            let fault = format!("`{word}` is no number; restore this state from its backup");
            D::Error::custom(fault)
        })
    };
    text.split_whitespace().map(parse).collect()
}

/// The same for a single number.
pub(crate) mod one {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    /// Writes a number as a string.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is serde's"
    )]
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(&[*value], serializer)
    }

    /// Reads the string back.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match super::deserialize(deserializer)?[..] {
            [value] => Ok(value),
            ref other => Err(D::Error::invalid_length(other.len(), &"one number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Saved {
        #[serde(with = "super")]
        list: Vec<f64>,
        #[serde(with = "super::one")]
        single: f64,
    }

    proptest! {
        #[test]
        fn every_number_comes_back_with_its_bits(
            list in prop::collection::vec(prop::num::f64::ANY, 0..20),
            single in prop::num::f64::NORMAL,
        ) {
            let list: Vec<f64> = list.into_iter().filter(|value| !value.is_nan()).collect();
            let saved = Saved { list, single };
            let text = serde_json::to_string(&saved).expect("serialisable");
            let restored: Saved = serde_json::from_str(&text).expect("readable");
            let bits = |list: &[f64]| -> Vec<u64> { list.iter().map(|value| value.to_bits()).collect() };
            prop_assert_eq!(bits(&restored.list), bits(&saved.list));
            prop_assert_eq!(restored.single.to_bits(), saved.single.to_bits());
        }
    }

    #[test]
    fn damage_is_named() {
        let read = |text: &str| {
            serde_json::from_str::<Saved>(text)
                .map(|_| ())
                .expect_err("damage")
        };
        let message = read(r#"{"list":"1 zwei","single":"1"}"#).to_string();
        assert!(message.starts_with("`zwei` is no number"), "{message}");
        let message = read(r#"{"list":"","single":"1 2"}"#).to_string();
        assert!(
            message.starts_with("invalid length 2, expected one number"),
            "{message}"
        );
    }
}

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::EventError;

/// How a person is named on the wire: only the vault ever stores one of these, and only encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A shop's own stable identifier of a signed-in shopper (`userId`).
    User(String),
    /// An identifier of a browser, a device or a guest checkout (`anonymousId`).
    Anonymous(String),
}

impl Identity {
    /// The identifier's text, without its kind.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) | Self::Anonymous(id) => id,
        }
    }

    /// Whether this names a browser, a device or a guest, not a known shopper.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous(_))
    }
}

/// The 128-bit name under which everything but the vault knows a shopper.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pseudonym(pub [u8; 16]);

/// The 128-bit BLAKE3 hash of a `messageId`: the key under which an event is counted once.
///
/// The text itself is not kept, since shops put identifiers into it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageKey(pub [u8; 16]);

impl MessageKey {
    /// Hashes a `messageId`.
    pub fn of(message_id: &str) -> Self {
        Self(first_half(blake3::hash(message_id.as_bytes())))
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m_{}", to_hex(&self.0))
    }
}

/// Identifies a decision; a function of the shopper, the campaign and the seed, so that a rerun writes the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(pub String);

impl DecisionId {
    /// Derives the id of the decision about `user` in the run named `run`.
    pub fn derive(run: &str, user: Pseudonym) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(run.as_bytes());
        hasher.update(&user.0);
        Self(format!(
            "d_{}",
            to_hex(&first_half(hasher.finalize())[..10])
        ))
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p_{}", to_hex(&self.0))
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Pseudonym> for String {
    fn from(pseudonym: Pseudonym) -> Self {
        pseudonym.to_string()
    }
}

impl TryFrom<String> for Pseudonym {
    type Error = EventError;

    fn try_from(text: String) -> Result<Self, EventError> {
        let invalid = || EventError::invalid("pseudonym", &text, "`p_` and 32 hexadecimal digits");
        let hex = text
            .strip_prefix("p_")
            .filter(|hex| hex.len() == 32)
            .ok_or_else(invalid)?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

fn first_half(hash: blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("invariant: writing to a String cannot fail");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_survives_its_text_form() {
        let pseudonym = Pseudonym(*b"0123456789abcdef");
        let text = String::from(pseudonym);
        assert_eq!(text, "p_30313233343536373839616263646566");
        assert_eq!(Pseudonym::try_from(text), Ok(pseudonym));
    }

    #[test]
    fn a_malformed_pseudonym_is_refused_with_its_form() {
        for text in [
            "",
            "p_",
            "p_zz313233343536373839616263646566",
            "x_30313233343536373839616263646566",
        ] {
            let error = Pseudonym::try_from(text.to_owned()).expect_err("malformed");
            assert_eq!(
                error.to_string(),
                format!("`pseudonym` is `{text}`; expected `p_` and 32 hexadecimal digits")
            );
        }
    }

    #[test]
    fn decision_ids_depend_on_run_and_shopper() {
        let [a, b] = [Pseudonym([1; 16]), Pseudonym([2; 16])];
        assert_eq!(DecisionId::derive("r", a), DecisionId::derive("r", a));
        assert_ne!(DecisionId::derive("r", a), DecisionId::derive("r", b));
        assert_ne!(DecisionId::derive("r", a), DecisionId::derive("s", a));
    }
}

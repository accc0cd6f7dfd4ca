use std::fmt;

use events::{Channel, Check, CopyText};

use crate::{Refusal, Rendered};

/// What the guard said of one rendered text, small enough to keep in a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The reason of the refusal; absent where the text passed.
    pub reason: Option<String>,
    /// Every check that was made.
    pub checks: Vec<Check>,
}

impl Verdict {
    /// The verdict that a rendering carries.
    pub fn of(result: &Result<Rendered, Refusal>) -> Self {
        match result {
            Ok(rendered) => Self {
                reason: None,
                checks: rendered.checks.clone(),
            },
            Err(refusal) => Self {
                reason: Some(refusal.reason.clone()),
                checks: refusal.checks.clone(),
            },
        }
    }

    /// Whether the text may be shown.
    pub fn passed(&self) -> bool {
        self.reason.is_none()
    }
}

/// What a verdict holds for: this text on this channel, under this version of the rules and of the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VerdictKey([u8; 32]);

impl VerdictKey {
    /// Derives the key. `facts_version` names the values that the text was bound to, so it changes with the product, its
    /// facts and the counts.
    pub fn new(channel: Channel, text: &CopyText, pack_version: &str, facts_version: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        // Each part carries its length, so that no two different lists of parts run together into the same bytes.
        let mut part = |bytes: &str| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes.as_bytes());
        };
        part(channel.name());
        part(pack_version);
        part(facts_version);
        for (name, text) in text.fields() {
            part(name);
            part(text);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for VerdictKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_with_each_of_its_parts() {
        let text = |title: Option<&str>, body: &str| CopyText {
            title: title.map(str::to_owned),
            body: body.to_owned(),
            ..CopyText::default()
        };
        let key =
            |channel, text: &CopyText, pack, facts| VerdictKey::new(channel, text, pack, facts);
        let mug = text(Some("Mug"), "Red");
        let base = key(Channel::Push, &mug, "p1", "f1");
        assert_eq!(base, key(Channel::Push, &mug.clone(), "p1", "f1"));
        for other in [
            key(Channel::Banner, &mug, "p1", "f1"),
            key(Channel::Push, &mug, "p2", "f1"),
            key(Channel::Push, &mug, "p1f", "1"),
            key(Channel::Push, &text(Some("MugR"), "ed"), "p1", "f1"),
            key(Channel::Push, &text(None, "Red"), "p1", "f1"),
        ] {
            assert_ne!(base, other);
        }
        assert_eq!(base.to_string().len(), 64);
    }
}

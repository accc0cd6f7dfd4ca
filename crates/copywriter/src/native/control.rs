//! The control tokens, which come before all others: what a text is asked for, and where its parts begin.

use events::{Channel, Language, Strategy};

use super::evidence::Evidence;
use super::text::Field;

/// The control tokens that are no member of a vocabulary of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// Fills short rows of a batch; never read or learnt.
    Padding,
    /// Stands for a character that was never read.
    Unknown,
    /// Begins a prompt.
    Begin,
    /// Ends a prompt.
    Write,
    /// Ends a text.
    End,
    /// In the place of a channel: the shop's own description of a product.
    Catalogue,
    /// Begins a quoted clause of a description.
    Quote,
    /// Ends it.
    EndQuote,
}

const _: () = assert!(Control::Padding as u32 == crate::network::PADDING);

/// Their names, in the order of their ids.
const CONTROLS: [&str; 8] = [
    "<padding>",
    "<unknown>",
    "<begin>",
    "<write>",
    "<end>",
    "<catalogue>",
    "<quote>",
    "</quote>",
];

/// The controls, in the order of their ids; a pointed name cannot be cut from a text as one piece.
pub(super) fn names() -> Vec<String> {
    let mut names: Vec<String> = CONTROLS.map(str::to_owned).into();
    let mut add = |kind: &str, name: &str| names.push(format!("<{kind}:{name}>"));
    for language in ["en", "zh"] {
        add("language", language);
    }
    for channel in Channel::ALL {
        add("channel", channel.name());
    }
    for strategy in Strategy::ALL {
        add("strategy", strategy.name());
    }
    for field in Field::ALL {
        add("field", field.name());
    }
    for evidence in Evidence::ALL {
        add("evidence", evidence.name());
    }
    names
}

pub(super) fn language(language: Language) -> u32 {
    CONTROLS.len() as u32 + language as u32
}

pub(super) fn channel(channel: Option<Channel>) -> u32 {
    let catalogue = Control::Catalogue as u32;
    channel.map_or(catalogue, |channel| {
        language(Language::Zh) + 1 + channel as u32
    })
}

pub(super) fn strategy(strategy: Strategy) -> u32 {
    channel(Some(Channel::Social)) + 1 + strategy as u32
}

pub(super) fn field(field: Field) -> u32 {
    strategy(Strategy::Value) + 1 + field as u32
}

pub(super) fn evidence(evidence: Evidence) -> u32 {
    field(Field::Body) + 1 + evidence as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_have_their_ids() {
        let names = names();
        let name = |id: u32| names[id as usize].as_str();
        assert_eq!(name(Control::EndQuote as u32), "</quote>");
        assert_eq!(name(language(Language::Zh)), "<language:zh>");
        assert_eq!(name(channel(None)), "<catalogue>");
        assert_eq!(name(channel(Some(Channel::Push))), "<channel:push>");
        assert_eq!(name(strategy(Strategy::Value)), "<strategy:value>");
        assert_eq!(name(field(Field::Preheader)), "<field:preheader>");
        assert_eq!(name(evidence(Evidence::Sale)), "<evidence:sale>");
        assert_eq!(names.len() as u32, evidence(Evidence::Sale) + 1);
    }
}

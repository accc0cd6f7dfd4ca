//! How long each field of each channel may be.

use events::{Channel, Language};
use serde::{Deserialize, Serialize};

use crate::{sms, width};

/// What a length is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Columns, a Chinese character counting 2.
    Width,
    /// Segments of a text message.
    Segments,
    /// Characters as X weighs them.
    Weight,
}

impl Unit {
    /// The length of a text in this unit.
    pub fn measure(self, text: &str) -> usize {
        match self {
            Self::Width => width::display_width(text),
            Self::Segments => sms::segments(text).segments,
            Self::Weight => width::post_weight(text),
        }
    }

    /// The unit in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Width => "columns",
            Self::Segments => "segments",
            Self::Weight => "weighted characters",
        }
    }
}

/// The limit of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldLimit {
    /// The field, such as `title`.
    pub field: String,
    /// What its length is counted in.
    pub unit: Unit,
    /// The length up to which it is usually shown whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ideal: Option<usize>,
    /// The length beyond which it is refused.
    pub max: usize,
    /// Where the limit comes from.
    pub source: String,
}

/// The default limits of a channel's fields; a field that is not listed does not exist on the channel.
///
/// They are the same in every language: a width counts a Chinese character twice, and segments follow the encoding.
/// `language` alone decides how long a mail's body may be.
pub fn limits(channel: Channel, language: Language) -> Vec<FieldLimit> {
    let field = |field: &str, unit, ideal, max, source: &str| FieldLimit {
        field: field.to_owned(),
        unit,
        ideal,
        max,
        source: source.to_owned(),
    };
    match channel {
        Channel::Push => {
            let source = "house limit below what phones show: iOS some 180 characters of a body on the lock screen, \
                          Android one line of some 50 until opened (Batch, optimal length of push notifications)";
            vec![
                field("title", Unit::Width, Some(30), 50, source),
                field("body", Unit::Width, Some(140), 150, source),
            ]
        }
        Channel::Sms => vec![field(
            "body",
            Unit::Segments,
            Some(1),
            2,
            "3GPP TS 23.038 and 23.040; each segment is paid",
        )],
        Channel::Email => vec![
            field(
                "subject",
                Unit::Width,
                Some(60),
                78,
                "RFC 5322, section 2.1.1: a line should have no more than 78 characters",
            ),
            field(
                "preheader",
                Unit::Width,
                Some(90),
                100,
                "house limit: mail programs cut the line at the width of their window",
            ),
            field(
                "body",
                Unit::Width,
                None,
                match language {
                    Language::En => 2_000,
                    Language::Zh => 1_600,
                },
                "house limit: some 300 English words or 800 Chinese characters",
            ),
        ],
        Channel::Banner => {
            let source = "after Google Ads' responsive display ads: headlines up to 30 or 90 characters, descriptions \
                          up to 90";
            vec![
                field("title", Unit::Width, Some(30), 40, source),
                field("body", Unit::Width, Some(70), 90, source),
            ]
        }
        Channel::Social => vec![field(
            "body",
            Unit::Weight,
            Some(240),
            280,
            "X: twitter-text, config/v3.json, maxWeightedTweetLength 280",
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_a_body_with_a_source() {
        for channel in Channel::ALL {
            for language in [Language::En, Language::Zh] {
                let fields = limits(channel, language);
                assert!(
                    fields.iter().any(|limit| limit.field == "body"),
                    "{channel}"
                );
                for limit in fields {
                    assert!(!limit.source.is_empty());
                    assert!(limit.ideal.is_none_or(|ideal| ideal <= limit.max));
                }
            }
        }
    }

    #[test]
    fn units_measure_differently() {
        let text = "马克杯 https://shop.example/mugs/7";
        assert_eq!(Unit::Width.measure(text), 6 + 1 + 27);
        assert_eq!(Unit::Weight.measure(text), 6 + 1 + 23);
        assert_eq!(Unit::Segments.measure(text), 1);
    }
}

use askama::Template;

use crate::report::data::Contribution;
use crate::report::data::Report;
use crate::report::data::campaign::Example;
use crate::report::format;

/// Messages as the shoppers see them, each with what explains it.
#[derive(Template)]
#[template(path = "report/messages.html")]
pub(super) struct Messages<'a> {
    shop: &'a str,
    /// The channels of the examples, when there are several to choose from.
    channels: Vec<(&'a str, usize)>,
    cards: Vec<Card<'a>>,
}

struct Card<'a> {
    example: &'a Example,
    /// The text's language, for fonts and screen readers.
    lang: &'a str,
    passed: usize,
    parts: Vec<Part<'a>>,
    /// Where zero is on the bars of the parts.
    zero: String,
    /// Whether it is the one that is shown opened.
    open: bool,
}

/// One part of the score, as a bar from zero.
struct Part<'a> {
    of: &'a Contribution,
    left: String,
    width: String,
    positive: bool,
}

impl<'a> Messages<'a> {
    /// The examples of all campaigns; nothing where there are none.
    pub(super) fn of(report: &'a Report) -> Option<Self> {
        let examples = report
            .campaigns
            .iter()
            .flat_map(|campaign| &campaign.examples);
        let cards: Vec<Card<'_>> = examples
            .enumerate()
            .map(|(i, example)| card(example, i == 0))
            .collect();
        let mut channels: Vec<(&str, usize)> = Vec::new();
        for card in &cards {
            let channel = card.example.channel.as_str();
            match channels.iter_mut().find(|(name, _)| *name == channel) {
                Some((_, count)) => *count += 1,
                None => channels.push((channel, 1)),
            }
        }
        if channels.len() < 2 {
            channels.clear();
        }
        (!cards.is_empty()).then_some(Self {
            shop: &report.header.shop,
            channels,
            cards,
        })
    }

    /// The letter on the shop's icon.
    fn initial(&self) -> String {
        let first = self.shop.chars().find(|c| c.is_alphanumeric());
        first
            .map(|c| c.to_uppercase().collect())
            .unwrap_or_default()
    }
}

fn card(example: &Example, open: bool) -> Card<'_> {
    let (parts, zero) = parts(&example.contributions);
    Card {
        example,
        lang: example.locale.as_str(),
        passed: example.checks.iter().filter(|check| check.passed).count(),
        parts,
        zero,
        open,
    }
}

/// The bars of the parts on one scale that runs from the lowest part, or zero, to the highest.
fn parts<'a>(contributions: &'a [Contribution]) -> (Vec<Part<'a>>, String) {
    let sizes = || contributions.iter().map(|part| part.contribution);
    let low = sizes().fold(0.0, f64::min);
    let span = sizes().fold(0.0, f64::max) - low;
    let bar = |part: &'a Contribution| {
        let contribution = part.contribution;
        Part {
            of: part,
            left: format::width(contribution.min(0.0) - low, span),
            width: format::width(contribution.abs(), span),
            positive: contribution >= 0.0,
        }
    };
    (
        contributions.iter().map(bar).collect(),
        format::width(-low, span),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_on_either_side_of_zero() {
        let part = |contribution| Contribution {
            contribution,
            ..Contribution::default()
        };
        let contributions = [part(3.0), part(-1.0)];
        let (bars, zero) = parts(&contributions);
        assert_eq!(zero, "25.00%");
        assert_eq!(
            (bars[0].left.as_str(), bars[0].width.as_str()),
            ("25.00%", "75.00%")
        );
        assert_eq!(
            (bars[1].left.as_str(), bars[1].width.as_str()),
            ("0.00%", "25.00%")
        );
        assert!(!bars[1].positive);
    }
}

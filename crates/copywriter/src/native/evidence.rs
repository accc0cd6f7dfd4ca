use events::{Channel, Strategy};
use serde::{Deserialize, Serialize};

/// Slots of which every message shows one: a text that names no product sells none.
const TITLES: [&str; 3] = ["title", "headline", "short"];

/// Slots of which a message about value shows one.
const PRICES: [&str; 2] = ["price", "sale"];

/// What a text rests on: the facts that make its argument true.
///
/// A text that says "others keep choosing this" is true where a count of orders stands behind it. The library's texts
/// show such a fact as a slot, and a text is offered only where its slots have values. The model is told the evidence,
/// writes from texts with the same evidence alone, and must show one of its slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nothing but the product's name and price.
    Plain,
    /// A clause of the product's own description, quoted.
    Detail,
    /// The material.
    Material,
    /// The brand.
    Brand,
    /// The category.
    Category,
    /// The day of the first sale.
    Since,
    /// Counts of orders.
    Orders,
    /// The mean rating.
    Rating,
    /// The day on which the shopper last bought it.
    Last,
    /// The shopper's usual gap between orders.
    Gap,
    /// How often the shopper bought it.
    Times,
    /// What the shopper bought before.
    Bought,
    /// A sale price below the regular one.
    Sale,
}

impl Evidence {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 13] = [
        Self::Plain,
        Self::Detail,
        Self::Material,
        Self::Brand,
        Self::Category,
        Self::Since,
        Self::Orders,
        Self::Rating,
        Self::Last,
        Self::Gap,
        Self::Times,
        Self::Bought,
        Self::Sale,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Detail => "detail",
            Self::Material => "material",
            Self::Brand => "brand",
            Self::Category => "category",
            Self::Since => "since",
            Self::Orders => "orders",
            Self::Rating => "rating",
            Self::Last => "last",
            Self::Gap => "gap",
            Self::Times => "times",
            Self::Bought => "bought",
            Self::Sale => "sale",
        }
    }

    /// The slots of which a text on this evidence shows at least one; empty where none is needed.
    pub(super) fn slots(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Detail => &[],
            Self::Material => &["material"],
            Self::Brand => &["brand"],
            Self::Category => &["category"],
            Self::Since => &["since"],
            Self::Orders => &["orders", "orders_ever"],
            Self::Rating => &["rating"],
            Self::Last => &["last"],
            Self::Gap => &["gap"],
            Self::Times => &["times"],
            Self::Bought => &["bought", "bought_short", "bought_at"],
            Self::Sale => &["sale"],
        }
    }

    /// The evidence that a text with these slots shows; the first in the order of [`Evidence::RANK`] counts.
    pub(super) fn of_slots(slots: &[&str]) -> Self {
        let shows = |evidence: &&Self| slots.iter().any(|slot| evidence.slots().contains(slot));
        Self::RANK
            .iter()
            .find(shows)
            .copied()
            .unwrap_or(Self::Plain)
    }

    /// Whether a text with these slots names the product and shows a fact of this evidence, and, where it speaks of value,
    /// a price.
    pub(super) fn is_shown(self, strategy: Strategy, slots: &[&str]) -> bool {
        let shows = |names: &[&str]| slots.iter().any(|slot| names.contains(slot));
        shows(&TITLES)
            && (self.slots().is_empty() || shows(self.slots()))
            && (strategy != Strategy::Value || shows(&PRICES))
    }

    /// A text with a count and a date rests on the count first: it is the rarer fact.
    const RANK: [Self; 11] = [
        Self::Sale,
        Self::Rating,
        Self::Gap,
        Self::Times,
        Self::Last,
        Self::Bought,
        Self::Orders,
        Self::Since,
        Self::Material,
        Self::Brand,
        Self::Category,
    ];

    /// Whether a message of a strategy on a channel may rest on this evidence. A post is public and rests on no shopper's
    /// history.
    pub fn serves(self, channel: Channel, strategy: Strategy) -> bool {
        let is_personal = matches!(self, Self::Last | Self::Gap | Self::Times | Self::Bought);
        self.fits(strategy) && !(channel == Channel::Social && is_personal)
    }

    fn fits(self, strategy: Strategy) -> bool {
        match strategy {
            Strategy::Benefit => matches!(
                self,
                Self::Plain | Self::Detail | Self::Material | Self::Brand | Self::Category
            ),
            Strategy::Novelty => self == Self::Since,
            Strategy::SocialProof => matches!(self, Self::Orders | Self::Rating),
            Strategy::Replenishment => matches!(self, Self::Last | Self::Gap | Self::Times),
            Strategy::Complement => self == Self::Bought,
            Strategy::Value => matches!(self, Self::Plain | Self::Sale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarer_fact_counts() {
        let of = |slots: &[&str]| Evidence::of_slots(slots);
        assert_eq!(of(&["title", "price"]), Evidence::Plain);
        assert_eq!(of(&["sale", "was", "title"]), Evidence::Sale);
        assert_eq!(of(&["last", "gap"]), Evidence::Gap);
        assert_eq!(of(&["orders_ever", "title"]), Evidence::Orders);
        assert_eq!(of(&["bought_at"]), Evidence::Bought);
    }

    #[test]
    fn every_evidence_serves_a_strategy() {
        for evidence in Evidence::ALL {
            let serves = |channel| Strategy::ALL.iter().any(|s| evidence.serves(channel, *s));
            assert!(serves(Channel::Push), "{evidence:?}");
            assert_eq!(
                serves(Channel::Social),
                !matches!(evidence.name(), "last" | "gap" | "times" | "bought")
            );
            let slots = evidence.slots();
            if evidence != Evidence::Detail {
                assert_eq!(Evidence::of_slots(slots), evidence);
            }
        }
    }
}

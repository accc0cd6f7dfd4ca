use std::{fmt, str::FromStr};

use events::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{FeatureError, Features, InterestKind, Profile, segment_parser::parse};

/// A rule that says which shoppers belong together, as it is written in the configuration.
///
/// ```text
/// orders >= 3 and recency_days < 60 or interest("bag") > 0.2 and not (refund_share > 0.5)
/// ```
///
/// - A **name** is one of [`FEATURES`](crate::FEATURES) and stands for its raw value: days, counts, shares, major units
///   of currency.
/// - A **function** takes a text in quotes: `interest("bag")`, `brand("Wick")` and `price_band("5")` are shares of the
///   shopper's interests, 0 to 1; `bought("85123A")` is the number of orders that hold a product.
/// - Both stand on either side of `<`, `<=`, `>`, `>=`, `=` (or `==`) and `!=`, with another one or a number.
/// - `not` binds closer than `and`, `and` closer than `or`; parentheses group. The three words may be of any case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Segment {
    text: String,
    rule: Rule,
}

/// A rule as a tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    And(Box<Rule>, Box<Rule>),
    Or(Box<Rule>, Box<Rule>),
    Not(Box<Rule>),
    Compare(Value, Comparison, Value),
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    /// Position in the vector of features.
    Feature(usize),
    Share(InterestKind, String),
    Bought(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Segment {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`FeatureError::Segment`], with the column and, for an unknown name, the nearest known one.
    pub fn parse(text: &str) -> Result<Self, FeatureError> {
        Ok(Self {
            text: text.to_owned(),
            rule: parse(text)?,
        })
    }

    /// Whether the shopper belongs to the segment at `now`.
    pub fn matches(&self, profile: &Profile, now: Timestamp) -> bool {
        let features = profile.features(now);
        self.rule.holds(profile, &features, now)
    }

    /// The rule as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Rule {
    fn holds(&self, profile: &Profile, features: &Features, now: Timestamp) -> bool {
        let holds = |rule: &Self| rule.holds(profile, features, now);
        let value = |value: &Value| match value {
            Value::Number(number) => *number,
            Value::Feature(position) => features.raw[*position],
            Value::Share(kind, name) => profile.interest_share(*kind, name, now),
            Value::Bought(id) => profile
                .purchases_of(id)
                .map_or(0.0, |history| f64::from(history.times_bought)),
        };
        match self {
            Self::And(left, right) => holds(left) && holds(right),
            Self::Or(left, right) => holds(left) || holds(right),
            Self::Not(rule) => !holds(rule),
            Self::Compare(left, comparison, right) => comparison.holds(value(left), value(right)),
        }
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        // Equality allows for the rounding of averages and shares; counts are whole numbers and far apart.
        let is_equal = (left - right).abs() <= 1e-9 * right.abs().max(1.0);
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => is_equal,
            Self::NotEqual => !is_equal,
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Segment {
    type Err = FeatureError;

    fn from_str(text: &str) -> Result<Self, FeatureError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Segment {
    type Error = FeatureError;

    fn try_from(text: String) -> Result<Self, FeatureError> {
        Self::parse(&text)
    }
}

impl From<Segment> for String {
    fn from(segment: Segment) -> Self {
        segment.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, index, order, refund};

    fn shopper() -> Profile {
        let events = [
            order("1", 0, &[("bag", 1, 300)]),
            order("2", 10, &[("bag", 2, 300), ("lamp", 1, 400)]),
            order("3", 20, &[("bag", 1, 300)]),
            refund("2", 21, &[("lamp", 1, 400)]),
        ];
        Profile::fold(&events, &index(), at(30))
    }

    #[test]
    fn rules_hold_as_they_read() {
        let profile = shopper();
        for (rule, holds) in [
            ("orders >= 3", true),
            ("orders > 3", false),
            ("orders = 3 and orders == 3.0", true),
            ("orders != 3", false),
            ("recency_days < 60", true),
            ("recency_days <= 10", true),
            ("recency_days < 10", false),
            // 4 bags of 3.00; the lamp came back.
            ("spend = 12", true),
            ("median_gap_days = 10", true),
            ("refund_share = 0.2", true),
            ("interest(\"bag\") > 0.9", true),
            ("interest('BAG') > 0.9", true),
            ("interest(\"灯\") = 0", true),
            ("brand(\"Wick & Co\") = 1", true),
            ("bought(\"bag\") = 3 and bought(\"lamp\") = 0", true),
            ("price_band(\"3\") > price_band(\"4\")", true),
            // `and` binds closer than `or`, `not` closer than `and`.
            ("orders = 3 or orders = 1 and orders = 2", true),
            ("(orders = 3 or orders = 1) and orders = 2", false),
            ("not orders = 2 and orders = 3", true),
            ("NOT (orders = 2 OR orders = 3)", false),
            ("3 <= orders", true),
            ("spend > -1e3", true),
        ] {
            let segment = Segment::parse(rule).expect("a rule");
            assert_eq!(segment.matches(&profile, at(30)), holds, "{rule}");
        }
    }

    #[test]
    fn a_segment_is_saved_as_its_text() {
        let segment = Segment::parse("orders >= 3").expect("a rule");
        let json = serde_json::to_string(&segment).expect("serialises");
        assert_eq!(json, "\"orders >= 3\"");
        assert_eq!(
            serde_json::from_str::<Segment>(&json).expect("parses"),
            segment
        );
        assert!(serde_json::from_str::<Segment>("\"orders >=\"").is_err());
    }
}

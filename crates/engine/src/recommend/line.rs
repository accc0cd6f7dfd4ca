//! One line of what `hawker recommend` writes.

use events::{Pseudonym, Timestamp};
use serde::{Deserialize, Serialize};

/// What is recommended to one shopper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecommendedLine {
    /// Who it is.
    pub user: Pseudonym,
    /// The shop's own identifier of the shopper, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The products, in the order in which they are to be shown.
    pub products: Vec<RecommendedProduct>,
    /// The moment at which the log was looked at.
    pub at: Timestamp,
    /// The seed of this list's draws.
    pub seed: u64,
    /// The name and version of what ranked.
    pub model_version: String,
    /// The version of the catalogue.
    pub catalogue_version: String,
}

/// One product of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecommendedProduct {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its score, which only compares with others of the same shopper.
    pub score: f32,
    /// Its rank by score among what may be recommended, 1 the best.
    pub rank: usize,
    /// Whether it was drawn from the ranks beyond the list.
    pub explored: bool,
    /// The probability with which it stands at this place, in (0, 1].
    pub propensity: f64,
    /// Why it is recommended, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// Why a product stands in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// In a sentence or two, in the shopper's language.
    pub text: String,
    /// Whether the user model is what brings it up, more than any other model of the blend; only then does the text speak
    /// of nothing else.
    pub by_user_model: bool,
    /// What each model of the blend says beyond what it says of the average product that may be recommended, strongest
    /// first; empty where one model alone ranks.
    pub models: Vec<WhyModel>,
    /// What the user model's own score is made of.
    pub user_model: WhyUserModel,
}

/// What one model says of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyModel {
    /// The model's name in the evaluation table.
    pub model: String,
    /// Its part of the product's score beyond that of the average product.
    pub part: f32,
}

/// What the user model's score of a product is made of: `score` is the sum of the events' parts, `other`, `popularity`
/// and `own_past`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyUserModel {
    /// The score by the user model alone.
    pub score: f32,
    /// What the shopper's past events contributed, by integrated gradients, earliest first; those of next to no weight are
    /// in `other`.
    pub events: Vec<WhyEvent>,
    /// What is said without a look at a single event: the opening token, the time since, the events that are not listed,
    /// and what the integral, a sum of few steps, lacks.
    pub other: f32,
    /// What the shop's recent sales say.
    pub popularity: f32,
    /// What they say of the shop's average product.
    pub average_popularity: f32,
    /// What the shopper's own purchases of this product say.
    pub own_past: f32,
    /// How the events and `other` divide over what is known of the product: its own vector, title, category, brand, price.
    pub interests: Vec<WhyInterest>,
}

/// One past event of a shopper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyEvent {
    /// The product's id.
    pub product: String,
    /// What was done with it: view, add, purchase, review or other.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Its part of the score; below 0 where it spoke against the product.
    pub part: f32,
}

/// One thing that is known of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyInterest {
    /// `own`, `title`, `category`, `brand` or `price_band`.
    pub field: String,
    /// The category, the brand, or the price band (1 the cheapest), where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its part of the score.
    pub part: f32,
}

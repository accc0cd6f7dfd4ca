use serde::{Deserialize, Serialize};

use super::Contribution;

/// One campaign: who got what, and why the rest got nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Campaign {
    /// `push`, `sms`, `email`, `banner` or `social`.
    pub(crate) channel: String,
    /// `click` or `purchase`.
    pub(crate) goal: String,
    /// When it was decided.
    pub(crate) decided_at: Option<String>,
    /// The version of the policy that chose.
    pub(crate) policy_version: String,
    /// The version of the model that ranked.
    pub(crate) model_version: String,
    /// Shoppers who were considered: `shoppers = messages + Σ nothing`.
    pub(crate) shoppers: u64,
    /// Messages written.
    pub(crate) messages: u64,
    /// Shoppers who get nothing, by reason.
    pub(crate) nothing: Vec<ReasonCount>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
    /// Messages by the argument they make.
    pub(crate) strategies: Vec<StrategyCount>,
    /// The products that most messages speak of, most first.
    pub(crate) top_products: Vec<TakenShare>,
    /// The variants that most messages use, most first.
    pub(crate) top_variants: Vec<TakenShare>,
    /// Different products over all messages.
    pub(crate) distinct_products: Option<u64>,
    /// Different variants over all messages.
    pub(crate) distinct_variants: Option<u64>,
    /// The cap on one product's share of the messages.
    pub(crate) max_product_share: Option<f64>,
    /// The cap on one variant's share of the messages.
    pub(crate) max_variant_share: Option<f64>,
    /// How probable the chosen actions were, in bins that do not overlap.
    pub(crate) propensities: Vec<HistogramBin>,
    /// How varied the texts are.
    pub(crate) diversity: Option<Diversity>,
    /// Some of the messages; about two dozen make a good page.
    pub(crate) examples: Vec<Example>,
}

/// How many shoppers or texts a reason concerns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ReasonCount {
    /// Short stable name, such as `no_consent`.
    pub(crate) reason: String,
    /// What it means, in a sentence; may be empty.
    pub(crate) meaning: String,
    /// How many.
    pub(crate) count: u64,
}

/// Messages that make one argument.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StrategyCount {
    /// The strategy, such as `social_proof`.
    pub(crate) strategy: String,
    /// Messages.
    pub(crate) messages: u64,
}

/// How much of the messages one product or variant takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TakenShare {
    /// The product's or variant's id.
    pub(crate) id: String,
    /// The product's title, or the variant's template; may be empty.
    pub(crate) label: String,
    /// Messages.
    pub(crate) messages: u64,
    /// Share of all messages, 0..=1.
    pub(crate) share: f64,
}

/// One bin of a histogram.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HistogramBin {
    /// Lower edge, included.
    pub(crate) from: f64,
    /// Upper edge, excluded but in the last bin.
    pub(crate) until: f64,
    /// Values within.
    pub(crate) count: u64,
}

/// How varied a set of texts is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Diversity {
    /// Share of words that differ, 0..=1; higher is more varied.
    pub(crate) distinct_1: f64,
    /// Share of word pairs that differ, 0..=1; higher is more varied.
    pub(crate) distinct_2: f64,
    /// Mean BLEU-4 of a text against the others, 0..=1; lower is more varied.
    pub(crate) self_bleu: f64,
    /// Number of texts.
    pub(crate) texts: u64,
}

/// One message with everything that explains it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Example {
    /// Identifies the decision.
    pub(crate) decision_id: String,
    /// The shopper's pseudonym in full; the page shortens it.
    pub(crate) shopper: String,
    /// `push`, `sms`, `email`, `banner` or `social`.
    pub(crate) channel: String,
    /// Language of the text as a BCP 47 tag, such as `en-GB` or `zh-CN`.
    pub(crate) locale: String,
    /// The product's id.
    pub(crate) product_id: String,
    /// The product's title.
    pub(crate) product_title: String,
    /// The variant's id.
    pub(crate) variant_id: String,
    /// The argument it makes.
    pub(crate) strategy: String,
    /// What wrote it: `templates`, `native`, `llm` or `checkpoint`.
    pub(crate) provider: String,
    /// The text as the shopper sees it.
    pub(crate) text: MessageText,
    /// Why this shopper gets it, in words.
    pub(crate) reason: String,
    /// Every name of the template with its value and where that comes from.
    pub(crate) bindings: Vec<Binding>,
    /// What the guard checked.
    pub(crate) checks: Vec<Check>,
    /// P(this candidate is chosen).
    pub(crate) propensity: f64,
    /// The policy's score: `score = base + Σ contributions`.
    pub(crate) score: f64,
    /// The part of the score that no feature accounts for.
    pub(crate) base: f64,
    /// The parts of the score, largest first.
    pub(crate) contributions: Vec<Contribution>,
    /// Everything the policy chose among, `nothing` included; may be empty.
    pub(crate) candidates: Vec<Candidate>,
    /// When it was decided.
    pub(crate) decided_at: Option<String>,
    /// Segments that a text message takes.
    pub(crate) sms_segments: Option<u32>,
}

/// The fields of a finished message; which are present depends on the channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MessageText {
    /// The headline of a push message or banner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// The subject of a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// The line that a mail program shows beside the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preheader: Option<String>,
    /// The text itself; line breaks are kept.
    pub(crate) body: String,
}

/// One name of a template with its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Binding {
    /// The name as the template uses it, such as `price`.
    pub(crate) name: String,
    /// The value as it stands in the text.
    pub(crate) value: String,
    /// Where the value comes from, such as `product.current_price`, `stat.orders_30d`, `user.last_bought_title`.
    pub(crate) path: String,
}

/// One finding of the guard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Check {
    /// The rule, such as `length`.
    pub(crate) rule: String,
    /// Whether the text keeps it.
    pub(crate) passed: bool,
    /// What was found, in words; may be empty.
    pub(crate) detail: String,
}

/// One action that the policy could have chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Candidate {
    /// What it would be: a product's title, or `nothing`.
    pub(crate) label: String,
    /// The variant's id; empty for `nothing`.
    pub(crate) variant_id: String,
    /// P(chosen).
    pub(crate) propensity: f64,
    /// The policy's score.
    pub(crate) score: f64,
    /// Whether it was chosen.
    pub(crate) chosen: bool,
}

/// The texts that the guard refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refusals {
    /// Texts that were checked.
    pub(crate) checked: Option<u64>,
    /// Texts that were refused.
    pub(crate) refused: u64,
    /// Refused texts by their first reason.
    pub(crate) reasons: Vec<RefusalReason>,
}

/// One reason for which texts were refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RefusalReason {
    /// The rule, such as `unbound_number`.
    pub(crate) reason: String,
    /// What the rule asks, in a sentence; may be empty.
    pub(crate) meaning: String,
    /// Texts refused.
    pub(crate) count: u64,
    /// One of them.
    pub(crate) example: Option<RefusedText>,
}

/// A text that was refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RefusedText {
    /// The channel it was for; may be empty.
    pub(crate) channel: String,
    /// Language of the text as a BCP 47 tag; may be empty.
    pub(crate) locale: String,
    /// The text.
    pub(crate) text: String,
    /// What was found in it, in words.
    pub(crate) detail: String,
}

//! What a campaign came to: counts, shares, diversity and examples, for the terminal and the report.

use std::collections::BTreeMap;

use copywriter::metrics::Diversity;
use copywriter::tokenise;
use serde::{Deserialize, Serialize};

use super::choose::Propensities;
use super::deliver::DeliveredLine;
use super::{Run, one_line};

/// Messages that the report shows whole.
const EXAMPLES: usize = 24;
/// Products and texts that the report lists.
const TOP: usize = 8;
/// Texts on which diversity is measured.
const MEASURED: usize = 2_000;

/// What a campaign came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignReport {
    /// The run's name, under which its decisions are logged.
    pub run: String,
    /// The channel.
    pub channel: String,
    /// The goal.
    pub goal: String,
    /// The moment of the decisions.
    pub decided_at: String,
    /// Shoppers considered.
    pub shoppers: u64,
    /// Messages sent.
    pub messages: u64,
    /// Shoppers without a message, by reason.
    pub nothing: BTreeMap<String, u64>,
    /// Messages by argument.
    pub strategies: BTreeMap<String, u64>,
    /// Messages by arm of the standing experiment.
    pub arms: BTreeMap<String, u64>,
    /// Messages by language.
    pub languages: BTreeMap<String, u64>,
    /// Largest share of the messages that a product took.
    pub largest_product_share: f64,
    /// Largest share that a text took.
    pub largest_variant_share: f64,
    /// The cap on a product's expected share that held; above the configured one where that could not.
    pub product_cap: f64,
    /// The cap on a text's expected share that held.
    pub variant_cap: f64,
    /// Distinct products spoken of.
    pub products: u64,
    /// Distinct texts used.
    pub variants: u64,
    /// How varied the messages are.
    pub diversity: Option<Diversity>,
    /// Decisions by the propensity of what was chosen, in ten equal parts of [0, 1].
    pub propensities: [u64; 10],
    /// What the guard refused, by reason, the most frequent first.
    pub refused: Vec<Refused>,
    /// The shop's own texts that were paused before the campaign, since they are no longer true, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<(String, String)>,
    /// Candidates that were written for the one shopper.
    #[serde(default)]
    pub live_lines: u64,
    /// Messages that show one.
    #[serde(default)]
    pub live_messages: u64,
    /// Why there are none, where the configuration asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_live_lines: Option<String>,
    /// The products that most messages speak of, with their messages.
    pub top_products: Vec<(String, u64)>,
    /// The texts that most messages show.
    pub top_variants: Vec<(String, u64)>,
    /// Some messages, evenly spread over the shoppers.
    pub examples: Vec<DeliveredLine>,
    /// The version of the policy.
    pub policy_version: String,
    /// The version of the ranking.
    pub model_version: String,
}

/// A reason for which the guard refused texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The reason.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// One product and variant that it was about.
    pub example: String,
}

impl CampaignReport {
    /// What is known before the lines are.
    pub(super) fn new(run: &Run<'_>, chosen: &Propensities) -> Self {
        Self {
            run: run.name.clone(),
            channel: run.request.channel.to_string(),
            goal: run.request.goal.to_string(),
            decided_at: run.shop.now.to_string(),
            shoppers: 0,
            messages: 0,
            nothing: BTreeMap::new(),
            strategies: BTreeMap::new(),
            arms: BTreeMap::new(),
            languages: BTreeMap::new(),
            largest_product_share: 0.0,
            largest_variant_share: 0.0,
            product_cap: chosen.max_product_share,
            variant_cap: chosen.max_variant_share,
            products: 0,
            variants: 0,
            diversity: None,
            propensities: [0; 10],
            refused: Vec::new(),
            paused: Vec::new(),
            live_lines: 0,
            live_messages: 0,
            no_live_lines: None,
            top_products: Vec::new(),
            top_variants: Vec::new(),
            examples: Vec::new(),
            policy_version: run.policy.version(run.request.goal),
            model_version: run.ranker.version().to_owned(),
        }
    }

    /// Counts the lines.
    pub(super) fn fill(&mut self, lines: &[DeliveredLine]) {
        let (mut products, mut variants) = (BTreeMap::new(), BTreeMap::new());
        let mut refused: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
        for line in lines {
            self.shoppers += 1;
            let decision = &line.decision;
            let is_live = |candidate: &&events::Candidate| candidate.live.is_some();
            self.live_lines += decision.candidates.iter().filter(is_live).count() as u64;
            self.live_messages += u64::from(decision.chosen().live.is_some());
            for exclusion in line
                .decision
                .exclusions
                .iter()
                .filter(|exclusion| exclusion.candidate != "message")
            {
                let entry = refused
                    .entry(&exclusion.reason)
                    .or_insert((0, &exclusion.candidate));
                entry.0 += 1;
            }
            if let Some(nothing) = &line.nothing {
                *self.nothing.entry(nothing.reason.clone()).or_default() += 1;
                continue;
            }
            self.messages += 1;
            let propensity = line.decision.chosen().propensity;
            self.propensities[((propensity * 10.0) as usize).min(9)] += 1;
            *self
                .arms
                .entry(line.decision.experiment.clone())
                .or_default() += 1;
            *self
                .strategies
                .entry(line.strategy.clone().unwrap_or_default())
                .or_default() += 1;
            *self
                .languages
                .entry(line.decision.context.locale.to_string())
                .or_default() += 1;
            if let Some(product) = &line.product {
                *products.entry(product.id.as_str()).or_insert(0_u64) += 1;
            }
            if let Some(variant) = &line.variant_id {
                *variants.entry(variant.as_str()).or_insert(0_u64) += 1;
            }
        }
        let share = |counts: &BTreeMap<&str, u64>| {
            counts
                .values()
                .max()
                .map_or(0.0, |most| *most as f64 / self.messages.max(1) as f64)
        };
        self.largest_product_share = share(&products);
        self.largest_variant_share = share(&variants);
        self.top_products = top(&products);
        self.top_variants = top(&variants);
        (self.products, self.variants) = (products.len() as u64, variants.len() as u64);
        self.refused = refused
            .into_iter()
            .map(|(reason, (count, example))| Refused {
                reason: reason.to_owned(),
                count,
                example: example.to_owned(),
            })
            .collect();
        self.refused
            .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
        let sent: Vec<&DeliveredLine> =
            lines.iter().filter(|line| line.nothing.is_none()).collect();
        let texts: Vec<Vec<String>> = spread(&sent, MEASURED)
            .filter_map(|line| Some(tokenise(&one_line(line.plain_text.as_ref()?))))
            .collect();
        self.diversity = (texts.len() > 1).then(|| Diversity::of(&texts));
        self.examples = spread(&sent, EXAMPLES)
            .map(|line| (*line).clone())
            .collect();
    }
}

/// The largest counts, largest first.
fn top(counts: &BTreeMap<&str, u64>) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = counts
        .iter()
        .map(|(id, count)| ((*id).to_owned(), *count))
        .collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(TOP);
    counts
}

/// At most `count` entries, evenly spread.
fn spread<T>(all: &[T], count: usize) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(count).max(1))
}

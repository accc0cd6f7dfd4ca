//! The choice: propensities of the policy under the caps of the whole campaign, and the draw from exactly these.

use std::collections::HashMap;

use bandit::{Constraints, Pmf, SampledPosterior, Uncapped, cap_weights, capped_weights};

use super::candidates::Candidates;
use super::standing::Arm;
use crate::config::CampaignConfig;
use crate::error::Result;
use crate::policy::{DRAWS_PER_DECISION, FEATURE_COUNT};

/// How much a cap that cannot hold is raised before it is tried again.
const RELAX: f64 = 1.25;

/// One decision to be taken: its candidates and who it is about.
pub(crate) struct Open<'a> {
    pub(crate) candidates: &'a Candidates,
    pub(crate) arm: Arm,
    pub(crate) seed: u64,
}

/// The propensities of every decision, `nothing` last, and the caps that they keep.
pub(crate) struct Propensities {
    pub(crate) pmfs: Vec<Pmf>,
    /// The share of the messages that one product may take; above the configured one where that could not hold.
    pub(crate) max_product_share: f64,
    /// The same for one text.
    pub(crate) max_variant_share: f64,
}

/// Computes the propensities of all decisions of a campaign.
///
/// The random arm draws evenly. The caps of the configuration hold for the expected shares of the messages, both arms
/// together. A cap moves messages to other products and texts of the same shopper, never into silence: `nothing` keeps
/// the probability that the arm gives it.
pub(crate) fn propensities(
    open: &[Open<'_>],
    posterior: &SampledPosterior,
    config: &CampaignConfig,
) -> Result<Propensities> {
    let spoken = open
        .iter()
        .map(|decision| Spoken::of(&uncapped(decision, posterior, config.exploration)?))
        .collect::<Result<Vec<Spoken>>>()?;
    let mut products = HashMap::new();
    let mut variants = HashMap::new();
    let mut groups_of = Vec::with_capacity(open.len());
    for decision in open {
        groups_of.push(groups(decision.candidates, &mut products, &mut variants));
    }
    let is_variant: Vec<bool> = kinds(&products, &variants);
    let ones: Vec<Vec<f64>> = groups_of
        .iter()
        .map(|groups| vec![1.0; groups.len()])
        .collect();
    let decisions: Vec<Uncapped<'_>> = spoken
        .iter()
        .zip(&ones)
        .zip(&groups_of)
        .map(|((spoken, weights), groups)| Uncapped {
            pmf: &spoken.messages,
            weights,
            groups,
            mass: spoken.mass,
        })
        .collect();
    let (mut product_cap, mut variant_cap) = (config.max_product_share, config.max_variant_share);
    let by_group = loop {
        let caps: Vec<f64> = is_variant
            .iter()
            .map(|variant| if *variant { variant_cap } else { product_cap })
            .collect();
        match cap_weights(&decisions, &caps, config.exploration) {
            Ok(weights) => break weights,
            // A small shop may not have enough products to keep the caps; they are raised, and the report says so.
            Err(bandit::BanditError::CapNotReached { group, .. }) => {
                let cap = if is_variant[group] {
                    &mut variant_cap
                } else {
                    &mut product_cap
                };
                *cap = (*cap * RELAX).min(1.0);
            }
            Err(error) => return Err(error.into()),
        }
    };
    let pmfs = decisions
        .iter()
        .map(|decision| {
            let weights = capped_weights(decision.weights, decision.groups, &by_group)?;
            let floor = config.exploration;
            let messages = decision.pmf.constrained(Constraints {
                weights: &weights,
                floor,
            })?;
            with_silence(&messages, decision.mass)
        })
        .collect::<Result<Vec<Pmf>>>()?;
    Ok(Propensities {
        pmfs,
        max_product_share: product_cap,
        max_variant_share: variant_cap,
    })
}

/// The two halves of a decision: whether anything is sent, and then what.
struct Spoken {
    /// The probabilities of the messages, given that one is sent.
    messages: Pmf,
    /// The probability that one is.
    mass: f64,
}

impl Spoken {
    /// Takes probabilities apart, of which the last is that of `nothing`.
    fn of(pmf: &Pmf) -> Result<Self> {
        let (_, messages) = pmf
            .as_slice()
            .split_last()
            .expect("invariant: `nothing` is always a candidate");
        let mass: f64 = messages.iter().sum();
        let messages = if mass > 0.0 {
            Pmf::from_masses(messages.to_vec())?
        } else {
            bandit::uniform(messages.len())?
        };
        Ok(Self { messages, mass })
    }
}

/// Puts the halves together again, `nothing` last.
fn with_silence(messages: &Pmf, mass: f64) -> Result<Pmf> {
    let spoken = messages
        .as_slice()
        .iter()
        .map(|probability| mass * probability);
    Ok(Pmf::from_masses(spoken.chain([1.0 - mass]).collect())?)
}

/// The probabilities before any cap, `nothing` last: the policy's own with the share that explores, or even ones.
fn uncapped(decision: &Open<'_>, posterior: &SampledPosterior, exploration: f64) -> Result<Pmf> {
    let messages = &decision.candidates.messages;
    let actions = messages.len() + 1;
    if decision.arm != Arm::Policy {
        return Ok(bandit::uniform(actions)?);
    }
    let mut features = Vec::with_capacity(actions * FEATURE_COUNT);
    for message in messages {
        features.extend(message.x);
    }
    // Sending nothing earns nothing: its features are all 0, and so is its score in every draw.
    features.resize(actions * FEATURE_COUNT, 0.0);
    let weights = vec![1.0; actions];
    let constraints = Constraints {
        weights: &weights,
        floor: exploration,
    };
    let block = posterior.block(DRAWS_PER_DECISION, decision.seed);
    Ok(posterior.propensities_in(block, &features, constraints)?)
}

/// The groups of each message, a number for its product and one for its text.
fn groups(
    candidates: &Candidates,
    products: &mut HashMap<usize, usize>,
    variants: &mut HashMap<String, usize>,
) -> Vec<Vec<usize>> {
    let mut groups = Vec::with_capacity(candidates.messages.len());
    for message in &candidates.messages {
        let next = products.len() + variants.len();
        let product = *products.entry(message.position).or_insert(next);
        let next = products.len() + variants.len();
        let variant = *variants.entry(message.variant_id.clone()).or_insert(next);
        groups.push(vec![product, variant]);
    }
    groups
}

/// For every group whether it is that of a text.
fn kinds(products: &HashMap<usize, usize>, variants: &HashMap<String, usize>) -> Vec<bool> {
    let mut kinds = vec![false; products.len() + variants.len()];
    for group in variants.values() {
        kinds[*group] = true;
    }
    kinds
}

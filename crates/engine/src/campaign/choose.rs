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
/// The random arm draws evenly. The caps of the configuration hold for the expected shares of both arms together.
pub(crate) fn propensities(
    open: &[Open<'_>],
    posterior: &SampledPosterior,
    config: &CampaignConfig,
) -> Result<Propensities> {
    let uncapped = open
        .iter()
        .map(|decision| uncapped(decision, posterior))
        .collect::<Result<Vec<Pmf>>>()?;
    let mut products = HashMap::new();
    let mut variants = HashMap::new();
    let mut groups_of = Vec::with_capacity(open.len());
    for decision in open {
        groups_of.push(groups(decision.candidates, &mut products, &mut variants));
    }
    let is_variant: Vec<bool> = kinds(&products, &variants);
    let ones: Vec<Vec<f64>> = open
        .iter()
        .map(|decision| vec![1.0; decision.candidates.messages.len() + 1])
        .collect();
    let decisions: Vec<Uncapped<'_>> = uncapped
        .iter()
        .zip(&ones)
        .zip(&groups_of)
        .map(|((pmf, weights), groups)| Uncapped {
            pmf,
            weights,
            groups,
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
            decision.pmf.constrained(Constraints {
                weights: &weights,
                floor,
            })
        })
        .collect::<std::result::Result<Vec<Pmf>, _>>()?;
    Ok(Propensities {
        pmfs,
        max_product_share: product_cap,
        max_variant_share: variant_cap,
    })
}

/// The probabilities before any cap: the policy's own, or even ones.
fn uncapped(decision: &Open<'_>, posterior: &SampledPosterior) -> Result<Pmf> {
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
        floor: 0.0,
    };
    let block = posterior.block(DRAWS_PER_DECISION, decision.seed);
    Ok(posterior.propensities_in(block, &features, constraints)?)
}

/// The groups of each action, a number for its product and one for its text; `nothing` is in none.
fn groups(
    candidates: &Candidates,
    products: &mut HashMap<usize, usize>,
    variants: &mut HashMap<String, usize>,
) -> Vec<Vec<usize>> {
    let mut groups = Vec::with_capacity(candidates.messages.len() + 1);
    for message in &candidates.messages {
        let next = products.len() + variants.len();
        let product = *products.entry(message.position).or_insert(next);
        let next = products.len() + variants.len();
        let variant = *variants.entry(message.variant_id.clone()).or_insert(next);
        groups.push(vec![product, variant]);
    }
    groups.push(Vec::new());
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

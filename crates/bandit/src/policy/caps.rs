//! Caps on how much of a campaign one product or variant may take.
//!
//! Agrawal & Devanur, "Linear Contextual Bandits with Knapsacks", NIPS 2016, treat such caps by a price per
//! resource; here the price is a weight per capped group, fixed before anything is drawn:
//!
//! ```text
//! w_g ← min(1, w_g cap_g / share_g)      share_g = Σᵢ mᵢ Σₖ∈g p'ᵢₖ / Σᵢ mᵢ      p' = constrained(p, w)
//! ```
//!
//! How this differs from the paper: one campaign, whose candidate sets are all known before it starts, so
//! that the shares are computed rather than learnt, by the fixed point above (iterative proportional
//! fitting, Deming & Stephan 1940, with inequalities). The caps hold for the expected shares; the realised
//! ones vary around them as draws do.

use crate::error::{BanditError, check_len, check_range};
use crate::pmf::{Constraints, Pmf};

const ROUNDS: usize = 500;
/// How far a share may exceed its cap, relative to the cap.
const TOLERANCE: f64 = 1e-3;
const SMALLEST_WEIGHT: f64 = 1e-9;

/// One shopper's decision before the caps.
#[derive(Debug, Clone, Copy)]
pub struct Uncapped<'a> {
    /// The probabilities that the policy gives.
    pub pmf: &'a Pmf,
    /// The weights of the shopper's own constraints.
    pub weights: &'a [f64],
    /// For each action the groups it counts in, such as its product and its variant; `nothing` in none.
    pub groups: &'a [Vec<usize>],
    /// How much the decision counts in the shares, at least 0: 1, or, where the actions are those of sending
    /// something at all, the probability of that.
    pub mass: f64,
}

/// Finds a weight per group with which no group's expected share exceeds its cap.
///
/// An action's weight is its own times those of its groups: see [`capped_weights`].
///
/// # Errors
/// [`BanditError::OutOfRange`] for a cap outside (0, 1] or a group without one, [`BanditError::Shape`] where
/// lists differ in length, [`BanditError::CapNotReached`] where the caps cannot hold, for want of other
/// actions or because the floor alone exceeds them, and the errors of [`Pmf::constrained`].
pub fn cap_weights(
    decisions: &[Uncapped<'_>],
    caps: &[f64],
    floor: f64,
) -> Result<Vec<f64>, BanditError> {
    for &cap in caps {
        check_range("a cap", cap, cap > 0.0 && cap <= 1.0, "a share in (0, 1]")?;
    }
    let mut by_group = vec![1.0_f64; caps.len()];
    let mut shares = expected_shares(decisions, &by_group, floor)?;
    for _ in 0..ROUNDS {
        if exceeded(&shares, caps).is_none() {
            return Ok(by_group);
        }
        for ((weight, share), cap) in by_group.iter_mut().zip(&shares).zip(caps) {
            if *share > 0.0 {
                *weight = (*weight * cap / share).clamp(SMALLEST_WEIGHT, 1.0);
            }
        }
        shares = expected_shares(decisions, &by_group, floor)?;
    }
    match exceeded(&shares, caps) {
        None => Ok(by_group),
        Some(group) => Err(BanditError::CapNotReached {
            group,
            share: shares[group],
            cap: caps[group],
        }),
    }
}

/// The weights of a decision's actions: its own times those of the groups that each action counts in.
///
/// # Errors
/// [`BanditError::Shape`] where the lists differ in length, [`BanditError::OutOfRange`] for a group without
/// a weight.
pub fn capped_weights(
    weights: &[f64],
    groups: &[Vec<usize>],
    by_group: &[f64],
) -> Result<Vec<f64>, BanditError> {
    check_len("groups", weights.len(), groups.len())?;
    let of_action = |(weight, groups): (&f64, &Vec<usize>)| {
        groups.iter().try_fold(*weight, |weight, &group| {
            let known = by_group.get(group).copied();
            check_range(
                "a group",
                group as f64,
                known.is_some(),
                "the index of a cap",
            )?;
            Ok(weight * known.unwrap_or(1.0))
        })
    };
    weights.iter().zip(groups).map(of_action).collect()
}

/// The share of the decisions' mass that each group is expected to take.
fn expected_shares(
    decisions: &[Uncapped<'_>],
    by_group: &[f64],
    floor: f64,
) -> Result<Vec<f64>, BanditError> {
    let mut shares = vec![0.0; by_group.len()];
    let total: f64 = decisions.iter().map(|decision| decision.mass).sum();
    for decision in decisions {
        let mass = decision.mass;
        check_range(
            "a mass",
            mass,
            mass >= 0.0 && mass.is_finite(),
            "a finite number of at least 0",
        )?;
        if mass == 0.0 {
            continue;
        }
        let weights = capped_weights(decision.weights, decision.groups, by_group)?;
        let constraints = Constraints {
            weights: &weights,
            floor,
        };
        let pmf = decision.pmf.constrained(constraints)?;
        for (probability, groups) in pmf.as_slice().iter().zip(decision.groups) {
            for &group in groups {
                shares[group] += mass * probability / total;
            }
        }
    }
    Ok(shares)
}

/// The group that exceeds its cap the most, beyond the tolerance.
fn exceeded(shares: &[f64], caps: &[f64]) -> Option<usize> {
    let excess = |group: &usize| shares[*group] / caps[*group];
    (0..caps.len())
        .filter(|group| excess(group) > 1.0 + TOLERANCE)
        .max_by(|a, b| excess(a).total_cmp(&excess(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, assert_close};

    fn pmf(masses: &[f64]) -> Pmf {
        Pmf::from_masses(masses.to_vec()).expect("valid masses")
    }

    fn groups(of: &[&[usize]]) -> Vec<Vec<usize>> {
        of.iter().map(|groups| groups.to_vec()).collect()
    }

    #[test]
    fn a_weight_computed_by_hand() {
        // 0.8 w / (0.8 w + 0.2) = 0.5 where w = 1/4.
        let (pmf, groups) = (pmf(&[0.8, 0.2]), groups(&[&[0], &[]]));
        let decision = Uncapped {
            pmf: &pmf,
            weights: &[1.0, 1.0],
            groups: &groups,
            mass: 1.0,
        };
        let found = cap_weights(&[decision; 3], &[0.5], 0.0).expect("possible");
        assert_close(found[0], 0.25, 0.002);
        let weights = capped_weights(&[2.0, 1.0], &groups, &[0.25]).expect("valid");
        assert_all_close(&weights, &[0.5, 1.0], 0.0);
        let free = cap_weights(&[decision], &[0.9], 0.0).expect("possible");
        assert_all_close(&free, &[1.0], 0.0);
    }

    #[test]
    fn shares_of_products_and_variants_hold_together() {
        // Product 0 is everyone's favourite and variant 2 is on two products.
        let groups = groups(&[&[0, 2], &[1, 2], &[1, 3], &[]]);
        let pmfs: Vec<Pmf> = (0..40_u32)
            .map(|shopper| pmf(&[6.0, f64::from(shopper % 5), 1.0, 1.0]))
            .collect();
        let decisions: Vec<Uncapped<'_>> = pmfs
            .iter()
            .map(|pmf| Uncapped {
                pmf,
                weights: &[1.0; 4],
                groups: &groups,
                mass: 1.0,
            })
            .collect();
        let caps = [0.3, 0.4, 0.5, 1.0];
        let found = cap_weights(&decisions, &caps, 0.04).expect("possible");
        let shares = expected_shares(&decisions, &found, 0.04).expect("valid");
        for (share, cap) in shares.iter().zip(&caps) {
            assert!(*share <= cap * 1.001 + 1e-12, "{share} of {cap}");
        }
        assert!(shares[0] > 0.2, "a cap is no ban: {shares:?}");
    }

    #[test]
    fn a_decision_counts_by_its_mass() {
        let groups = groups(&[&[0], &[1]]);
        let (likes, indifferent) = (pmf(&[0.9, 0.1]), pmf(&[0.5, 0.5]));
        let decision = |pmf, mass| Uncapped {
            pmf,
            weights: &[1.0, 1.0],
            groups: &groups,
            mass,
        };
        // (0.25 × 0.9 + 0.75 × 0.5) / 1 = 0.6, and a decision without mass counts nothing.
        let decisions = [
            decision(&likes, 0.25),
            decision(&indifferent, 0.75),
            decision(&likes, 0.0),
        ];
        let shares = expected_shares(&decisions, &[1.0, 1.0], 0.0).expect("valid");
        assert_all_close(&shares, &[0.6, 0.4], 1e-15);
        assert!(cap_weights(&[decision(&likes, -1.0)], &[1.0, 1.0], 0.0).is_err());
    }

    #[test]
    fn impossible_caps_name_the_group() {
        let (pmf, groups) = (pmf(&[0.5, 0.5]), groups(&[&[0], &[0]]));
        let decision = Uncapped {
            pmf: &pmf,
            weights: &[1.0, 1.0],
            groups: &groups,
            mass: 1.0,
        };
        let fault = cap_weights(&[decision], &[0.5], 0.0).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "group 0 takes a share of 1 where its cap is 0.5; add actions outside of it, such as `nothing`, or lower the floor"
        );
        assert!(cap_weights(&[decision], &[1.5], 0.0).is_err());
        let fault = cap_weights(&[decision], &[], 0.0).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "a group is 0; expected the index of a cap"
        );
    }
}

//! The uniform random policy: every action equally likely, whatever is known.
//!
//! The control of every experiment, and the logging policy from which every other can be evaluated
//! (Li et al., "Unbiased Offline Evaluation of Contextual-bandit-based News Article Recommendation
//! Algorithms", WSDM 2011). How this differs from the paper: nothing.

use crate::error::BanditError;
use crate::pmf::Pmf;

/// The uniform distribution over a number of actions: `pₖ = 1 / K`.
///
/// # Errors
/// [`BanditError::NoAllowedAction`] where there is no action.
pub fn uniform(actions: usize) -> Result<Pmf, BanditError> {
    Pmf::from_masses(vec![1.0; actions])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pmf::Constraints;
    use crate::testing::assert_all_close;

    #[test]
    fn is_even_over_all_and_over_the_allowed() {
        let pmf = uniform(4).expect("actions");
        assert_all_close(pmf.as_slice(), &[0.25; 4], 0.0);
        let constraints = Constraints {
            weights: &[1.0, 0.0, 1.0, 0.0],
            floor: 0.1,
        };
        let pmf = pmf.constrained(constraints).expect("two are allowed");
        assert_all_close(pmf.as_slice(), &[0.5, 0.0, 0.5, 0.0], 1e-15);
        assert_eq!(uniform(0), Err(BanditError::NoAllowedAction { actions: 0 }));
    }
}

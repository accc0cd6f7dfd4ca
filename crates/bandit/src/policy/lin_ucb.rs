//! `LinUCB`: the estimate plus a multiple of its width.
//!
//! Li et al., "A Contextual-Bandit Approach to Personalized News Article Recommendation", WWW 2010:
//! `uₖ = xₖᵀ mean + α √(xₖᵀ A⁻¹ xₖ)`, choosing the highest.
//! How this differs from the paper: the state is the shared [`RidgePosterior`] (one per arm gives the
//! paper's disjoint model), and the bounds are meant as the scores of [`super::epsilon_greedy`], since the
//! argmax alone would log propensities of 1 and 0, from which nothing else can be evaluated.

use super::ridge::RidgePosterior;
use crate::error::{BanditError, check_len, check_range};

/// The upper confidence bounds of a candidate set.
///
/// # Shapes
/// `actions` is `K × dimension`, row by row; the result has K entries.
///
/// # Errors
/// [`BanditError::Shape`] where the last action is cut short, [`BanditError::OutOfRange`] where `alpha` is
/// negative or not finite.
pub fn lin_ucb(
    posterior: &RidgePosterior,
    actions: &[f64],
    alpha: f64,
) -> Result<Vec<f64>, BanditError> {
    let holds = alpha >= 0.0 && alpha.is_finite();
    check_range("alpha", alpha, holds, "a finite number of at least 0")?;
    let dimension = posterior.dimension();
    let whole = actions.len() / dimension * dimension;
    check_len("actions", whole, actions.len())?;
    actions
        .chunks_exact(dimension)
        .map(|x| Ok(posterior.score(x)? + alpha * posterior.width(x)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ridge::Observation;
    use crate::testing::{assert_close, golden, number, numbers};

    #[test]
    fn equals_mabwiser() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let golden = &golden["linucb"];
        let rows = numbers(&golden["X"]);
        let rewards = numbers(&golden["reward"]);
        let arms = numbers(&golden["arm"]);
        let x_test = numbers(&golden["x_test"]);
        for (arm, name) in [(0.0, "0"), (1.0, "1")] {
            let mut posterior = RidgePosterior::new(vec![0.0; 3], 1.0).expect("valid");
            for ((x, &reward), of) in rows.chunks_exact(3).zip(&rewards).zip(&arms) {
                let weight = f64::from(u8::from((of - arm).abs() < 0.5));
                posterior
                    .update(&[Observation { x, reward, weight }])
                    .expect("valid");
            }
            let bounds = lin_ucb(&posterior, &x_test, number(&golden["alpha"])).expect("valid");
            let expected = &golden["mabwiser_linucb_expectations"][name];
            assert_close(bounds[0], number(expected), 1e-12);
            let greedy = lin_ucb(&posterior, &x_test, 0.0).expect("valid");
            let expected = &golden["mabwiser_lingreedy"][name];
            assert_close(greedy[0], number(expected), 1e-12);
            let width = posterior.width(&x_test).expect("valid");
            assert_close(width, number(&golden["arms"][name]["width"]), 1e-12);
        }
    }

    #[test]
    fn refuses_a_cut_row_and_a_negative_alpha() {
        let posterior = RidgePosterior::new(vec![0.0; 2], 1.0).expect("valid");
        let fault = lin_ucb(&posterior, &[1.0; 3], 1.0).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "actions has 3 entries, expected 2; pass one entry for each"
        );
        assert!(lin_ucb(&posterior, &[1.0; 2], -1.0).is_err());
    }
}

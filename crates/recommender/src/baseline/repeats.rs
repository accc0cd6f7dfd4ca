//! Own repeats: what a shopper bought often and lately, the strongest simple rule for repeat purchases.
//!
//! score(i) = Σ over the shopper's baskets b with i of `2^(−(now − t_b) / half-life)`. Hu et al., "Modeling Personalized Item
//! Frequency Information for Next-basket Recommendation" (SIGIR 2020), show that such decayed personal frequencies beat the
//! recurrent models of their time.
//!
//! How this differs from the paper: the decay is in time and not in groups of baskets, and there is no
//! nearest-neighbour part. Items never bought follow in the order of their popularity, below every item bought.

use crate::decay::{check_half_life, decay};
use crate::{Corpus, Interaction, Popular, RecommenderError, Scorer, baskets};

/// The shopper's own purchases, by frequency and recency.
#[derive(Debug, Clone)]
pub struct OwnRepeats {
    half_life_days: f64,
    fallback: Vec<f32>,
}

impl OwnRepeats {
    /// Prepares the scorer; from the training window it takes the order of the items never bought.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when the half-life is not above 0.
    pub fn fit(training: &Corpus, half_life_days: f64) -> Result<Self, RecommenderError> {
        check_half_life("half_life_days", half_life_days)?;
        let popular = Popular::all_time(training);
        let most = popular.counts().iter().fold(1.0f32, |a, &b| a.max(b));
        Ok(Self {
            half_life_days,
            fallback: popular
                .counts()
                .iter()
                .map(|count| count / most - 1.0)
                .collect(),
        })
    }
}

impl Scorer for OwnRepeats {
    fn name(&self) -> &'static str {
        "own-repeats"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let score = |history: &&[Interaction]| {
            let mut own = vec![0.0; self.fallback.len()];
            for basket in baskets(history) {
                let weight = decay(now_s - basket.at_s, self.half_life_days);
                for item in basket.items {
                    own[item as usize] += weight;
                }
            }
            let pairs = own.into_iter().zip(&self.fallback);
            // The fallback is between −1 and 0, so it orders what was never bought below what was.
            pairs
                .map(|(own, &fallback)| if own > 0.0 { own as f32 } else { fallback })
                .collect()
        };
        Ok(histories.iter().map(score).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    const DAY: i64 = 86_400;

    #[test]
    fn often_and_lately_comes_first_then_what_others_buy() {
        let history = vec![
            buy(0, 0, Some(1)),
            buy(0, 10 * DAY, Some(2)),
            buy(1, 20 * DAY, Some(3)),
        ];
        let others = vec![buy(3, 0, Some(1)), buy(3, 1, Some(2)), buy(2, 1, Some(3))];
        let corpus = corpus_of(4, vec![history.clone(), others]);
        let scores = OwnRepeats::fit(&corpus, 10.0)
            .expect("valid")
            .scores(&[&history, &[]], 20 * DAY)
            .expect("scores");
        // Item 0: 2⁻² + 2⁻¹; item 1: 1; the others by their 1 and 2 baskets of at most 2.
        assert_eq!(scores[0], [0.75, 1.0, -0.5, 0.0]);
        assert_eq!(scores[1], [0.0, -0.5, -0.5, 0.0]);
        assert!(OwnRepeats::fit(&corpus, f64::NAN).is_err());
    }
}

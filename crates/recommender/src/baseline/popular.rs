//! Most popular, and most popular recently.
//!
//! score(i) = Σ over baskets b with i of `2^(−(T − t_b) / half-life)`, T the last moment of the training window. An infinite
//! half-life counts every basket alike, which is "most popular". Ji et al., "A Re-visit of the Popularity Baseline in
//! Recommender Systems" (SIGIR 2020), ask for the recent form as the fair baseline of a time split.
//!
//! How this differs from the paper: it counts a window of fixed length; the exponential has no edge over which an item
//! falls out.

use crate::decay::{check_half_life, decay};
use crate::{Corpus, Interaction, RecommenderError, Scorer, baskets};

/// The same list for everybody: items by how many baskets they were in, older baskets counting less.
#[derive(Debug, Clone)]
pub struct Popular {
    name: &'static str,
    scores: Vec<f32>,
}

impl Popular {
    /// Counts every basket alike: the baseline `popular`.
    pub fn all_time(training: &Corpus) -> Self {
        Self::count("popular", training, f64::INFINITY)
    }

    /// Counts a basket half after `half_life_days`: the baseline `popular-recently`.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when the half-life is not above 0.
    pub fn recently(training: &Corpus, half_life_days: f64) -> Result<Self, RecommenderError> {
        check_half_life("half_life_days", half_life_days)?;
        Ok(Self::count("popular-recently", training, half_life_days))
    }

    /// The decayed number of baskets of each item.
    pub fn counts(&self) -> &[f32] {
        &self.scores
    }

    fn count(name: &'static str, training: &Corpus, half_life_days: f64) -> Self {
        // Every weight of an exponential shrinks by the same factor as time goes by, so the order at the end of the
        // training window is the order at every later moment.
        let end_s = training.purchases().map(|line| line.at_s).max();
        let mut scores = vec![0.0; training.items.len()];
        for sequence in &training.sequences {
            for basket in baskets(&sequence.interactions) {
                let age_s = end_s.unwrap_or(basket.at_s) - basket.at_s;
                for item in basket.items {
                    scores[item as usize] += decay(age_s, half_life_days);
                }
            }
        }
        Self {
            name,
            scores: scores.into_iter().map(|score| score as f32).collect(),
        }
    }
}

impl Scorer for Popular {
    fn name(&self) -> &'static str {
        self.name
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        _now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        Ok(vec![self.scores.clone(); histories.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    const DAY: i64 = 86_400;

    #[test]
    fn the_past_counts_less_where_it_should() {
        let corpus = corpus_of(
            3,
            vec![
                vec![buy(0, 0, Some(1)), buy(0, DAY, Some(2))],
                vec![
                    buy(0, 0, Some(3)),
                    buy(1, 2 * DAY, Some(4)),
                    buy(1, 2 * DAY, Some(4)),
                ],
            ],
        );
        let all_time = Popular::all_time(&corpus);
        assert_eq!(all_time.counts(), [3.0, 1.0, 0.0]);
        let recently = Popular::recently(&corpus, 1.0).expect("valid");
        assert_eq!(recently.counts(), [1.0, 1.0, 0.0]);
        let scores = recently.scores(&[&[], &[]], 9 * DAY).expect("scores");
        assert_eq!(scores, vec![vec![1.0, 1.0, 0.0]; 2]);
        assert!(Popular::recently(&corpus, 0.0).is_err());
    }
}

//! Newest first: what came into the shop lately.
//!
//! score(i) = 1 / (days since the first sale of i + 7). No paper: shops sort by it. The week keeps the products of the last
//! days from being worth many times those of the days before.

use crate::{Corpus, Interaction, RecommenderError, Scorer};

/// The same list for everybody: items by how lately they were first sold.
#[derive(Debug, Clone)]
pub struct Newest {
    first_sale_s: Vec<Option<i64>>,
}

impl Newest {
    /// Notes when each item was first sold.
    pub fn fit(training: &Corpus) -> Self {
        let mut first_sale_s: Vec<Option<i64>> = vec![None; training.items.len()];
        for line in training.purchases() {
            let first = &mut first_sale_s[line.item as usize];
            *first = Some(first.map_or(line.at_s, |at_s| at_s.min(line.at_s)));
        }
        Self { first_sale_s }
    }
}

impl Scorer for Newest {
    fn name(&self) -> &'static str {
        "newest"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let score = |first_s: &Option<i64>| {
            first_s.map_or(0.0, |first_s| {
                let days = (now_s - first_s).max(0) as f32 / 86_400.0;
                1.0 / (days + 7.0)
            })
        };
        let scores: Vec<f32> = self.first_sale_s.iter().map(score).collect();
        Ok(vec![scores; histories.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    #[test]
    fn the_first_sale_counts() {
        let day = 86_400;
        let corpus = corpus_of(
            3,
            vec![
                vec![buy(0, 0, None), buy(0, 9 * day, None)],
                vec![buy(1, 7 * day, None)],
            ],
        );
        let scores = Newest::fit(&corpus).scores(&[&[]], 10 * day);
        assert_eq!(scores.expect("scores"), [[1.0 / 17.0, 0.1, 0.0]]);
    }
}

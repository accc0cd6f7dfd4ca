//! Popular in this season: what sold in the same weeks of last year.
//!
//! score(i) = number of baskets with i in [now − 365 days, now − 365 days + span): what the coming weeks looked like a year
//! ago, the seasonal naive forecast (Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", §5.2) of every item.
//!
//! How this differs from the book: items are counted over a span of several weeks, since a single day of a single item is
//! mostly zero. A shop with less than a year of orders gets zeros.

use std::collections::BTreeMap;

use crate::{Corpus, Interaction, RecommenderError, Scorer, baskets};

const DAY_S: i64 = 86_400;

/// The same list for everybody: items by how many baskets they were in a year ago.
#[derive(Debug, Clone)]
pub struct Seasonal {
    span_days: u32,
    items: usize,
    /// Items of the baskets of each moment.
    sales: BTreeMap<i64, Vec<u32>>,
}

impl Seasonal {
    /// Notes when each item was sold; `span_days` is how far ahead the season is looked up, such as 45.
    pub fn fit(training: &Corpus, span_days: u32) -> Self {
        let mut sales: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for sequence in &training.sequences {
            for basket in baskets(&sequence.interactions) {
                sales.entry(basket.at_s).or_default().extend(basket.items);
            }
        }
        Self {
            span_days,
            items: training.items.len(),
            sales,
        }
    }
}

impl Scorer for Seasonal {
    fn name(&self) -> &'static str {
        "popular-in-season"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let start_s = now_s - 365 * DAY_S;
        let end_s = start_s + i64::from(self.span_days) * DAY_S;
        let mut scores = vec![0.0; self.items];
        for &item in self
            .sales
            .range(start_s..end_s)
            .flat_map(|(_, items)| items)
        {
            scores[item as usize] += 1.0;
        }
        Ok(vec![scores; histories.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    #[test]
    fn last_year_is_counted_from_the_same_day() {
        let lines = vec![
            buy(0, 9 * DAY_S, Some(1)),
            buy(1, 10 * DAY_S, Some(2)),
            buy(2, 10 * DAY_S, Some(2)),
            buy(2, 39 * DAY_S, Some(3)),
            buy(0, 40 * DAY_S, Some(4)),
        ];
        let seasonal = Seasonal::fit(&corpus_of(3, vec![lines]), 30);
        let scores = seasonal.scores(&[&[], &[]], 375 * DAY_S).expect("scores");
        assert_eq!(scores, vec![vec![0.0, 1.0, 2.0]; 2]);
        let early = seasonal.scores(&[&[]], 50 * DAY_S).expect("scores");
        assert_eq!(early, [[0.0; 3]]);
    }
}

//! The user model's scores as products of two vectors, which a search among very many items can find.

use nn::NnError;

use super::model::UserModel;
use crate::{Interaction, RecommenderError};

/// One vector an item, in the order of the corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemRows {
    /// The vectors one after another: [V, C] in row-major order.
    pub values: Vec<f32>,
    /// Numbers of each vector, C.
    pub columns: usize,
}

impl UserModel {
    /// What is known of each item at `now_s` (Unix seconds), such that its product with a query is the item's score for
    /// a shopper who never bought it.
    ///
    /// The first columns are the item's vector as scores compare it, the last ones what all shoppers' scores start from:
    /// the log-shares of the shop's recent sales, one a half-life, or the learnt number of the item where sequences have
    /// no clock. The own past is the one part of a score that no product holds: whoever recommends again what was bought
    /// adds those few items by themselves.
    ///
    /// # Shapes
    /// → [V, C], C = D + half-lives, or D + 1.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where memory is short.
    pub fn item_rows(&self, now_s: i64) -> Result<ItemRows, RecommenderError> {
        let vectors: Vec<Vec<f32>> = self.table().outputs.to_vec2().map_err(NnError::from)?;
        // [half-lives, V] at the one moment; empty where the learnt number is a column already.
        let tables = self.popularity.tables_at(std::iter::once(now_s)).tables;
        let shares = tables.first().map_or(&[][..], |table| table);
        let items = vectors.len();
        let mut values = Vec::with_capacity(items * self.config.width + shares.len() + items);
        for (item, vector) in vectors.iter().enumerate() {
            values.extend_from_slice(vector);
            values.extend(
                shares
                    .chunks_exact(items)
                    .map(|of_half_life| of_half_life[item]),
            );
        }
        Ok(ItemRows {
            columns: values.len() / items.max(1),
            values,
        })
    }

    /// The vectors that shoppers are searched with among [`UserModel::item_rows`] of the same moment.
    ///
    /// # Shapes
    /// B histories → B vectors of C numbers.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where an interaction names an item beyond the corpus.
    pub fn queries(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        self.answer(histories, now_s, |_, states| {
            let queries = self.network.search_queries(states)?;
            Ok(queries.to_vec2()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scorer;
    use crate::user_model::tests::{
        DAY_S, finished, for_sequences, habitual_shop, small, train_on,
    };
    use crate::user_model::{EncoderKind, UserModelConfig};

    /// The largest difference between a score and its product, over the items that a shopper never bought.
    fn largest_difference(config: &UserModelConfig) -> f32 {
        let corpus = habitual_shop(60, 7);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (model, _) = finished(train_on(&corpus, config, folder.path()));
        let now_s = 5 * DAY_S;
        let histories: Vec<&[Interaction]> = corpus.sequences[..8]
            .iter()
            .map(|sequence| &sequence.interactions[..5])
            .collect();
        let rows = model.item_rows(now_s).expect("rows");
        assert_eq!(rows.values.len(), corpus.items.len() * rows.columns);
        let queries = model.queries(&histories, now_s).expect("queries");
        let scores = model.scores(&histories, now_s).expect("scores");
        let mut largest = 0f32;
        for ((query, scores), history) in queries.iter().zip(&scores).zip(&histories) {
            assert_eq!(query.len(), rows.columns);
            for (item, row) in rows.values.chunks_exact(rows.columns).enumerate() {
                if history.iter().any(|line| line.item as usize == item) {
                    continue;
                }
                let product: f32 = row.iter().zip(query).map(|(x, y)| x * y).sum();
                largest = largest.max((product - scores[item]).abs());
            }
        }
        largest
    }

    #[test]
    fn a_score_is_the_product_of_query_and_row() {
        let of_shop = largest_difference(&small());
        assert!(of_shop < 1e-4, "a shop with a clock: {of_shop}");
        let cosine = UserModelConfig {
            temperature: 0.1,
            ..small()
        };
        let of_directions = largest_difference(&cosine);
        assert!(of_directions < 1e-4, "directions alone: {of_directions}");
        let of_sequences = largest_difference(&for_sequences(EncoderKind::Gru));
        assert!(of_sequences < 1e-4, "sequences: {of_sequences}");
    }
}

use crate::{Interaction, RecommenderError};

/// Something that ranks a shop's items for shoppers, given what they did.
pub trait Scorer: Send + Sync {
    /// The name under which it stands in the evaluation table, such as `item-knn`.
    fn name(&self) -> &str;

    /// Scores every item of the corpus for each history; higher is better, and only the order matters.
    ///
    /// `now_s` is the moment of the decision in Unix seconds, after every interaction of every history. A history may be
    /// empty. Masking (bought items, items out of stock) is the caller's part.
    ///
    /// # Shapes
    /// `histories` B slices, each in time order → B vectors of one finite score an item.
    ///
    /// # Errors
    /// What a model's forward pass fails with; the counting baselines never fail.
    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError>;
}

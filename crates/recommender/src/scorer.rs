use std::collections::HashMap;
use std::sync::Arc;

use crate::{Interaction, RecommenderError};

/// B vectors of one score an item, shared between those who read them.
pub type SharedScores = Arc<Vec<Vec<f32>>>;

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

    /// As [`Scorer::scores`], for one of several scorers of the same histories and moment: a scorer made of others takes
    /// from `known` what they have computed already.
    ///
    /// # Errors
    /// Those of [`Scorer::scores`].
    fn scores_sharing(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
        _known: &mut KnownScores,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        self.scores(histories, now_s)
    }
}

/// The scores that several scorers gave the same histories at the same moment.
#[derive(Debug, Default)]
pub struct KnownScores {
    by_scorer: HashMap<(usize, String), SharedScores>,
}

impl KnownScores {
    /// The scores of a scorer, computed at the first call.
    ///
    /// # Errors
    /// Those of [`Scorer::scores`].
    pub fn of(
        &mut self,
        scorer: &dyn Scorer,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<SharedScores, RecommenderError> {
        // The name tells apart scorers without a size, which may share an address.
        let address = std::ptr::from_ref(scorer).cast::<()>() as usize;
        let key = (address, scorer.name().to_owned());
        if let Some(scores) = self.by_scorer.get(&key) {
            return Ok(Arc::clone(scores));
        }
        let scores = Arc::new(scorer.scores_sharing(histories, now_s, self)?);
        self.by_scorer.insert(key, Arc::clone(&scores));
        Ok(scores)
    }
}

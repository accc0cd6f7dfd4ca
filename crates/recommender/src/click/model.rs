use nn::{NnError, Tensor};
use serde::Serialize;

use super::config::ClickSettings;
use super::data::ClickData;
use super::examples::Examples;
use super::network::{Network, Widths};
use crate::RecommenderError;

/// Examples that are answered at once.
const BLOCK: usize = 4_096;

/// Says how likely an impression is clicked.
#[derive(Debug)]
pub struct ClickModel {
    pub(super) settings: ClickSettings,
    pub(super) network: Network,
}

/// A weight of logistic regression by the name of what it weighs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weight {
    /// A column of numbers, or `column = category`.
    pub name: String,
    /// What one standard deviation of the number, or the category instead of its column's average, adds to the log-odds of
    /// a click.
    pub weight: f64,
}

impl ClickModel {
    /// Makes a model that knows nothing but the training part's base rate.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] for a bad setting.
    pub(super) fn untrained(
        data: &ClickData,
        settings: &ClickSettings,
    ) -> Result<Self, RecommenderError> {
        settings.check()?;
        let widths = Widths {
            numbers: data.training.number_width(),
            columns: data.training.category_width(),
            rows: data.features.category_rows(),
        };
        let labels = data.training.labels();
        let clicks = labels.iter().filter(|label| **label).count();
        let base_rate = clicks as f64 / labels.len() as f64;
        Ok(Self {
            network: Network::new(settings, widths, base_rate)?,
            settings: settings.clone(),
        })
    }

    /// The settings.
    pub fn settings(&self) -> &ClickSettings {
        &self.settings
    }

    /// The number of trainable scalars.
    pub fn parameter_count(&self) -> usize {
        self.network.store.element_count()
    }

    /// The probability of a click of each example: 1 / (1 + exp(−logit)).
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where the examples were read by other features.
    pub fn probabilities(&self, examples: &Examples) -> Result<Vec<f64>, RecommenderError> {
        let rows: Vec<usize> = (0..examples.len()).collect();
        let mut probabilities = Vec::with_capacity(rows.len());
        for rows in rows.chunks(BLOCK) {
            let logits: Tensor = self.network.logits(&examples.batch(rows)?)?;
            let logits = logits.to_vec1::<f32>().map_err(NnError::from)?;
            let sigmoid = |logit: f32| 1.0 / (1.0 + (-f64::from(logit)).exp());
            probabilities.extend(logits.into_iter().map(sigmoid));
        }
        Ok(probabilities)
    }

    /// The weights of logistic regression, the largest first; nothing of another model.
    ///
    /// A column's weights are told relative to their mean over the training part, which leaves every probability as it is:
    /// one-hot weights are defined up to a constant alone.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where memory is short.
    pub fn weights(&self, data: &ClickData) -> Result<Option<Vec<Weight>>, RecommenderError> {
        let Some([numbers, categories]) = self.network.weights()? else {
            return Ok(None);
        };
        let named = |(name, weight)| Weight { name, weight };
        let numbers = numbers.into_iter().map(f64::from);
        let names = data.features.number_names();
        let mut weights: Vec<Weight> = names.into_iter().zip(numbers).map(named).collect();
        let training = &data.training;
        let mut counts = vec![0.0; categories.len()];
        for row in &training.categories {
            counts[*row as usize] += 1.0;
        }
        let mut first = 0;
        for names in data.features.category_names() {
            let own = first..first + names.len();
            first = own.end;
            let of_column = categories[own.clone()].iter().map(|w| f64::from(*w));
            let of_column: Vec<(f64, f64)> = of_column.zip(counts[own].iter().copied()).collect();
            let sum: f64 = of_column.iter().map(|(weight, count)| weight * count).sum();
            let mean = sum / training.len() as f64;
            // A category without an example was never learnt.
            let learnt = names.into_iter().zip(of_column);
            let learnt = learnt.filter(|(_, (_, count))| *count > 0.0);
            weights.extend(learnt.map(|(name, (weight, _))| named((name, weight - mean))));
        }
        weights.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        Ok(Some(weights))
    }
}

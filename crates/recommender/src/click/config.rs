use serde::{Deserialize, Serialize};

use crate::RecommenderError;
use crate::error::refuse;

/// Which model of clicks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClickModelKind {
    /// Logistic regression on numbers and one-hot categories: a weight for each, and no interactions.
    Logistic,
    /// A perceptron on numbers and category vectors.
    Mlp,
    /// Cross layers beside a perceptron on the same inputs.
    Dcn,
}

impl ClickModelKind {
    /// All of them, the simplest first.
    pub const ALL: [Self; 3] = [Self::Logistic, Self::Mlp, Self::Dcn];

    /// Its name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Mlp => "mlp",
            Self::Dcn => "dcn",
        }
    }
}

/// Sizes and training settings of a click model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickSettings {
    /// Which model.
    pub kind: ClickModelKind,
    /// Width of a category's vector, at least 1; logistic regression has one weight instead. Default 8.
    pub category_width: usize,
    /// Widths of the perceptron's hidden layers, at least one, each at least 1. Default 64 and 32.
    pub hidden: Vec<usize>,
    /// Cross layers of DCN-v2. Default 2.
    pub cross_layers: usize,
    /// Most examples of a batch, at least 1; a small training part is cut into 20 batches. Default 256.
    pub batch_rows: usize,
    /// Optimiser steps over which the learning rate falls, at least 1, within 10 to 60 passes over the training part.
    /// Default 3,000.
    pub steps: u64,
    /// Share of the passes, in (0, 1), after which training stops if the validation part's log-loss has not fallen.
    /// Default 0.2.
    pub patience_share: f64,
    /// Highest learning rate, above 0. Default 0.02 for logistic regression, otherwise 0.002.
    pub learning_rate: f64,
    /// Weight decay of the matrices, at least 0. Default 0.01.
    pub weight_decay: f64,
    /// Seed of the first weights and of the batches. Default 1.
    pub seed: u64,
}

impl ClickSettings {
    /// The defaults of a kind of model.
    pub fn of(kind: ClickModelKind) -> Self {
        Self {
            kind,
            category_width: 8,
            hidden: vec![64, 32],
            cross_layers: 2,
            batch_rows: 256,
            steps: 3_000,
            patience_share: 0.2,
            learning_rate: match kind {
                ClickModelKind::Logistic => 0.02,
                ClickModelKind::Mlp | ClickModelKind::Dcn => 0.002,
            },
            weight_decay: 0.01,
            seed: 1,
        }
    }

    /// Verifies every field.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), RecommenderError> {
        let hidden = self.hidden.iter().map(|width| ("hidden", *width as u64));
        let counts = [
            ("category_width", self.category_width as u64),
            ("batch_rows", self.batch_rows as u64),
            ("steps", self.steps),
            ("hidden", self.hidden.len() as u64),
        ];
        if let Some((field, value)) = counts.into_iter().chain(hidden).find(|(_, v)| *v == 0) {
            return Err(refuse(field, value, "at least 1"));
        }
        let patience = self.patience_share;
        if !(patience > 0.0 && patience < 1.0) {
            return Err(refuse("patience_share", patience, "above 0 and below 1"));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            let value = self.learning_rate;
            return Err(refuse("learning_rate", value, "a number above 0"));
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(refuse("weight_decay", self.weight_decay, "0 or more"));
        }
        Ok(())
    }

    /// Examples of a batch.
    pub(super) fn batch_len(&self, training_rows: usize) -> usize {
        const BATCHES: usize = 20;
        const LEAST: usize = 32;
        (training_rows / BATCHES).max(LEAST).min(self.batch_rows)
    }

    /// Most passes over the training part.
    pub(super) fn epochs(&self, training_rows: usize) -> u64 {
        let batches = training_rows.div_ceil(self.batch_len(training_rows)).max(1);
        (self.steps / batches as u64).clamp(10, 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_and_each_bad_field_is_named() {
        for kind in ClickModelKind::ALL {
            assert!(ClickSettings::of(kind).check().is_ok());
        }
        let with = |change: fn(&mut ClickSettings)| {
            let mut settings = ClickSettings::of(ClickModelKind::Dcn);
            change(&mut settings);
            settings.check().expect_err("bad").to_string()
        };
        for (message, expected) in [
            (with(|s| s.steps = 0), "`steps` is 0; expected at least 1"),
            (
                with(|s| s.hidden = vec![8, 0]),
                "`hidden` is 0; expected at least 1",
            ),
            (
                with(|s| s.patience_share = 1.0),
                "`patience_share` is 1; expected above 0 and below 1",
            ),
            (
                with(|s| s.learning_rate = f64::NAN),
                "`learning_rate` is NaN; expected a number above 0",
            ),
            (
                with(|s| s.weight_decay = -1.0),
                "`weight_decay` is -1; expected 0 or more",
            ),
        ] {
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn small_parts_are_read_often_in_small_batches_and_large_ones_seldom() {
        let settings = ClickSettings::of(ClickModelKind::Dcn);
        for (rows, batch_len, epochs) in [(80, 32, 60), (2_000, 100, 60), (100_000, 256, 10)] {
            assert_eq!(settings.batch_len(rows), batch_len);
            assert_eq!(settings.epochs(rows), epochs);
        }
    }
}

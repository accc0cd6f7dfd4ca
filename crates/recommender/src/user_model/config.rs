use serde::{Deserialize, Serialize};

use super::encoder::EncoderKind;
use crate::RecommenderError;
use crate::error::refuse;

/// Sizes, loss weights and training settings of the user model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserModelConfig {
    /// What reads the interactions. Default `transformer`.
    pub encoder: EncoderKind,
    /// Model width D, a multiple of twice `heads`. Default 64.
    pub width: usize,
    /// Number of Transformer blocks, at least 1. Default 2.
    pub layers: usize,
    /// Attention heads of a block. Default 2.
    pub heads: usize,
    /// Width of a block's feed-forward layer. Default 128.
    pub hidden: usize,
    /// Interactions of a history that the model sees, the latest ones. Default 200.
    pub max_length: usize,
    /// Buckets into which the words and character n-grams of titles are hashed. Default 512.
    pub text_buckets: usize,
    /// Dropout rate inside the encoder, in [0, 1). Default 0.2.
    pub dropout: f64,
    /// Share of items whose own vector is hidden in a training step, in [0, 1), so that fields and text must stand in
    /// for it as they do for a new product. Default 0.1.
    pub item_dropout: f64,
    /// Whether shoppers come back for what they had; where nobody does, as with films, the own past plays no part in
    /// scores and losses. Default true.
    pub repeat_purchases: bool,
    /// Temperature by which scores that are cosines are divided; 0 compares by inner product. Default 0.
    pub temperature: f64,
    /// What the next item is told from while learning; other than all items needs scores without popularity and own
    /// past. Default `full`.
    pub objective: Objective,
    /// Label smoothing of the next-item loss, in [0, 1). Default 0.
    pub label_smoothing: f64,
    /// Half-lives in days of the popularity counts that the scores start from; without any, they start from one learnt
    /// number an item, as is right for sequences without a clock. Default 2, 7, 30 and 180.
    pub popularity_half_lives_days: Vec<f64>,
    /// Days between two popularity tables. Default 3.
    pub popularity_step_days: f64,
    /// Weights of the parts of the loss.
    pub loss_weights: LossWeights,
    /// Whether the weights of the parts of the loss are learnt, from those above on, by the size of each part (next and new
    /// items being one part). Default false.
    pub learn_loss_weights: bool,
    /// Passes in which the model first learns what a shopper does next, whatever it is, orders or not; its categories,
    /// brands and price bands stand for the interests that nobody stated. 0 leaves them out. Default 0.
    pub pretraining_epochs: u64,
    /// What is looked at as a sign of interests that nobody stated.
    pub weak_labels: WeakLabels,
    /// Share of the events of a window whose item is hidden while learning, in [0, 1). Default 0.
    pub mask_events: f64,
    /// Share of the windows that begin at a later event while learning, drawn evenly among the events, in [0, 1].
    /// Default 0.
    pub crop_windows: f64,
    /// Interactions, padding included, of a training batch. Default 6,400.
    pub batch_interactions: usize,
    /// Predictions that a batch asks of one window, the latest included. Default 16.
    pub targets_per_window: usize,
    /// Windows that an epoch takes from one shopper at most. Default 4.
    pub windows_per_shopper: usize,
    /// Most passes over the shoppers; the learning rate falls over them. Default 8.
    pub epochs: u64,
    /// Epochs without a better validation metric after which training stops. Default 3.
    pub patience: u64,
    /// Shoppers of the validation window that are scored, evenly spread. Default 2,000.
    pub validation_shoppers: usize,
    /// Highest learning rate. Default 0.002.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises, in [0, 1). Default 0.05.
    pub warmup_share: f64,
    /// Weight decay of the matrices. Default 0.05.
    pub weight_decay: f64,
    /// Norm to which gradients are clipped. Default 1.
    pub clip_norm: f64,
    /// Steps between two checkpoints, at least 1. Default 100.
    pub checkpoint_steps: u64,
    /// Seed of the initial weights, batches and dropout. Default 1.
    pub seed: u64,
}

/// What the next item is told from while learning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Objective {
    /// All items: softmax cross-entropy.
    Full,
    /// The batch's other targets and items drawn evenly, or all items where there are not twice as many: sampled softmax.
    /// Each item is weighted by how likely it was to be there, so that the normaliser is estimated without bias; the
    /// target itself is certain and not weighted. Source: Bengio and Senécal, "Adaptive Importance Sampling to Accelerate
    /// Training of a Neural Probabilistic Language Model", 2008; for the target, Khrylchenko et al., "Correcting the
    /// `LogQ` Correction", 2025.
    Sampled {
        /// Items drawn evenly for each batch, at least 1.
        negatives: usize,
    },
    /// Binary cross-entropy against items drawn evenly, the target's probability raised to what calibrates it. Source:
    /// Petrov and Macdonald, `gSASRec`, 2023.
    Gbce {
        /// Items drawn evenly for each batch, at least 1 and fewer than there are items.
        negatives: usize,
        /// How much of the overconfidence is taken back, 0 to 1.
        calibration: f64,
    },
}

/// Weights of the parts of the multi-task loss, each at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossWeights {
    /// The products of the next order. Default 1.
    pub next_item: f64,
    /// The products of the next order that the shopper never bought, among all such products. Default 1.
    pub new_item: f64,
    /// The categories of the next order. Default 0.1.
    pub category: f64,
    /// The brands of the next order. Default 0.1.
    pub brand: f64,
    /// The price bands of the next order. Default 0.1.
    pub price_band: f64,
    /// Whether a given product is in the next order. Default 0.1.
    pub purchase: f64,
}

/// The rule by which what shoppers look at labels their interests beside what they order.
///
/// A category, brand or price band is a weak label of a moment where, within some days after it, its products were viewed
/// often enough, or one of them put into the cart or on a wish list once.
///
/// Source: labels from rules, Ratner et al., "Data Programming: Creating Large Training Sets, Quickly", 2016. How this
/// differs from the paper: there is one rule, whose trust is set and not estimated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeakLabels {
    /// Days after the moment, above 0. Default 30.
    pub days: f64,
    /// Views that make a label, at least 1. Default 2.
    pub views: usize,
    /// How much the weak labels of a moment count together beside the ordered ones, at least 0; 0 leaves them out. Default 0.
    pub weight: f64,
}

impl Default for WeakLabels {
    fn default() -> Self {
        Self {
            days: 30.0,
            views: 2,
            weight: 0.0,
        }
    }
}

impl Default for LossWeights {
    fn default() -> Self {
        Self {
            next_item: 1.0,
            new_item: 1.0,
            category: 0.1,
            brand: 0.1,
            price_band: 0.1,
            purchase: 0.1,
        }
    }
}

impl Default for UserModelConfig {
    fn default() -> Self {
        Self {
            encoder: EncoderKind::Transformer,
            width: 64,
            layers: 2,
            heads: 2,
            hidden: 128,
            max_length: 200,
            text_buckets: 512,
            dropout: 0.2,
            item_dropout: 0.1,
            repeat_purchases: true,
            temperature: 0.0,
            objective: Objective::Full,
            label_smoothing: 0.0,
            popularity_half_lives_days: vec![2.0, 7.0, 30.0, 180.0],
            popularity_step_days: 3.0,
            loss_weights: LossWeights::default(),
            learn_loss_weights: false,
            pretraining_epochs: 0,
            weak_labels: WeakLabels::default(),
            mask_events: 0.0,
            crop_windows: 0.0,
            batch_interactions: 6_400,
            targets_per_window: 16,
            windows_per_shopper: 4,
            epochs: 8,
            patience: 3,
            validation_shoppers: 2_000,
            learning_rate: 0.002,
            warmup_share: 0.05,
            weight_decay: 0.05,
            clip_norm: 1.0,
            checkpoint_steps: 100,
            seed: 1,
        }
    }
}

impl UserModelConfig {
    /// Settings for sequences of which nothing is known but the order, and in which nobody has an item twice, as in the
    /// public sets of the literature.
    pub fn for_sequences() -> Self {
        Self {
            width: 128,
            hidden: 256,
            text_buckets: 4_096,
            dropout: 0.4,
            item_dropout: 0.0,
            popularity_half_lives_days: Vec::new(),
            repeat_purchases: false,
            objective: Objective::Sampled { negatives: 2_000 },
            loss_weights: LossWeights {
                next_item: 1.0,
                new_item: 0.0,
                category: 0.0,
                brand: 0.0,
                price_band: 0.0,
                purchase: 0.0,
            },
            batch_interactions: 2_048,
            targets_per_window: 200,
            windows_per_shopper: 16,
            epochs: 20,
            validation_shoppers: 4_000,
            ..Self::default()
        }
    }

    /// Verifies every field.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), RecommenderError> {
        let heads_fit = self.heads > 0 && self.width.is_multiple_of(2 * self.heads);
        if self.width == 0 || !heads_fit {
            return Err(refuse(
                "width",
                self.width,
                "a multiple of twice `heads`, above 0",
            ));
        }
        self.check_counts()?;
        let shares = [
            ("dropout", self.dropout),
            ("item_dropout", self.item_dropout),
            ("label_smoothing", self.label_smoothing),
            ("warmup_share", self.warmup_share),
            ("mask_events", self.mask_events),
        ];
        if !(0.0..=1.0).contains(&self.crop_windows) {
            return Err(refuse(
                "crop_windows",
                self.crop_windows,
                "a number from 0 to 1",
            ));
        }
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return Err(refuse("temperature", self.temperature, "0 or more"));
        }
        if let Some((field, value)) = shares.into_iter().find(|(_, v)| !(0.0..1.0).contains(v)) {
            return Err(refuse(field, value, "0 or more and below 1"));
        }
        let positive = [
            ("learning_rate", self.learning_rate),
            ("clip_norm", self.clip_norm),
            ("popularity_step_days", self.popularity_step_days),
            ("weak_labels.days", self.weak_labels.days),
        ];
        let half_lives = self.popularity_half_lives_days.iter();
        let half_lives = half_lives.map(|days| ("popularity_half_lives_days", *days));
        let mut positive = positive.into_iter().chain(half_lives);
        if let Some((field, value)) = positive.find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(refuse(field, value, "a number above 0"));
        }
        self.check_objective()?;
        let weights = self.loss_weights;
        let weights = [
            ("loss_weights.next_item", weights.next_item),
            ("loss_weights.new_item", weights.new_item),
            ("loss_weights.category", weights.category),
            ("loss_weights.brand", weights.brand),
            ("loss_weights.price_band", weights.price_band),
            ("loss_weights.purchase", weights.purchase),
            ("weight_decay", self.weight_decay),
            ("weak_labels.weight", self.weak_labels.weight),
        ];
        let bad = |v: &f64| !(v.is_finite() && *v >= 0.0);
        match weights.into_iter().find(|(_, value)| bad(value)) {
            Some((field, value)) => Err(refuse(field, value, "0 or more")),
            None => Ok(()),
        }
    }
}

impl UserModelConfig {
    fn check_objective(&self) -> Result<(), RecommenderError> {
        let (negatives, calibration) = match self.objective {
            Objective::Full => return Ok(()),
            Objective::Sampled { negatives } => (negatives, 0.0),
            Objective::Gbce {
                negatives,
                calibration,
            } => (negatives, calibration),
        };
        if negatives == 0 {
            return Err(refuse("objective.negatives", 0, "at least 1"));
        }
        if !(0.0..=1.0).contains(&calibration) {
            return Err(refuse(
                "objective.calibration",
                calibration,
                "a number from 0 to 1",
            ));
        }
        if self.label_smoothing > 0.0 {
            return Err(refuse(
                "label_smoothing",
                self.label_smoothing,
                "0, or the objective `full`",
            ));
        }
        if self.repeat_purchases || !self.popularity_half_lives_days.is_empty() {
            return Err(refuse(
                "objective",
                "other than all items",
                "`full`, or `repeat_purchases = false` with `popularity_half_lives_days = []`",
            ));
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), RecommenderError> {
        let counts = [
            ("layers", self.layers),
            ("hidden", self.hidden),
            ("max_length", self.max_length),
            ("text_buckets", self.text_buckets),
            ("batch_interactions", self.batch_interactions),
            ("targets_per_window", self.targets_per_window),
            ("windows_per_shopper", self.windows_per_shopper),
            ("epochs", self.epochs as usize),
            ("checkpoint_steps", self.checkpoint_steps as usize),
            ("weak_labels.views", self.weak_labels.views),
        ];
        match counts.into_iter().find(|(_, value)| *value == 0) {
            Some((field, value)) => Err(refuse(field, value, "at least 1")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_and_each_bad_field_is_named() {
        let good = UserModelConfig::default();
        assert!(good.check().is_ok());
        let with = |change: fn(&mut UserModelConfig)| {
            let mut config = UserModelConfig::default();
            change(&mut config);
            config.check().expect_err("bad").to_string()
        };
        let cases = [
            (
                with(|c| c.width = 66),
                "`width` is 66; expected a multiple of twice `heads`, above 0",
            ),
            (
                with(|c| c.heads = 0),
                "`width` is 64; expected a multiple of twice `heads`, above 0",
            ),
            (with(|c| c.epochs = 0), "`epochs` is 0; expected at least 1"),
            (
                with(|c| c.dropout = 1.0),
                "`dropout` is 1; expected 0 or more and below 1",
            ),
            (
                with(|c| c.learning_rate = f64::NAN),
                "`learning_rate` is NaN; expected a number above 0",
            ),
            (
                with(|c| c.objective = Objective::Sampled { negatives: 9 }),
                "`objective` is other than all items; expected `full`, or `repeat_purchases = false` with \
                 `popularity_half_lives_days = []`",
            ),
            (
                with(|c| {
                    *c = UserModelConfig::for_sequences();
                    c.label_smoothing = 0.1;
                }),
                "`label_smoothing` is 0.1; expected 0, or the objective `full`",
            ),
            (
                with(|c| {
                    *c = UserModelConfig::for_sequences();
                    c.objective = Objective::Sampled { negatives: 0 };
                }),
                "`objective.negatives` is 0; expected at least 1",
            ),
            (
                with(|c| c.loss_weights.brand = -1.0),
                "`loss_weights.brand` is -1; expected 0 or more",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }
}

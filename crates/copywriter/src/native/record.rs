use serde::{Deserialize, Serialize};

/// How a training run went; saved as `training.json` beside the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The learning curve, one entry an epoch.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<u64>,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Tokens of texts that were learnt, prompts and padding left out.
    pub tokens: u64,
    /// Trainable numbers of the model.
    pub parameters: usize,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// Whether training came to its end.
    pub finished: bool,
}

/// One epoch of a learning curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 0.
    pub epoch: u64,
    /// Mean loss over the epoch's steps, in nats a token.
    pub train_loss: f64,
    /// Loss on what was held out.
    pub validation: Validation,
}

/// Mean −log P of a token in nats, on texts that were held out; exp of it is the perplexity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Over all held-out tokens.
    pub all: Option<f64>,
    /// Over templates of the library, none of which was read.
    pub templates: Option<f64>,
    /// Over texts composed anew of the clause bank.
    pub composed: Option<f64>,
    /// Over texts of products, none of which was read.
    pub products: Option<f64>,
}

/// Where training stands, told after every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The epoch in progress, from 0.
    pub epoch: u64,
    /// Most epochs there will be.
    pub epochs: u64,
    /// Steps of this epoch that are done.
    pub step_in_epoch: u64,
    /// Steps of this epoch.
    pub steps_in_epoch: u64,
    /// Loss of the step, in nats a token.
    pub loss: f64,
    /// Tokens of texts that the step learnt.
    pub tokens: usize,
    /// At the end of an epoch, the loss on what was held out.
    pub validation: Option<Validation>,
}

/// Rounds to nine decimals, so that a number survives being written as JSON and read again bit by bit.
pub(super) fn round9(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

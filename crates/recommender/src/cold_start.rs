//! Shoppers and products that a model has never met.

use std::sync::Arc;

use nn::generator;
use rand::RngExt;

use crate::leave_one_out::{moment, placed, places};
use crate::{Corpus, HeldOut, HeldOutShopper, Interaction, LeaveOneOut, Sequence};

/// Shoppers and items set aside before anything is learnt, to be met afterwards.
///
/// A model is trained on what the other shoppers did with the other items ([`ColdStart::training`]). Then each new
/// shopper is asked for what comes after the first 0, 1, 2 or 5 interactions, and each for the first new item from what
/// came before it.
///
/// Source of the two questions: Schein et al., "Methods and Metrics for Cold-Start Recommendations", 2002.
#[derive(Debug, Clone)]
pub struct ColdStart {
    corpus: Corpus,
    /// Whether each sequence is a new shopper's.
    new_shopper: Vec<bool>,
    /// Whether each item is new.
    new_item: Vec<bool>,
}

/// Shares that are set aside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColdStartSettings {
    /// Share of the shoppers, in (0, 1). Default 0.1.
    pub shoppers: f64,
    /// Share of the items, in (0, 1). Default 0.05.
    pub items: f64,
    /// Seed of the choice. Default 1.
    pub seed: u64,
}

impl Default for ColdStartSettings {
    fn default() -> Self {
        Self {
            shoppers: 0.1,
            items: 0.05,
            seed: 1,
        }
    }
}

impl ColdStart {
    /// Sets shoppers and items aside; times and orders of the corpus play no part.
    pub fn new(corpus: Corpus, settings: &ColdStartSettings) -> Self {
        let draw = |name: &str, count: usize, share: f64| -> Vec<bool> {
            let mut rng = generator(settings.seed, name, 0);
            (0..count).map(|_| rng.random::<f64>() < share).collect()
        };
        Self {
            new_shopper: draw("shoppers", corpus.sequences.len(), settings.shoppers),
            new_item: draw("items", corpus.items.len(), settings.items),
            corpus,
        }
    }

    /// What may be learnt from: the old shoppers' interactions with old items, with their last ones held out to tell
    /// when to stop.
    pub fn training(&self) -> LeaveOneOut {
        let old = self.corpus.sequences.iter().zip(&self.new_shopper);
        let old = old.filter(|(_, new)| !**new).map(|(sequence, _)| Sequence {
            user: sequence.user,
            interactions: self.with_old_items(&sequence.interactions),
        });
        LeaveOneOut::new(Corpus {
            sequences: old.collect(),
            ..self.without_sequences()
        })
    }

    /// The number of shoppers that were set aside.
    pub fn new_shopper_count(&self) -> usize {
        self.new_shopper.iter().filter(|new| **new).count()
    }

    /// What new shoppers do after their first `events` interactions, among the old items.
    pub fn new_shoppers(&self, training: &Arc<Corpus>, events: usize) -> HeldOut {
        let candidates = self.new_item.iter().map(|new| !new).collect();
        self.window(training, candidates, |interactions| {
            let known = self.with_old_items(interactions);
            let target = known.get(events)?.item;
            Some((known[..events].to_vec(), target))
        })
    }

    /// The first new item of each new shopper, to be told from all other new items by what came before.
    pub fn new_items(&self, training: &Arc<Corpus>) -> HeldOut {
        let candidates = self.new_item.clone();
        self.window(training, candidates, |interactions| {
            let mut items = interactions.iter();
            let first = items.position(|i| self.new_item[i.item as usize])?;
            let past = interactions[..first].to_vec();
            (!past.is_empty()).then(|| (past, interactions[first].item))
        })
    }

    /// A window of all new shoppers for whom `ask` gives a history and a target.
    fn window(
        &self,
        training: &Arc<Corpus>,
        candidates: Vec<bool>,
        ask: impl Fn(&[Interaction]) -> Option<(Vec<Interaction>, u32)>,
    ) -> HeldOut {
        let new = self.corpus.sequences.iter().zip(&self.new_shopper);
        let new = new.filter(|(_, new)| **new);
        let asked = new.filter_map(|(sequence, _)| {
            let (past, target) = ask(&sequence.interactions)?;
            Some((sequence.user, past, target))
        });
        let asked: Vec<_> = asked.collect();
        let longest = asked.iter().map(|(_, past, _)| past.len()).max();
        let now = places(longest.unwrap_or(0)) + 1;
        let mut known = self.without_sequences();
        let mut shoppers = Vec::with_capacity(asked.len());
        for (sequence, (user, mut interactions, target)) in asked.into_iter().enumerate() {
            placed(&mut interactions, now - 1);
            known.sequences.push(Sequence { user, interactions });
            shoppers.push(HeldOutShopper {
                sequence,
                new_items: vec![target],
                repeats: Vec::new(),
            });
        }
        HeldOut {
            training: Arc::clone(training),
            known: Arc::new(known),
            now_s: moment(now),
            candidates,
            shoppers,
            cold: 0,
            unsold_targets: 0,
        }
    }

    fn with_old_items(&self, interactions: &[Interaction]) -> Vec<Interaction> {
        let old = interactions.iter();
        let old = old.filter(|i| !self.new_item[i.item as usize]);
        old.copied().collect()
    }

    fn without_sequences(&self) -> Corpus {
        Corpus {
            items: self.corpus.items.clone(),
            categories: self.corpus.categories.clone(),
            brands: self.corpus.brands.clone(),
            sequences: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    /// 200 shoppers with the items n, n + 1, … n + 5 of 40.
    fn cold_start() -> ColdStart {
        let sequences = (0..200u32).map(|n| (0..6).map(|k| buy((n + k) % 40, 7, None)).collect());
        let settings = ColdStartSettings {
            shoppers: 0.3,
            items: 0.2,
            seed: 5,
        };
        ColdStart::new(corpus_of(40, sequences.collect()), &settings)
    }

    #[test]
    fn nothing_new_is_learnt_from() {
        let cold = cold_start();
        let training = cold.training().validation().training;
        let new: Vec<_> = cold
            .corpus
            .sequences
            .iter()
            .zip(&cold.new_shopper)
            .collect();
        assert!(new.iter().filter(|(_, new)| **new).count() > 30);
        for sequence in &training.sequences {
            assert!(new.iter().any(|(s, new)| s.user == sequence.user && !**new));
            let items = sequence.interactions.iter();
            assert!(items.clone().all(|i| !cold.new_item[i.item as usize]));
        }
    }

    #[test]
    fn new_shoppers_are_asked_after_their_first_events() {
        let cold = cold_start();
        let training = cold.training().validation().training;
        for events in [0, 1, 2] {
            let window = cold.new_shoppers(&training, events);
            assert!(window.shoppers.len() > 30);
            for shopper in &window.shoppers {
                let history = window.history(shopper);
                assert_eq!(history.len(), events);
                assert!(history.iter().all(|i| i.at_s < window.now_s));
                assert!(window.candidates[shopper.new_items[0] as usize]);
            }
        }
    }

    #[test]
    fn a_new_item_is_told_from_other_new_items() {
        let cold = cold_start();
        let training = cold.training().validation().training;
        let window = cold.new_items(&training);
        assert!(!window.shoppers.is_empty());
        assert_eq!(window.candidates, cold.new_item);
        for shopper in &window.shoppers {
            assert!(cold.new_item[shopper.new_items[0] as usize]);
            let history = window.history(shopper);
            assert!(!history.is_empty());
            assert!(history.iter().all(|i| !cold.new_item[i.item as usize]));
        }
    }
}

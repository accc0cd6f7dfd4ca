//! The strict leave-one-out split of the literature on sequential recommendation.

use std::sync::Arc;

use crate::{Corpus, HeldOut, HeldOutShopper, Interaction, Sequence};

/// Time between two interactions of a shopper: what is known of them is their order.
const STEP_S: i64 = 86_400;

/// The last interaction of every shopper is the test, the one before the validation, and all earlier ones are learnt
/// from, by the models of both: a test's histories reach up to the validation's target, its models do not learn it.
///
/// Every item of the catalogue is a candidate but those that the shopper had; a target among these cannot be hit and
/// counts as a miss. A shopper of fewer than three interactions is learnt from and never judged.
///
/// Source: Kang and `McAuley`, "Self-Attentive Sequential Recommendation", 2018, section IV-A, with all items ranked as
/// Krichene and Rendle, "On Sampled Metrics for Item Recommendation", 2020, ask for. How this differs from the former:
/// no item is left out of the ranking.
#[derive(Debug, Clone)]
pub struct LeaveOneOut {
    /// The corpus with places for times: one day an interaction, every shopper's test at the same moment.
    corpus: Corpus,
    test_s: i64,
}

/// The time, in Unix seconds, of a place in sequences without a clock.
pub(crate) fn moment(place: i64) -> i64 {
    place * STEP_S
}

/// A number of interactions as places.
pub(crate) fn places(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / STEP_S)
}

/// Gives interactions places for times, the last of them `last`, each a basket of its own.
pub(crate) fn placed(interactions: &mut [Interaction], last: i64) {
    let first = last + 1 - places(interactions.len());
    for (place, interaction) in (first..).zip(interactions) {
        interaction.at_s = moment(place);
        interaction.order = None;
    }
}

impl LeaveOneOut {
    /// Splits the sequences of a corpus by their order; times and orders play no part and are replaced.
    pub fn new(mut corpus: Corpus) -> Self {
        let lengths = corpus.sequences.iter().map(|s| s.interactions.len());
        let longest = places(lengths.max().unwrap_or(0));
        let test_s = (longest + 2) * STEP_S;
        for Sequence { interactions, .. } in &mut corpus.sequences {
            // The last of a judged sequence is at the test, the last of another one where training ends.
            let after = if interactions.len() < 3 { 3 } else { 1 };
            placed(interactions, test_s / STEP_S + 1 - after);
        }
        Self { corpus, test_s }
    }

    /// The last interaction but one, to be guessed from the earlier ones.
    pub fn validation(&self) -> HeldOut {
        let training = Arc::new(self.corpus.before(self.test_s - STEP_S));
        self.hold_out(Arc::clone(&training), training, self.test_s - STEP_S)
    }

    /// The last interaction, to be guessed from all others by models that know all but the last two.
    pub fn test(&self) -> HeldOut {
        let training = Arc::new(self.corpus.before(self.test_s - STEP_S));
        let known = Arc::new(self.corpus.before(self.test_s));
        self.hold_out(training, known, self.test_s)
    }

    fn hold_out(&self, training: Arc<Corpus>, known: Arc<Corpus>, now_s: i64) -> HeldOut {
        let with_past = self.corpus.sequences.iter();
        let with_past = with_past.filter(|s| s.interactions.iter().any(|i| i.at_s < now_s));
        let shoppers = with_past.enumerate().filter_map(|(sequence, whole)| {
            let target = whole.interactions.iter().find(|i| i.at_s == now_s)?;
            Some(HeldOutShopper {
                sequence,
                new_items: vec![target.item],
                repeats: Vec::new(),
            })
        });
        HeldOut {
            now_s,
            candidates: vec![true; self.corpus.items.len()],
            shoppers: shoppers.collect(),
            cold: 0,
            unsold_targets: 0,
            training,
            known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::{Task, bought};

    fn items(interactions: &[Interaction]) -> Vec<u32> {
        interactions.iter().map(|i| i.item).collect()
    }

    /// Sequences of 4, 2, 3 and no items, under times that say nothing.
    fn split() -> LeaveOneOut {
        let line = |items: &[u32]| items.iter().map(|item| buy(*item, 7, Some(1))).collect();
        LeaveOneOut::new(corpus_of(
            5,
            vec![line(&[0, 1, 2, 3]), line(&[3, 4]), line(&[1, 0, 4]), vec![]],
        ))
    }

    #[test]
    fn models_of_both_windows_know_all_but_the_last_two() {
        let split = split();
        for window in [split.validation(), split.test()] {
            let sequences = window.training.sequences.iter();
            let known: Vec<Vec<u32>> = sequences.map(|s| items(&s.interactions)).collect();
            assert_eq!(known, [vec![0, 1], vec![3, 4], vec![1]]);
            assert_eq!(window.candidates, [true; 5]);
        }
    }

    #[test]
    fn the_test_asks_with_what_validation_asked_for() {
        let split = split();
        let asked = |window: &HeldOut| -> Vec<(Vec<u32>, Vec<u32>)> {
            let shoppers = window.shoppers.iter();
            shoppers
                .map(|s| (items(window.history(s)), s.targets(Task::NewItems)))
                .collect()
        };
        let validation = asked(&split.validation());
        assert_eq!(validation, [(vec![0, 1], vec![2]), (vec![1], vec![0])]);
        let test = asked(&split.test());
        assert_eq!(test, [(vec![0, 1, 2], vec![3]), (vec![1, 0], vec![4])]);
        // Each interaction stands alone and before the moment of the decision.
        let window = split.test();
        let history = window.history(&window.shoppers[0]);
        assert_eq!(crate::baskets(history).len(), 3);
        assert!(history.iter().all(|i| i.at_s < window.now_s));
        assert_eq!(bought(history), [0, 1, 2]);
    }
}

use std::sync::Arc;

use crate::{Corpus, Interaction, RecommenderError, baskets, before, bought};

/// The two cut dates that separate training, validation and test by time, in Unix seconds.
///
/// Time runs one way for everybody: nothing from after a cut, of any shopper, reaches what is judged on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSplit {
    /// Start of the validation window; settings are tuned on it by models fitted on what came before.
    pub validation_start_s: i64,
    /// End of the validation window and start of the test window; final models are fitted on what came before.
    pub test_start_s: i64,
    /// End of the test window; later orders are not looked at.
    pub end_s: i64,
}

/// What shoppers bought next after a cut, and all that may be known when guessing it.
#[derive(Debug, Clone)]
pub struct HeldOut {
    /// What models are fitted on.
    pub training: Arc<Corpus>,
    /// Where histories come from: the corpus strictly before the cut. It is `training` itself, but for the test of a
    /// [`LeaveOneOut`](crate::LeaveOneOut) split, whose models do not learn from what is known in the end.
    pub known: Arc<Corpus>,
    /// The cut in Unix seconds: the moment at which every shopper is scored.
    pub now_s: i64,
    /// For each item whether it was sold before the cut, and so may be recommended.
    pub candidates: Vec<bool>,
    /// The shoppers with a history and an order in the window.
    pub shoppers: Vec<HeldOutShopper>,
    /// Shoppers who ordered in the window without any interaction before the cut; nothing personal can be said of
    /// them, so they are counted and not scored.
    pub cold: usize,
    /// Target products left out because nobody had bought them before the cut.
    pub unsold_targets: usize,
}

/// One shopper's history and next order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOutShopper {
    /// Position of the history in the sequences of [`HeldOut::known`].
    pub sequence: usize,
    /// The distinct products of the next order that the shopper had never bought, ascending.
    pub new_items: Vec<u32>,
    /// The distinct products of the next order that the shopper had bought before, ascending.
    pub repeats: Vec<u32>,
}

/// What is to be guessed of a shopper's next order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    /// Every product of it, among all products.
    All,
    /// The products that the shopper never bought, among products that the shopper never bought.
    NewItems,
    /// The products that the shopper bought before, among those.
    Repeats,
}

impl Task {
    /// Every task, in the order of the evaluation table.
    pub const ALL: [Self; 3] = [Self::NewItems, Self::Repeats, Self::All];

    /// The task's name in the evaluation table.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::NewItems => "new-items",
            Self::Repeats => "repeats",
        }
    }

    /// The candidates of this task for a shopper who bought `bought` (ascending).
    pub fn mask(self, candidates: &[bool], bought: &[u32]) -> Vec<bool> {
        match self {
            Self::All => candidates.to_vec(),
            Self::NewItems => {
                let mut mask = candidates.to_vec();
                for &item in bought {
                    mask[item as usize] = false;
                }
                mask
            }
            Self::Repeats => {
                let mut mask = vec![false; candidates.len()];
                for &item in bought {
                    mask[item as usize] = candidates[item as usize];
                }
                mask
            }
        }
    }
}

impl HeldOutShopper {
    /// The products to be guessed in a task, ascending.
    pub fn targets(&self, task: Task) -> Vec<u32> {
        match task {
            Task::NewItems => self.new_items.clone(),
            Task::Repeats => self.repeats.clone(),
            Task::All => {
                let mut all = [self.new_items.as_slice(), self.repeats.as_slice()].concat();
                all.sort_unstable();
                all
            }
        }
    }
}

impl HeldOut {
    /// The history of a held-out shopper, strictly before the cut.
    pub fn history(&self, shopper: &HeldOutShopper) -> &[Interaction] {
        &self.known.sequences[shopper.sequence].interactions
    }
}

impl TimeSplit {
    /// Verifies that the dates follow one another.
    ///
    /// # Errors
    /// [`RecommenderError::SplitDates`] when they do not.
    pub fn check(&self) -> Result<(), RecommenderError> {
        if self.validation_start_s < self.test_start_s && self.test_start_s < self.end_s {
            return Ok(());
        }
        Err(RecommenderError::SplitDates {
            validation_start_s: self.validation_start_s,
            test_start_s: self.test_start_s,
            end_s: self.end_s,
        })
    }

    /// The validation window: for tuning settings and stopping early.
    pub fn validation(&self, corpus: &Corpus) -> HeldOut {
        hold_out(corpus, self.validation_start_s, self.test_start_s)
    }

    /// The test window: for the figures that are reported.
    pub fn test(&self, corpus: &Corpus) -> HeldOut {
        hold_out(corpus, self.test_start_s, self.end_s)
    }
}

/// Cuts a corpus at `cut_s`: the target of a shopper is the first order that begins in `cut_s..end_s`, the history is
/// everything strictly before `cut_s`.
///
/// The history ends at the cut and not at the order: a campaign is written for all shoppers at one moment, and what a
/// shopper views between that moment and the order is not known to it.
pub fn hold_out(corpus: &Corpus, cut_s: i64, end_s: i64) -> HeldOut {
    let training = Arc::new(corpus.before(cut_s));
    let candidates = training.sold();
    let (mut shoppers, mut cold, mut unsold_targets, mut warm) = (Vec::new(), 0, 0, 0);
    for sequence in &corpus.sequences {
        let history = before(&sequence.interactions, cut_s);
        let position = warm;
        warm += usize::from(!history.is_empty());
        let next = baskets(&sequence.interactions)
            .into_iter()
            .find(|basket| (cut_s..end_s).contains(&basket.at_s));
        let Some(next) = next else { continue };
        if history.is_empty() {
            cold += 1;
            continue;
        }
        let owned = bought(history);
        let targets = next.items.len();
        let (repeats, new_items): (Vec<u32>, Vec<u32>) = next
            .items
            .into_iter()
            .filter(|&item| candidates[item as usize])
            .partition(|item| owned.binary_search(item).is_ok());
        unsold_targets += targets - repeats.len() - new_items.len();
        shoppers.push(HeldOutShopper {
            sequence: position,
            new_items,
            repeats,
        });
    }
    HeldOut {
        known: Arc::clone(&training),
        training,
        now_s: cut_s,
        candidates,
        shoppers,
        cold,
        unsold_targets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    fn shop() -> Corpus {
        corpus_of(
            5,
            vec![
                // Comes back at 120 with an old, a new and a never-sold product, and again at 130.
                vec![
                    buy(0, 10, Some(1)),
                    buy(0, 120, Some(2)),
                    buy(1, 120, Some(2)),
                    buy(4, 121, Some(2)),
                    buy(2, 130, Some(3)),
                ],
                // Orders in the window for the first time.
                vec![buy(2, 105, Some(4))],
                // Does not come back in the window.
                vec![buy(1, 20, Some(5)), buy(1, 150, Some(6))],
                // An order that straddles the cut is history, not target.
                vec![
                    buy(3, 99, Some(7)),
                    buy(1, 100, Some(7)),
                    buy(3, 149, Some(8)),
                ],
            ],
        )
    }

    #[test]
    fn the_next_order_is_the_target_and_only_the_past_is_known() {
        let held_out = hold_out(&shop(), 100, 150);
        assert_eq!(held_out.candidates, [true, true, false, true, false]);
        assert_eq!((held_out.cold, held_out.unsold_targets), (1, 1));
        let expected =
            [(0, vec![1], vec![0]), (2, vec![], vec![3])].map(|(sequence, new_items, repeats)| {
                HeldOutShopper {
                    sequence,
                    new_items,
                    repeats,
                }
            });
        assert_eq!(held_out.shoppers, expected);
        assert_eq!(
            held_out.history(&held_out.shoppers[1]),
            [buy(3, 99, Some(7))]
        );
        assert_eq!(held_out.shoppers[0].targets(Task::All), [0, 1]);
    }

    #[test]
    fn windows_share_the_test_start() {
        let split = TimeSplit {
            validation_start_s: 15,
            test_start_s: 100,
            end_s: 150,
        };
        assert!(split.check().is_ok());
        assert_eq!(split.validation(&shop()).shoppers.len(), 0);
        assert_eq!(split.validation(&shop()).cold, 2);
        assert_eq!(split.test(&shop()).shoppers.len(), 2);
        let error = TimeSplit {
            end_s: 100,
            ..split
        }
        .check()
        .expect_err("bad");
        assert_eq!(
            error.to_string(),
            "the split's dates are 15, 100 and 100; expected validation before test before end (Unix seconds)"
        );
    }

    #[test]
    fn a_task_masks_what_it_does_not_ask_for() {
        let candidates = [true, true, false, true];
        let mask = |task: Task| task.mask(&candidates, &[1, 2]);
        assert_eq!(mask(Task::All), candidates);
        assert_eq!(mask(Task::NewItems), [true, false, false, true]);
        assert_eq!(mask(Task::Repeats), [false, true, false, false]);
    }
}

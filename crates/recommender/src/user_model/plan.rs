//! Which windows an epoch reads, in which batches.

use nn::generator;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::config::UserModelConfig;
use super::history::History;
use super::window::{Stretch, window_ends};

/// One window of an epoch, before it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    /// Position of the history.
    pub(super) history: usize,
    /// Its last block; nothing for the bare start.
    pub(super) last_block: Option<usize>,
    /// The baskets that it is asked about.
    pub(super) about: Stretch,
    /// Its number of tokens.
    length: usize,
}

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Lessons {
    /// Every basket of every history.
    All,
    /// Whatever comes next in every history.
    Unlabelled,
    /// The baskets from a moment on, and older ones again so that they are not forgotten.
    Since {
        /// The moment, in Unix seconds.
        since_s: i64,
        /// Windows of older baskets for each window of new ones.
        replay: f64,
    },
}

/// The batches of one epoch: windows of similar length side by side, batches in random order.
///
/// The plan is a function of the histories, the lessons, the settings and the epoch alone.
pub(super) fn epoch_batches(
    histories: &[History],
    lessons: Lessons,
    config: &UserModelConfig,
    epoch: u64,
) -> Vec<Vec<Planned>> {
    let mut rng = generator(config.seed, "epoch", epoch);
    let ends = match lessons {
        Lessons::All | Lessons::Unlabelled => all_ends(histories, config, &mut rng),
        Lessons::Since { since_s, replay } => ends_since(histories, since_s, replay, &mut rng),
    };
    let planned = |(history, last_block, about): End| {
        let blocks = &histories[history].blocks;
        let tokens = last_block.map_or(0, |block| blocks[block].end);
        Planned {
            history,
            last_block,
            about,
            length: 1 + tokens.min(config.max_length),
        }
    };
    let mut windows: Vec<Planned> = ends.into_iter().map(planned).collect();
    // Shuffling first makes the order among equal lengths random: the sort is stable.
    windows.shuffle(&mut rng);
    windows.sort_by_key(|window| window.length);
    let mut batches: Vec<Vec<Planned>> = Vec::new();
    for window in windows {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * window.length <= config.batch_interactions => {
                batch.push(window);
            }
            _ => batches.push(vec![window]),
        }
    }
    batches.shuffle(&mut rng);
    batches
}

/// A history by its position, the last block of a window of it, and what the window is asked about.
type End = (usize, Option<usize>, Stretch);

fn all_ends(histories: &[History], config: &UserModelConfig, rng: &mut ChaCha8Rng) -> Vec<End> {
    let mut ends = Vec::new();
    for (index, history) in histories.iter().enumerate() {
        let (length, most) = (config.max_length, config.windows_per_shopper);
        let of_history = window_ends(history, length, most, rng);
        ends.extend(of_history.into_iter().map(|end| (index, end, Stretch::ALL)));
    }
    ends
}

/// The latest window of each history with a new basket, and at random moments of as many histories as `replay` asks for,
/// each once before any a second time, a window before an older basket.
fn ends_since(histories: &[History], since_s: i64, replay: f64, rng: &mut ChaCha8Rng) -> Vec<End> {
    let new = Stretch {
        from_s: since_s,
        until_s: i64::MAX,
    };
    let old = Stretch {
        from_s: i64::MIN,
        until_s: since_s,
    };
    let mut ends: Vec<End> = Vec::new();
    let mut remembered = Vec::new();
    for (index, history) in histories.iter().enumerate() {
        let baskets = &history.baskets;
        if let Some(basket) = baskets.last().filter(|basket| new.contains(basket.at_s)) {
            let useful = history.blocks_before(basket.at_s);
            ends.push((index, useful.checked_sub(1), new));
        }
        if let Some(place) = baskets.partition_point(|b| b.at_s < since_s).checked_sub(1) {
            remembered.push((index, history.blocks_before(baskets[place].at_s)));
        }
    }
    let wanted = (replay * ends.len() as f64).round() as usize;
    remembered.shuffle(rng);
    for (index, useful) in remembered.iter().cycle().take(wanted) {
        // The bare start is a moment like the others: what does a shopper buy first?
        let last = rng.random_range(0..=*useful).checked_sub(1);
        ends.push((*index, last, old));
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::buy;

    #[test]
    fn every_shopper_is_in_one_batch_of_bounded_size() {
        let history = |orders: i64| {
            let lines: Vec<_> = (0..orders).map(|o| buy(o as u32, o, None)).collect();
            History::new(&lines, true)
        };
        let histories: Vec<History> = [1, 4, 2, 4, 9, 0].map(history).into();
        let config = UserModelConfig {
            batch_interactions: 10,
            max_length: 20,
            ..UserModelConfig::default()
        };
        let batches = epoch_batches(&histories, Lessons::All, &config, 0);
        assert_eq!(batches, epoch_batches(&histories, Lessons::All, &config, 0));
        let mut seen: Vec<usize> = batches.iter().flatten().map(|w| w.history).collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        for batch in &batches {
            let longest = batch.iter().map(|w| w.length).max().expect("not empty");
            assert!(batch.len() * longest <= 10, "{batch:?}");
        }
    }

    #[test]
    fn new_baskets_are_read_once_and_old_ones_as_often_as_asked() {
        let history = |first: i64, orders: i64| {
            let lines = (first..first + orders).map(|o| buy(o as u32, o, None));
            History::new(&lines.collect::<Vec<_>>(), true)
        };
        // The second never came back, the third is new, the fourth never bought.
        let histories = [history(0, 30), history(3, 5), history(22, 4), history(0, 0)];
        let config = UserModelConfig::default();
        let plan = |replay| {
            let lessons = Lessons::Since {
                since_s: 20,
                replay,
            };
            let windows = epoch_batches(&histories, lessons, &config, 0).concat();
            let (new, old): (Vec<_>, Vec<_>) =
                windows.into_iter().partition(|w| w.about.from_s == 20);
            let mut new: Vec<_> = new.iter().map(|w| (w.history, w.last_block)).collect();
            new.sort_unstable();
            (new, old)
        };
        let (new, old) = plan(0.0);
        assert_eq!(new, [(0, Some(28)), (2, Some(2))]);
        assert!(old.is_empty());
        let (_, old) = plan(1.0);
        let mut shoppers: Vec<usize> = old.iter().map(|w| w.history).collect();
        shoppers.sort_unstable();
        assert_eq!(shoppers, [0, 1]);
        let (_, old) = plan(20.0);
        assert_eq!(old.len(), 40);
        for window in old {
            assert_eq!(window.about.until_s, 20);
            let most = [18, 3][window.history];
            assert!(
                window.last_block.is_none_or(|last| last <= most),
                "{window:?}"
            );
        }
    }
}

//! Which windows an epoch reads, in which batches.

use nn::generator;
use rand::seq::SliceRandom;

use super::config::UserModelConfig;
use super::history::History;
use super::window::window_ends;

/// One window of an epoch, before it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    /// Position of the history.
    pub(super) history: usize,
    /// Its last block; nothing for the bare start.
    pub(super) last_block: Option<usize>,
    /// Its number of tokens.
    length: usize,
}

/// The batches of one epoch: windows of similar length side by side, batches in random order.
///
/// The plan is a function of the histories, the settings and the epoch alone.
pub(super) fn epoch_batches(
    histories: &[History],
    config: &UserModelConfig,
    epoch: u64,
) -> Vec<Vec<Planned>> {
    let mut rng = generator(config.seed, "epoch", epoch);
    let mut windows: Vec<Planned> = Vec::new();
    for (index, history) in histories.iter().enumerate() {
        let most = config.windows_per_shopper;
        for last_block in window_ends(history, config.max_length, most, &mut rng) {
            let tokens = last_block.map_or(0, |block| history.blocks[block].end);
            windows.push(Planned {
                history: index,
                last_block,
                length: 1 + tokens.min(config.max_length),
            });
        }
    }
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
        let batches = epoch_batches(&histories, &config, 0);
        assert_eq!(batches, epoch_batches(&histories, &config, 0));
        let mut seen: Vec<usize> = batches.iter().flatten().map(|w| w.history).collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        for batch in &batches {
            let longest = batch.iter().map(|w| w.length).max().expect("not empty");
            assert!(batch.len() * longest <= 10, "{batch:?}");
        }
    }
}

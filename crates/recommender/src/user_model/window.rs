//! The part of a history that the encoder reads at once, and what it is asked about it.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::config::WeakLabels;
use super::history::{History, OwnItem, START_KIND, Token, gap_bucket};

const DAY_S: f64 = 86_400.0;

/// A stretch of a shopper's history after a token that marks its start.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) tokens: Vec<Token>,
    /// The block of each token, ascending from 0, the block of the start.
    pub(super) blocks: Vec<u32>,
    pub(super) questions: Vec<Question>,
}

/// What a window to learn from is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// Most questions, at least 1.
    pub(super) most: usize,
    /// Which baskets are asked about.
    pub(super) about: Stretch,
    /// Share of the events whose item is hidden, in [0, 1).
    pub(super) mask: f64,
    /// How likely the window begins at a later event, in [0, 1].
    pub(super) crop: f64,
    /// What is looked at as a sign of interests.
    pub(super) weak: WeakLabels,
}

impl Asked {
    /// What is looked at after a moment, or after the bare start before everything.
    fn looked_at(&self, history: &History, at_s: Option<i64>) -> Vec<u32> {
        if self.weak.weight == 0.0 {
            return Vec::new();
        }
        let first = history.blocks.first().map_or(0, |block| block.at_s - 1);
        let at_s = at_s.unwrap_or(first);
        let until_s = at_s.saturating_add((self.weak.days * DAY_S) as i64);
        history.looked_at(at_s, until_s, self.weak.views)
    }

    /// Most events of a window: all that may be, or in a cropped one a number drawn evenly.
    fn length(
        &self,
        history: &History,
        last_block: Option<usize>,
        most: usize,
        rng: &mut ChaCha8Rng,
    ) -> usize {
        let events = last_block
            .map_or(0, |block| history.blocks[block].end)
            .min(most);
        if self.crop == 0.0 || events < 2 || rng.random::<f64>() >= self.crop {
            return most;
        }
        rng.random_range(1..events)
    }
}

#[cfg(test)]
impl Asked {
    /// Up to so many questions about any basket.
    pub(super) fn at_most(most: usize) -> Self {
        Self {
            most,
            about: Stretch::ALL,
            mask: 0.0,
            crop: 0.0,
            weak: WeakLabels::default(),
        }
    }
}

/// A stretch of time, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from_s: i64,
    /// Its end, which is not part of it.
    pub(super) until_s: i64,
}

impl Stretch {
    pub(super) const ALL: Self = Self {
        from_s: i64::MIN,
        until_s: i64::MAX,
    };

    pub(super) fn contains(self, at_s: i64) -> bool {
        (self.from_s..self.until_s).contains(&at_s)
    }
}

/// A prediction asked after one block of a window.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Tokens `start..end` of the window, whose states are averaged.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Bucket of the time between the block and the moment of the prediction.
    pub(super) elapsed: u32,
    /// The moment of the prediction, in Unix seconds.
    pub(super) now_s: i64,
    /// What the shopper bought before.
    pub(super) own: Vec<OwnItem>,
    /// The distinct items of the next basket; empty when answering.
    pub(super) targets: Vec<u32>,
    /// What the shopper looked at afterwards, as [`History::looked_at`] counts it; empty where that is no label.
    pub(super) looked_at: Vec<u32>,
}

impl Window {
    /// The latest `max_length` tokens up to the end of `last_block`, or the bare start for none.
    fn new(
        history: &History,
        item_of_start: u32,
        last_block: Option<usize>,
        max_length: usize,
    ) -> Self {
        let end = last_block.map_or(0, |block| history.blocks[block].end);
        let start = end.saturating_sub(max_length);
        let opening = Token {
            item: item_of_start,
            kind: START_KIND,
            gap: 0,
        };
        let mut window = Self {
            tokens: vec![opening],
            blocks: vec![0],
            questions: Vec::new(),
        };
        window.tokens.extend_from_slice(&history.tokens[start..end]);
        let Some(last_block) = last_block else {
            return window;
        };
        let seen = history.blocks[..=last_block]
            .iter()
            .filter(|b| b.end > start);
        for (number, block) in (1u32..).zip(seen) {
            let count = block.end - block.start.max(start);
            window.blocks.extend(std::iter::repeat_n(number, count));
        }
        window
    }

    /// A window to learn from: after its last block and after up to [`Asked::most`] − 1 earlier ones, drawn at random,
    /// what does the next basket hold?
    pub(super) fn training(
        history: &History,
        items: usize,
        last_block: Option<usize>,
        max_length: usize,
        questions: &Asked,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let max_length = questions.length(history, last_block, max_length, rng);
        let mut window = Self::new(history, items as u32, last_block, max_length);
        let count = last_block.map_or(0, |block| block + 1);
        let whole = last_block.is_none_or(|block| history.blocks[block].end <= max_length);
        let numbered = window.blocks.last().map_or(0, |last| *last as usize);
        let at_s = |number: usize| {
            (number > 0).then(|| history.blocks[count - 1 - (numbered - number)].at_s)
        };
        let next = |number: usize| match at_s(number) {
            Some(at_s) => history.next_basket(at_s),
            None => history.baskets.first(),
        };
        let about = |number: &usize| {
            next(*number).is_some_and(|basket| questions.about.contains(basket.at_s))
        };
        let mut asked: Vec<usize> = (usize::from(!whole)..=numbered).filter(about).collect();
        if asked.len() > questions.most {
            let last = asked.pop();
            let (drawn, _) = asked.partial_shuffle(rng, questions.most - 1);
            asked = drawn.to_vec();
            asked.extend(last);
        }
        for number in asked {
            let Some(next) = next(number) else { continue };
            let at_s = at_s(number);
            let mut question = window.question(history, number as u32, at_s, next.at_s);
            question.targets.clone_from(&next.items);
            question.looked_at = questions.looked_at(history, at_s);
            window.questions.push(question);
        }
        if questions.mask > 0.0 {
            for token in &mut window.tokens[1..] {
                if rng.random::<f64>() < questions.mask {
                    token.item = items as u32;
                }
            }
        }
        window
    }

    /// A window to answer from: what does the shopper want at `now_s`?
    pub(super) fn answering(
        history: &History,
        items: usize,
        max_length: usize,
        now_s: i64,
    ) -> Self {
        let last_block = history.blocks.len().checked_sub(1);
        let mut window = Self::new(history, items as u32, last_block, max_length);
        let number = window.blocks.last().map_or(0, |last| *last);
        let at_s = history.blocks.last().map(|block| block.at_s);
        let question = window.question(history, number, at_s, now_s);
        window.questions.push(question);
        window
    }

    fn question(&self, history: &History, number: u32, at_s: Option<i64>, now_s: i64) -> Question {
        let start = self.blocks.partition_point(|block| *block < number);
        let end = self.blocks.partition_point(|block| *block <= number);
        Question {
            start,
            end,
            elapsed: at_s.map_or(0, |at_s| gap_bucket(now_s - at_s)),
            now_s,
            own: at_s.map_or_else(Vec::new, |at_s| history.own_items(at_s)),
            targets: Vec::new(),
            looked_at: Vec::new(),
        }
    }
}

/// The blocks at which an epoch's windows of one history end: one for a history that fits, else one in each of up to
/// `most` equal stretches, drawn at random. `None` stands for the bare start.
pub(super) fn window_ends(
    history: &History,
    max_length: usize,
    most: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Option<usize>> {
    let Some(last_basket) = history.baskets.last() else {
        return Vec::new();
    };
    // Only blocks before the last basket have a target.
    let useful = history.blocks_before(last_basket.at_s);
    let Some(last) = useful.checked_sub(1) else {
        return vec![None];
    };
    let tokens = history.blocks[last].end;
    let windows = tokens.div_ceil(max_length).min(most);
    if windows <= 1 {
        return vec![Some(last)];
    }
    let draw = |stretch: usize| {
        let bounds = (tokens * stretch / windows, tokens * (stretch + 1) / windows);
        let token = rng.random_range(bounds.0..bounds.1);
        Some(history.blocks.partition_point(|block| block.end <= token))
    };
    (0..windows).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::buy;
    use nn::generator;

    fn orders(count: i64) -> History {
        let lines = (0..count).flat_map(|order| {
            let item = order as u32;
            let order_number = Some(item);
            [item, item + 1].map(|item| buy(item, 100 * order, order_number))
        });
        History::new(&lines.collect::<Vec<_>>(), true)
    }

    #[test]
    fn only_baskets_of_the_stretch_are_asked_about() {
        let mut rng = generator(1, "test", 0);
        let targets = |from_s, until_s, most, rng: &mut _| -> Vec<u32> {
            let about = Stretch { from_s, until_s };
            let asked = Asked {
                about,
                ..Asked::at_most(most)
            };
            let window = Window::training(&orders(6), 99, Some(4), 100, &asked, rng);
            window.questions.iter().map(|q| q.targets[0]).collect()
        };
        assert_eq!(targets(300, 501, 16, &mut rng), [3, 4, 5]);
        assert_eq!(targets(i64::MIN, 300, 16, &mut rng), [0, 1, 2]);
        // The latest of them is always asked about.
        let some = targets(i64::MIN, 400, 2, &mut rng);
        assert!(some.len() == 2 && some[1] == 3, "{some:?}");
    }

    #[test]
    fn events_are_hidden_and_windows_cropped_as_often_as_asked() {
        let mut rng = generator(1, "test", 0);
        let history = orders(9);
        let mut share = |asked: Asked, of: fn(&Window) -> f64| -> f64 {
            let windows = (0..400).map(|_| {
                let window = Window::training(&history, 99, Some(7), 100, &asked, &mut rng);
                assert!(window.tokens[0].item == 99 && !window.questions.is_empty());
                of(&window)
            });
            windows.sum::<f64>() / 400.0
        };
        let hidden = |window: &Window| {
            let events = &window.tokens[1..];
            events.iter().filter(|t| t.item == 99).count() as f64 / events.len() as f64
        };
        let cropped = |window: &Window| f64::from(u8::from(window.tokens.len() < 17));
        let plain = Asked::at_most(16);
        assert_eq!((share(plain, hidden), share(plain, cropped)), (0.0, 0.0));
        // Three standard errors are .023 and .072.
        let found = share(Asked { mask: 0.3, ..plain }, hidden);
        assert!((found - 0.3).abs() < 0.023, "{found}");
        let found = share(Asked { crop: 0.4, ..plain }, cropped);
        assert!((found - 0.4).abs() < 0.075, "{found}");
    }

    #[test]
    fn every_order_but_the_last_asks_for_the_next() {
        let mut rng = generator(1, "test", 0);
        let window = Window::training(&orders(3), 9, Some(1), 100, &Asked::at_most(16), &mut rng);
        assert_eq!(window.blocks, [0, 1, 1, 2, 2]);
        assert_eq!(window.tokens[0].item, 9);
        let asked: Vec<_> = window
            .questions
            .iter()
            .map(|q| (q.start, q.end, q.now_s, q.own.len(), q.targets.clone()))
            .collect();
        assert_eq!(
            asked,
            [
                (0, 1, 0, 0, vec![0, 1]),
                (1, 3, 100, 2, vec![1, 2]),
                (3, 5, 200, 3, vec![2, 3])
            ]
        );
    }

    #[test]
    fn a_cut_window_keeps_the_latest_tokens_and_does_not_ask_at_its_start() {
        let mut rng = generator(1, "test", 0);
        let window = Window::training(&orders(9), 99, Some(7), 5, &Asked::at_most(2), &mut rng);
        assert_eq!(window.blocks, [0, 1, 2, 2, 3, 3]);
        assert_eq!(window.questions.len(), 2);
        assert!(window.questions.iter().all(|q| q.start > 0));
        let last = window.questions.last().map(|q| q.targets.clone());
        assert_eq!(last, Some(vec![8, 9]));
    }

    #[test]
    fn answering_looks_back_from_now() {
        let past = [buy(4, 100, Some(1)), buy(5, 100, Some(1))];
        let window = Window::answering(&History::new(&past, true), 9, 50, 100 + 3 * 3_600);
        let question = &window.questions[0];
        assert_eq!((question.start, question.end, question.elapsed), (1, 3, 3));
        let empty = Window::answering(&History::new(&[], true), 9, 50, 100);
        assert_eq!(empty.tokens.len(), 1);
        assert_eq!(
            (empty.questions[0].start, empty.questions[0].elapsed),
            (0, 0)
        );
    }

    #[test]
    fn a_long_history_gives_several_windows_that_all_have_a_target() {
        let history = orders(40);
        let mut rng = generator(1, "test", 0);
        let ends = window_ends(&history, 20, 3, &mut rng);
        assert_eq!(ends.len(), 3);
        assert!(ends.iter().all(|end| end.is_some_and(|end| end < 39)));
        assert_eq!(window_ends(&history, 100, 3, &mut rng), [Some(38)]);
        assert_eq!(window_ends(&orders(1), 100, 3, &mut rng), [None]);
        assert!(window_ends(&orders(0), 100, 3, &mut rng).is_empty());
    }
}

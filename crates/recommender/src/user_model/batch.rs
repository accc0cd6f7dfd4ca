//! Windows side by side, as tensors.

use std::sync::Arc;

use nn::{Device, Mask, MixtureTables, NnError, Tensor};

use super::history::OWN_FEATURES;
use super::popularity::Popularity;
use super::window::{Question, Window};

/// A batch of B windows padded to T tokens, with N questions in all.
pub(super) struct Batch {
    /// Item of each token, row-major [B, T]; V for the start and for padding.
    pub(super) items: Vec<u32>,
    /// Kind of each token [B, T].
    pub(super) kinds: Tensor,
    /// Gap bucket of each token [B, T].
    pub(super) gaps: Tensor,
    /// Block of each token [B, T], which is its position.
    pub(super) positions: Tensor,
    /// What each token sees.
    pub(super) mask: Mask,
    /// Averages over a question's block [B, E, T], E the most questions of a window.
    pub(super) pooling: Tensor,
    /// Rows of the flattened [B·E] that are questions [N].
    pub(super) rows: Tensor,
    /// Elapsed bucket of each question [N].
    pub(super) elapsed: Tensor,
    /// Log-shares at each question's moment, N rows of [half-lives, V].
    pub(super) popularity: Arc<MixtureTables>,
    /// The shoppers' own items, where there are any.
    pub(super) own: Option<OwnEntries>,
    /// The distinct target items of each question.
    pub(super) targets: Vec<Vec<u32>>,
    /// Those of them that the shopper had not bought before.
    pub(super) new_targets: Vec<Vec<u32>>,
    /// What was looked at after each question's moment.
    pub(super) looked_at: Vec<Vec<u32>>,
}

/// The shoppers' own items of all questions, M entries in all.
pub(super) struct OwnEntries {
    /// Question and item of each entry [M].
    pub(super) places: Vec<(u32, u32)>,
    /// Question of each entry [M].
    pub(super) rows: Tensor,
    /// What is known of it [M, 3].
    pub(super) features: Tensor,
}

impl Batch {
    /// Pads windows to the longest of them.
    pub(super) fn new(
        windows: &[Window],
        popularity: &Popularity,
        items: usize,
        device: &Device,
    ) -> Result<Self, NnError> {
        let time = windows.iter().map(|w| w.tokens.len()).max().unwrap_or(1);
        let padded = |pad: u32, of: &dyn Fn(&Window) -> Vec<u32>| -> Vec<u32> {
            let mut flat = Vec::with_capacity(windows.len() * time);
            for window in windows {
                flat.extend(of(window));
                flat.resize(flat.len() + time - window.tokens.len(), pad);
            }
            flat
        };
        let tensor = |numbers| Tensor::from_vec(numbers, (windows.len(), time), device);
        let blocks: Vec<Vec<u32>> = windows.iter().map(|w| w.blocks.clone()).collect();
        let questions: Vec<&Question> = windows.iter().flat_map(|w| &w.questions).collect();
        let (pooling, rows) = pooling(windows, time, device)?;
        let elapsed: Vec<u32> = questions.iter().map(|q| q.elapsed).collect();
        Ok(Self {
            items: padded(items as u32, &|w| w.tokens.iter().map(|t| t.item).collect()),
            kinds: tensor(padded(0, &|w| w.tokens.iter().map(|t| t.kind).collect()))?,
            gaps: tensor(padded(0, &|w| w.tokens.iter().map(|t| t.gap).collect()))?,
            positions: tensor(padded(0, &|w| w.blocks.clone()))?,
            mask: Mask::block_causal(&blocks, time),
            pooling,
            rows,
            elapsed: Tensor::new(elapsed, device)?,
            popularity: Arc::new(popularity.tables_at(questions.iter().map(|q| q.now_s))),
            own: own_entries(&questions, device)?,
            targets: questions.iter().map(|q| q.targets.clone()).collect(),
            new_targets: questions.iter().map(|q| new_targets(q)).collect(),
            looked_at: questions.iter().map(|q| q.looked_at.clone()).collect(),
        })
    }
}

fn new_targets(question: &Question) -> Vec<u32> {
    let is_new = |item: &u32| {
        question
            .own
            .binary_search_by_key(item, |own| own.item)
            .is_err()
    };
    question.targets.iter().copied().filter(is_new).collect()
}

fn pooling(windows: &[Window], time: usize, device: &Device) -> Result<(Tensor, Tensor), NnError> {
    let most = windows
        .iter()
        .map(|w| w.questions.len())
        .max()
        .unwrap_or(0)
        .max(1);
    let mut weights = vec![0f32; windows.len() * most * time];
    let mut rows = Vec::new();
    for (row, window) in windows.iter().enumerate() {
        for (slot, question) in window.questions.iter().enumerate() {
            let start = (row * most + slot) * time;
            let share = 1.0 / (question.end - question.start) as f32;
            weights[start + question.start..start + question.end].fill(share);
            rows.push((row * most + slot) as u32);
        }
    }
    let weights = Tensor::from_vec(weights, (windows.len(), most, time), device)?;
    Ok((weights, Tensor::new(rows, device)?))
}

fn own_entries(questions: &[&Question], device: &Device) -> Result<Option<OwnEntries>, NnError> {
    let (mut places, mut rows, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for (row, question) in (0u32..).zip(questions) {
        for own in &question.own {
            places.push((row, own.item));
            rows.push(row);
            features.extend(own.features);
        }
    }
    if places.is_empty() {
        return Ok(None);
    }
    let count = places.len();
    Ok(Some(OwnEntries {
        places,
        rows: Tensor::new(rows, device)?,
        features: Tensor::from_vec(features, (count, OWN_FEATURES), device)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::user_model::history::History;

    #[test]
    fn windows_are_padded_and_questions_average_their_block() {
        let past = [buy(0, 10, Some(1)), buy(1, 10, Some(1))];
        let corpus = corpus_of(3, vec![past.to_vec()]);
        let popularity = Popularity::new(&corpus, &[7.0], 1.0);
        let windows = [
            Window::answering(&History::new(&past, true), 3, 9, 20),
            Window::answering(&History::new(&[], true), 3, 9, 20),
        ];
        let batch = Batch::new(&windows, &popularity, 3, &Device::Cpu).expect("small");
        assert_eq!(batch.items, [3, 0, 1, 3, 3, 3]);
        let pooling: Vec<Vec<Vec<f32>>> = batch.pooling.to_vec3().expect("f32");
        assert_eq!(pooling, [[[0.0, 0.5, 0.5]], [[1.0, 0.0, 0.0]]]);
        assert_eq!(batch.popularity.of_row, [0, 0]);
        assert_eq!(batch.popularity.tables[0].len(), 3);
        let own = batch.own.as_ref().expect("the first shopper has a past");
        assert_eq!(own.places, [(0, 0), (0, 1)]);
        assert_eq!(batch.targets.len(), 2);
    }
}

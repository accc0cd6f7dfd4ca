use nn::{Device, NnError, Tensor};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::CopyError;

/// Fills short rows; any token does, since nothing that is learnt looks at it.
pub(crate) const PADDING: u32 = 0;

/// One training example: the prompt is read, the text is learnt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sequence {
    /// Prompt and text.
    pub(crate) tokens: Vec<u32>,
    /// Length of the prompt; the next token is the first to be learnt.
    pub(crate) prompt: usize,
    /// The shopper's state; none is a state of zeros.
    pub(crate) user_state: Option<Vec<f32>>,
}

/// Sequences side by side, the short ones padded at the end.
#[derive(Debug)]
pub(crate) struct Batch {
    /// [B, T].
    pub(crate) tokens: Tensor,
    /// [B, U].
    pub(crate) user_states: Tensor,
    /// The token to be learnt at each learnt position.
    pub(crate) targets: Vec<u32>,
    /// Row and position of each target's predecessor.
    positions: Vec<(usize, usize)>,
    time: usize,
}

impl Batch {
    /// # Errors
    /// [`CopyError::UserState`] where a state has another length than `user_width`.
    pub(crate) fn new(sequences: &[&Sequence], user_width: usize) -> Result<Self, CopyError> {
        let time = sequences.iter().map(|s| s.tokens.len()).max().unwrap_or(0);
        let mut tokens = vec![PADDING; sequences.len() * time];
        let mut states = vec![0f32; sequences.len() * user_width];
        let (mut targets, mut positions) = (Vec::new(), Vec::new());
        for (row, sequence) in sequences.iter().enumerate() {
            let length = sequence.tokens.len();
            tokens[row * time..row * time + length].copy_from_slice(&sequence.tokens);
            if let Some(state) = &sequence.user_state {
                check_state(state, user_width)?;
                states[row * user_width..(row + 1) * user_width].copy_from_slice(state);
            }
            for at in sequence.prompt..length {
                positions.push((row, at - 1));
                targets.push(sequence.tokens[at]);
            }
        }
        let tokens = Tensor::from_vec(tokens, (sequences.len(), time), &Device::Cpu);
        let states = Tensor::from_vec(states, (sequences.len(), user_width), &Device::Cpu);
        Ok(Self {
            tokens: tokens.map_err(NnError::from)?,
            user_states: states.map_err(NnError::from)?,
            targets,
            positions,
            time,
        })
    }

    /// Which sequence each target is of.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.positions.iter().map(|(row, _)| *row)
    }

    /// The learnt positions as rows of [B · (P + T), D].
    pub(crate) fn learnt_rows(&self, prefix_vectors: usize) -> Vec<u32> {
        let time = self.time + prefix_vectors;
        let row = |&(row, at): &(usize, usize)| (row * time + prefix_vectors + at) as u32;
        self.positions.iter().map(row).collect()
    }
}

/// Refuses a user state of another length than the model was made for.
pub(crate) fn check_state(state: &[f32], user_width: usize) -> Result<(), CopyError> {
    if state.len() == user_width {
        return Ok(());
    }
    Err(CopyError::UserState {
        found: state.len(),
        expected: user_width,
    })
}

/// Puts sequences of similar length side by side, at most `batch_tokens` in a batch, batches in random order.
pub(crate) fn plan(
    sequences: &[Sequence],
    batch_tokens: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    // Shuffling first makes the order among equal lengths random: the sort is stable.
    order.shuffle(rng);
    order.sort_by_key(|index| sequences[*index].tokens.len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let length = sequences[index].tokens.len();
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * length <= batch_tokens => batch.push(index),
            _ => batches.push(vec![index]),
        }
    }
    batches.shuffle(rng);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(length: usize) -> Sequence {
        Sequence {
            tokens: (0..length as u32).map(|id| id + 10).collect(),
            prompt: 2,
            user_state: None,
        }
    }

    #[test]
    fn only_the_text_is_learnt() {
        let (long, short) = (sequence(5), sequence(3));
        let batch = Batch::new(&[&long, &short], 4).expect("fits");
        assert_eq!(batch.targets, [12, 13, 14, 12]);
        // With 2 prefix vectors a row has 7 positions; the predecessor of the first target is token 1.
        assert_eq!(batch.learnt_rows(2), [3, 4, 5, 10]);
        let wrong = Sequence {
            user_state: Some(vec![0.0; 3]),
            ..sequence(3)
        };
        let error = Batch::new(&[&wrong], 4).expect_err("too short");
        let message = "a user state has 3 numbers, the model takes 4; train the copywriter with the user model's width";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn batches_hold_every_sequence_once() {
        let sequences: Vec<Sequence> = (3..40).map(sequence).collect();
        let mut rng = nn::generator(1, "plan", 0);
        let batches = plan(&sequences, 100, &mut rng);
        let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..37).collect::<Vec<_>>());
        for batch in &batches {
            let longest = batch.iter().map(|index| sequences[*index].tokens.len());
            assert!(longest.max().unwrap_or(0) * batch.len() <= 100);
        }
    }
}

//! Texts drawn at random.

use std::ops::ControlFlow;

use rand_chacha::ChaCha8Rng;

use super::{Hypothesis, Start};
use crate::CopyError;
use crate::decoder::constraints::{Constraints, Progress};
use crate::decoder::tokenizer::END;
use crate::sampling::{Chance, draw};

/// A text that is being drawn.
struct Open {
    sequence: usize,
    text: Hypothesis,
    progress: Progress,
    rng: ChaCha8Rng,
}

/// Draws `count` texts; one that finds no way on, or no end, is lost. Each has randomness of its own, so that a text does not
/// depend on how many are drawn beside it, but for rounding. `watch` is told of each token and its text as it is drawn, and may
/// stop the whole.
pub(super) fn sample(
    start: Start<'_>,
    constraints: &Constraints<'_>,
    max_tokens: usize,
    count: usize,
    chance: Chance,
    seed: u64,
    watch: &mut dyn FnMut(usize, u32) -> ControlFlow<()>,
) -> Result<Vec<Hypothesis>, CopyError> {
    let vocabulary = start.engine.vocabulary();
    let read = start.prefix.len() / start.engine.width() + start.prompt.len();
    let mut session = start.engine.session(count.max(1), read + max_tokens + 1)?;
    if !start.prefix.is_empty() {
        session.read_vectors(0, start.prefix)?;
    }
    let mut first = session.read(0, start.prompt)?.to_vec();
    start.expect(&[], &mut first);
    let mut open: Vec<Open> = (0..count)
        .map(|sequence| Open {
            sequence,
            text: Hypothesis::empty(),
            progress: constraints.begin(),
            rng: nn::generator(seed, "draft", sequence as u64),
        })
        .collect();
    for sequence in 1..count {
        session.copy(0, sequence);
    }
    let mut done: Vec<(usize, Hypothesis)> = Vec::new();
    let mut rows: Vec<f32> = first.repeat(count);
    for _ in 0..=max_tokens {
        let mut going_on = Vec::with_capacity(open.len());
        let mut next = Vec::with_capacity(open.len());
        for (mut one, row) in open.into_iter().zip(rows.chunks_exact_mut(vocabulary)) {
            let bonuses: Vec<(u32, f64)> = constraints.bonuses(&one.progress).collect();
            for (slot, bonus) in &bonuses {
                row[*slot as usize] += *bonus as f32;
            }
            let allowed = constraints.next(&one.text.tokens, &one.progress);
            let drawn = draw(
                row,
                chance,
                END,
                |token| allowed.allows(token),
                &mut one.rng,
            );
            let Some(token) = drawn else {
                continue;
            };
            let gained = bonuses.iter().find(|(slot, _)| *slot == token);
            let bonus = gained.map_or(0.0, |(_, bonus)| *bonus);
            one.text.bonus += bonus;
            let of_model = f64::from(row[token as usize]) - bonus;
            one.text.log_probabilities.push(of_model as f32);
            if token == END {
                done.push((one.sequence, one.text));
                continue;
            }
            one.progress = constraints.advance(&one.progress, token);
            one.text.tokens.push(token);
            if watch(one.sequence, token).is_break() {
                return Ok(Vec::new());
            }
            next.push((one.sequence, token));
            going_on.push(one);
        }
        open = going_on;
        if open.is_empty() {
            break;
        }
        rows = session.step(&next)?.to_vec();
        for (one, row) in open.iter().zip(rows.chunks_exact_mut(vocabulary)) {
            start.expect(&one.text.tokens, row);
        }
    }
    done.sort_by_key(|(sequence, _)| *sequence);
    Ok(done.into_iter().map(|(_, text)| text).collect())
}

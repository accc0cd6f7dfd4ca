//! Beam search, in groups that keep apart.
//!
//! Source: Vijayakumar et al., "Diverse Beam Search", 2018, with Hamming diversity: within a step, a token loses
//! `diversity` for every text of the earlier groups that goes on with it. One group is a plain beam. How this differs: a
//! group is done once as many texts have ended as it is wide and none that goes on has a better score.

use std::collections::HashMap;

use nn::inference::Session;

use super::{Hypothesis, Start, is_plausible};
use crate::CopyError;
use crate::decoder::constraints::{Constraints, Progress};
use crate::decoder::tokenizer::END;

/// How wide a beam is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Texts of a group.
    pub(super) width: usize,
    pub(super) groups: usize,
    pub(super) diversity: f64,
    pub(super) length_penalty: f64,
}

impl Shape {
    pub(super) fn plain(width: usize) -> Self {
        Self {
            width,
            groups: 1,
            diversity: 0.0,
            // A text of width 1 then ends as soon as its end is likeliest.
            length_penalty: 0.0,
        }
    }
}

/// A text that goes on, in a place of the session.
#[derive(Clone)]
struct Open {
    sequence: usize,
    text: Hypothesis,
    progress: Progress,
    /// What was taken off for likeness to earlier groups.
    penalty: f64,
}

#[derive(Default)]
struct Group {
    open: Vec<Open>,
    done: Vec<Hypothesis>,
}

/// The texts that the beam found, the best first.
pub(super) fn beam(
    start: Start<'_>,
    constraints: &Constraints<'_>,
    max_tokens: usize,
    shape: &Shape,
) -> Result<Vec<Hypothesis>, CopyError> {
    let vocabulary = start.engine.vocabulary();
    let read = start.prefix.len() / start.engine.width() + start.prompt.len();
    // Every text has two places, for the cache that it goes on from and the one that it goes on in.
    let places = 2 * shape.width * shape.groups;
    let mut session = start.engine.session(places, read + max_tokens + 1)?;
    if !start.prefix.is_empty() {
        session.read_vectors(0, start.prefix)?;
    }
    let mut first = session.read(0, start.prompt)?.to_vec();
    start.expect(&[], &mut first);
    let mut groups: Vec<Group> = (0..shape.groups)
        .map(|_| Group {
            open: vec![Open {
                sequence: 0,
                text: Hypothesis::empty(),
                progress: constraints.begin(),
                penalty: 0.0,
            }],
            done: Vec::new(),
        })
        .collect();
    let mut rows: HashMap<usize, Vec<f32>> = HashMap::from([(0, first)]);
    for step in 0..=max_tokens {
        let mut written: HashMap<u32, f64> = HashMap::new();
        let mut next: Vec<(usize, u32)> = Vec::new();
        let half = (step + 1) % 2 * places / 2;
        for (number, group) in groups.iter_mut().enumerate() {
            let children = expand(group, &rows, constraints, shape, &written);
            group.open.clear();
            for (place, (parent, token)) in children.into_iter().enumerate() {
                let sequence = half + number * shape.width + place;
                move_cache(&mut session, parent.sequence, sequence);
                *written.entry(token).or_default() += 1.0;
                next.push((sequence, token));
                group.open.push(Open { sequence, ..parent });
            }
        }
        if next.is_empty() {
            break;
        }
        let logits = session.step(&next)?;
        rows.clear();
        let open = groups.iter().flat_map(|group| &group.open);
        for (open, row) in open.zip(logits.chunks_exact(vocabulary)) {
            let mut row = row.to_vec();
            start.expect(&open.text.tokens, &mut row);
            rows.insert(open.sequence, row);
        }
    }
    let mut all: Vec<Hypothesis> = groups.into_iter().flat_map(|group| group.done).collect();
    let score = |text: &Hypothesis| text.score(shape.length_penalty);
    all.sort_by(|a, b| score(b).total_cmp(&score(a)));
    Ok(all)
}

fn move_cache(session: &mut Session<'_>, from: usize, to: usize) {
    session.restart(to);
    session.copy(from, to);
}

/// The texts that a group goes on with, each with the token that was added last; those that end are put aside.
fn expand(
    group: &mut Group,
    rows: &HashMap<usize, Vec<f32>>,
    constraints: &Constraints<'_>,
    shape: &Shape,
    written: &HashMap<u32, f64>,
) -> Vec<(Open, u32)> {
    let mut candidates: Vec<(f64, usize, u32, f64, f64)> = Vec::new();
    for (index, open) in group.open.iter().enumerate() {
        let row = &rows[&open.sequence];
        let loss = |token: u32| shape.diversity * written.get(&token).copied().unwrap_or(0.0);
        let bonuses: HashMap<u32, f64> = constraints.bonuses(&open.progress).collect();
        let bonus = |token: u32| bonuses.get(&token).copied().unwrap_or(0.0);
        let scored = |token: u32| f64::from(row[token as usize]) - loss(token) + bonus(token);
        let so_far = open.text.log_probability();
        let next = constraints.next(&open.text.tokens, &open.progress);
        let allowed = |token: u32| {
            next.allows(token) && (token != END || is_plausible(row, row[END as usize]))
        };
        for token in best_allowed(row.len(), shape.width + 1, scored, allowed) {
            let score = scored(token) + open.text.bonus + so_far - open.penalty;
            candidates.push((score, index, token, loss(token), bonus(token)));
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
    let mut children = Vec::new();
    for (_, index, token, loss, bonus) in candidates {
        if children.len() == shape.width {
            break;
        }
        let parent = &group.open[index];
        let mut child = parent.clone();
        let of_model = rows[&parent.sequence][token as usize];
        child.text.log_probabilities.push(of_model);
        if token == END {
            group.done.push(child.text);
            continue;
        }
        child.text.bonus += bonus;
        child.penalty += loss;
        child.progress = constraints.advance(&parent.progress, token);
        child.text.tokens.push(token);
        children.push((child, token));
    }
    let score = |text: &Hypothesis| text.score(shape.length_penalty);
    group.done.sort_by(|a, b| score(b).total_cmp(&score(a)));
    group.done.truncate(shape.width);
    let worst = group.done.get(shape.width - 1).map(score);
    let best = children
        .iter()
        .map(|(open, _)| score(&open.text))
        .fold(f64::NEG_INFINITY, f64::max);
    if worst.is_some_and(|worst| worst >= best) {
        children.clear();
    }
    children
}

/// The `count` best of the tokens that are allowed, the best first.
fn best_allowed(
    vocabulary: usize,
    count: usize,
    score: impl Fn(u32) -> f64,
    allowed: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let by_score = |a: &u32, b: &u32| score(*b).total_cmp(&score(*a)).then(a.cmp(b));
    let mut order: Vec<u32> = (0..vocabulary as u32).collect();
    // Asking whether a token is allowed costs more than its score, so the likeliest are asked first.
    let likely = (4 * count + 16).min(vocabulary);
    if likely < vocabulary {
        order.select_nth_unstable_by(likely - 1, by_score);
    }
    let keep = |tokens: &[u32]| -> Vec<u32> {
        let tokens = tokens.iter().copied();
        tokens.filter(|token| allowed(*token)).collect()
    };
    let mut best = keep(&order[..likely]);
    if best.is_empty() {
        best = keep(&order[likely..]);
    }
    best.sort_by(by_score);
    best.truncate(count);
    best
}

//! Tokens drawn at random from what a model expects.

use nn::simd::{exp_f32, max, sum_of, vectorised};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// From what a token is drawn: the model's distribution, cooled and cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance {
    pub(crate) temperature: f64,
    pub(crate) top_p: f64,
    pub(crate) min_p: f64,
}

/// ln of the share of the likeliest token's probability below which a token is not drawn as long as there is another.
pub(crate) const IMPLAUSIBLE: f32 = -11.5;

/// Draws an allowed token; nothing where none is allowed that is plausible, or at least no end.
///
/// The order of the cuts: allowed tokens, then those with `min_p` of the likeliest, then the nucleus; then temperature. The
/// tokens are looked at from the likeliest on until the nucleus is full, since asking whether one is allowed costs more than
/// the draw: those beyond it count as allowed.
pub(crate) fn draw(
    log_probabilities: &[f32],
    chance: Chance,
    end: u32,
    allowed: impl Fn(u32) -> bool,
    rng: &mut ChaCha8Rng,
) -> Option<u32> {
    let most = max(log_probabilities);
    let least = most + IMPLAUSIBLE;
    let bands = [f32::INFINITY, most - 3.0, most - 6.0, most - 9.0, least];
    let mut weights = nucleus(log_probabilities, &bands, chance, &allowed);
    if weights.is_empty() {
        let rest = [least, f32::NEG_INFINITY];
        weights = nucleus(log_probabilities, &rest, chance, |token| {
            token != end && allowed(token)
        });
    }
    let best = weights.first()?.1;
    for (_, weight) in &mut weights {
        // The best stays 1, however cold it is.
        *weight = (*weight / best).powf(1.0 / chance.temperature);
    }
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.random::<f64>() * total;
    let chosen = weights.iter().find(|(_, weight)| {
        left -= weight;
        left < 0.0
    });
    // Rounding may leave a hair over the last one.
    chosen.or(weights.last()).map(|(token, _)| *token)
}

/// The likeliest of the allowed tokens that the cuts leave, with their probabilities, the likeliest first. The tokens are those
/// between the first of `edges` and the last, sorted band by band: a nucleus seldom goes beyond the first ones.
fn nucleus(
    log_probabilities: &[f32],
    edges: &[f32],
    chance: Chance,
    allowed: impl Fn(u32) -> bool,
) -> Vec<(u32, f64)> {
    let within = |from: f32, to: f32, x: f32| to <= x && x < from;
    let (highest, lowest) = (edges[0], edges[edges.len() - 1]);
    let mut total = vectorised(
        #[inline(always)]
        || {
            let weight = |x| {
                if within(highest, lowest, x) {
                    exp_f32(x)
                } else {
                    0.0
                }
            };
            f64::from(sum_of(log_probabilities, weight))
        },
    );
    let (mut kept, mut mass) = (Vec::new(), 0.0);
    for band in edges.windows(2) {
        let all = (0u32..).zip(log_probabilities.iter().copied());
        let mut tokens: Vec<(u32, f32)> =
            all.filter(|(_, x)| within(band[0], band[1], *x)).collect();
        tokens.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for (token, x) in tokens {
            let weight = f64::from(x).exp();
            let best = kept.first().map_or(weight, |first: &(u32, f64)| first.1);
            let full = !kept.is_empty() && mass >= chance.top_p * total;
            if full || weight < chance.min_p * best {
                return kept;
            }
            if allowed(token) {
                kept.push((token, weight));
                mass += weight;
            } else {
                total -= weight;
            }
        }
    }
    kept
}

/// log softmax of logits, in place.
pub(crate) fn to_log_probabilities(logits: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let most = max(logits);
            let total = most + sum_of(logits, |x| exp_f32(x - most)).ln();
            for logit in &mut *logits {
                *logit -= total;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_come_one_after_another_and_cold_draws_are_the_best() {
        let logits = [0.5f32, 0.3, 0.15, 0.05].map(f32::ln);
        let counts = |chance: Chance, allowed: fn(u32) -> bool| {
            let mut rng = nn::generator(1, "draw", 0);
            let mut counts = [0; 4];
            for _ in 0..4_000 {
                let token =
                    draw(&logits, chance, u32::MAX, allowed, &mut rng).expect("one is allowed");
                counts[token as usize] += 1;
            }
            counts
        };
        let open = Chance {
            temperature: 1.0,
            top_p: 1.0,
            min_p: 0.0,
        };
        let all = counts(open, |_| true);
        for (count, expected) in all.iter().zip([2_000i32, 1_200, 600, 200]) {
            assert!((count - expected).abs() < 120, "{all:?}");
        }
        let nucleus = counts(
            Chance {
                top_p: 0.79,
                ..open
            },
            |_| true,
        );
        assert_eq!((nucleus[2], nucleus[3]), (0, 0));
        // Of the allowed, 0.3 is the likeliest: half of it keeps 0.15 and drops 0.05.
        let floored = counts(Chance { min_p: 0.4, ..open }, |token| token > 0);
        assert_eq!((floored[0], floored[3]), (0, 0));
        assert!(floored[2] > 1_000, "{floored:?}");
        let cold = Chance {
            temperature: 1e-3,
            ..open
        };
        assert_eq!(counts(cold, |token| token != 0), [0, 4_000, 0, 0]);
    }
}

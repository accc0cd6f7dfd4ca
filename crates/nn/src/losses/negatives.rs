//! Items that a loss scores against the positive: drawn from a proposal, or taken from the rest of the batch.

use std::ops::Range;

use candle_core::Tensor;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::NnError;

/// Negatives and the logarithm of the probability with which one draw gives each of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Negatives {
    /// The items; K shared by all rows, or N · K in row-major order.
    pub ids: Vec<u32>,
    /// log q of each.
    pub log_q: Vec<f32>,
}

/// A distribution over items from which negatives are drawn with replacement.
#[derive(Debug, Clone)]
pub struct NegativeSampler {
    proposal: Proposal,
}

#[derive(Debug, Clone)]
enum Proposal {
    Uniform(Range<u32>),
    Popularity(AliasTable),
}

impl NegativeSampler {
    /// Draws every item of a range with the same probability; a range from 1 leaves out a padding item 0.
    ///
    /// # Errors
    /// [`NnError::Config`] for an empty range.
    pub fn uniform(items: Range<u32>) -> Result<Self, NnError> {
        if items.is_empty() {
            return Err(NnError::Config {
                field: "items",
                value: format!("{items:?}"),
                expected: "a range of at least one item",
            });
        }
        let proposal = Proposal::Uniform(items);
        Ok(Self { proposal })
    }

    /// Draws item i with probability countᵢ^α / Σⱼ countⱼ^α; items of count 0 are never drawn.
    ///
    /// α = 1 is popularity itself, α = 0.75 is word2vec's choice, α = 0 is uniform over the items that were seen. A
    /// draw takes the same time whatever the number of items. Source: Mikolov et al., "Distributed Representations of
    /// Words and Phrases and their Compositionality", 2013.
    ///
    /// # Errors
    /// [`NnError::Config`] where all counts are 0 or α is negative or not finite.
    pub fn popularity(counts: &[u64], alpha: f64) -> Result<Self, NnError> {
        if !(alpha.is_finite() && alpha >= 0.0) {
            return Err(NnError::Config {
                field: "alpha",
                value: alpha.to_string(),
                expected: "a finite number, 0 or more",
            });
        }
        // Relative to the largest count no power overflows.
        let most = counts.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return Err(NnError::Config {
                field: "counts",
                value: format!("{} zeros", counts.len()),
                expected: "at least one item with a count above 0",
            });
        }
        let weight = |count: u64| match count {
            0 => 0.0,
            count => (count as f64 / most as f64).powf(alpha),
        };
        let weights: Vec<f64> = counts.iter().map(|count| weight(*count)).collect();
        let proposal = Proposal::Popularity(AliasTable::new(&weights));
        Ok(Self { proposal })
    }

    /// Draws `count` items, the same for the same state of the generator.
    pub fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> Negatives {
        let ids: Vec<u32> = (0..count)
            .map(|_| match &self.proposal {
                Proposal::Uniform(items) => items.start + bin(items.len(), rng).0 as u32,
                Proposal::Popularity(table) => table.draw(rng),
            })
            .collect();
        let log_q = ids.iter().map(|id| self.log_q(*id)).collect();
        Negatives { ids, log_q }
    }

    /// The logarithm of the probability that one draw gives this item, −∞ where none does.
    pub fn log_q(&self, item: u32) -> f32 {
        match &self.proposal {
            Proposal::Uniform(items) if items.contains(&item) => -(items.len() as f32).ln(),
            Proposal::Uniform(_) => f32::NEG_INFINITY,
            Proposal::Popularity(table) => {
                let known = table.log_q.get(item as usize);
                known.copied().unwrap_or(f32::NEG_INFINITY)
            }
        }
    }

    /// Takes every row's positive as a negative of all other rows.
    ///
    /// The negatives are shared, so the logits are one product [N, D] · [D, N]; a row's own positive on its diagonal
    /// and the same item in other rows are hits, see [`accidental_hits`]. A batch draws items by their popularity:
    /// correct by [`Correction::All`](super::Correction::All) with this sampler's log q at α = 1, after Yi et al.
    /// (2019). How this differs: the paper estimates q from the stream of batches, here the counts are known.
    ///
    /// # Errors
    /// [`NnError::Config`] where this sampler can never draw one of the positives.
    pub fn in_batch(&self, positives: &[u32]) -> Result<Negatives, NnError> {
        let log_q: Vec<f32> = positives.iter().map(|item| self.log_q(*item)).collect();
        if let Some(row) = log_q.iter().position(|q| !q.is_finite()) {
            return Err(NnError::Config {
                field: "positives",
                value: format!("item {} in row {row}", positives[row]),
                expected: "items that the sampler can draw: a count above 0 each",
            });
        }
        let ids = positives.to_vec();
        Ok(Negatives { ids, log_q })
    }
}

/// The (row, negative) places at which a negative is the row's positive.
///
/// # Shapes
/// positives N, negatives K that all rows share or N · K in row-major order, `count` is K.
///
/// # Errors
/// [`NnError::Shape`] where there are neither K nor N · K negatives.
pub fn accidental_hits(
    positives: &[u32],
    negatives: &[u32],
    count: usize,
) -> Result<Vec<(u32, u32)>, NnError> {
    let rows = positives.len();
    let shared = negatives.len() == count;
    if !shared && negatives.len() != rows * count {
        return Err(NnError::Shape {
            operation: "accidental hits",
            expected: format!("{count} or {} negatives", rows * count),
            got: negatives.len().to_string(),
        });
    }
    let mut hits = Vec::new();
    for (row, positive) in positives.iter().enumerate() {
        let start = if shared { 0 } else { row * count };
        let of_row = negatives[start..start + count].iter().enumerate();
        let same = of_row.filter(|(_, negative)| *negative == positive);
        hits.extend(same.map(|(place, _)| (row as u32, place as u32)));
    }
    Ok(hits)
}

/// The N and K of logits of positives [N] and negatives [N, K], both above 0.
pub(super) fn pair(
    operation: &'static str,
    positive: &Tensor,
    negatives: &Tensor,
) -> Result<(usize, usize), NnError> {
    match (positive.dims(), negatives.dims()) {
        ([rows], [negative_rows, count]) if rows == negative_rows && *rows > 0 && *count > 0 => {
            Ok((*rows, *count))
        }
        (positive, negatives) => Err(NnError::Shape {
            operation,
            expected: "positives [N] and negatives [N, K] with N and K above 0".to_owned(),
            got: format!("{positive:?} and {negatives:?}"),
        }),
    }
}

/// One of `count` bins with equal probability, and a position within it, uniform on [0, 1).
fn bin(count: usize, rng: &mut ChaCha8Rng) -> (usize, f64) {
    // A number in [0, count) with 64 bits after the point: its whole part is the bin, the rest the position.
    let product = u128::from(rng.next_u64()) * count as u128;
    let position = (product as u64) as f64 / (u64::MAX as f64 + 1.0);
    ((product >> 64) as usize, position)
}

/// A discrete distribution from which one random number draws one item, however many there are.
///
/// Each bin has the same probability and holds at most two items: its own, up to `keep`, and the alias above it.
/// Sources: Walker, "An efficient method for generating discrete random variables with general distributions", 1977;
/// Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
#[derive(Debug, Clone)]
struct AliasTable {
    bins: Vec<Bin>,
    /// log q of every item, −∞ where it is never drawn.
    log_q: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Bin {
    keep: f64,
    own: u32,
    alias: u32,
}

impl AliasTable {
    /// Builds the table from weights of which at least one is above 0.
    fn new(weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let log_q = weights.iter().map(|w| (w / total).ln() as f32).collect();
        // Items of weight 0 get no bin, so that no rounding can draw one.
        let possible = (0u32..).zip(weights).filter(|(_, weight)| **weight > 0.0);
        let mut bins: Vec<Bin> = possible
            .map(|(item, weight)| Bin {
                keep: weight / total,
                own: item,
                alias: item,
            })
            .collect();
        let count = bins.len() as f64;
        let (mut small, mut large) = (Vec::new(), Vec::new());
        for (index, bin) in bins.iter_mut().enumerate() {
            bin.keep *= count;
            let stack = if bin.keep < 1.0 {
                &mut small
            } else {
                &mut large
            };
            stack.push(index);
        }
        while let Some(giver) = large.pop() {
            let Some(taker) = small.pop() else { break };
            bins[taker].alias = bins[giver].own;
            bins[giver].keep -= 1.0 - bins[taker].keep;
            let left = bins[giver].keep;
            let stack = if left < 1.0 { &mut small } else { &mut large };
            stack.push(giver);
        }
        // What rounding left over is its own alias: whatever its `keep` says, the bin is the item's.
        Self { bins, log_q }
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> u32 {
        let (index, position) = bin(self.bins.len(), rng);
        let bin = &self.bins[index];
        if position < bin.keep {
            bin.own
        } else {
            bin.alias
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;
    use candle_core::{DType, Device};

    /// The share of each of the first items among many draws.
    fn shares(sampler: &NegativeSampler, items: usize) -> Vec<f64> {
        let count = 400_000;
        let drawn = sampler.draw(count, &mut generator(3, "negatives", 0));
        let mut shares = vec![0.0; items];
        for (id, log_q) in drawn.ids.iter().zip(&drawn.log_q) {
            assert_eq!(log_q.to_bits(), sampler.log_q(*id).to_bits());
            shares[*id as usize] += 1.0 / count as f64;
        }
        shares
    }

    #[test]
    fn draws_come_as_often_as_log_q_says() {
        let counts = [5, 0, 1_000, 40, 40, 1, 0, 300];
        for alpha in [0.0, 0.5, 1.0] {
            let sampler = NegativeSampler::popularity(&counts, alpha).expect("counts");
            let powers = counts.map(|c| if c == 0 { 0.0 } else { (c as f64).powf(alpha) });
            let total: f64 = powers.iter().sum();
            for (item, share) in shares(&sampler, counts.len()).iter().enumerate() {
                let q = powers[item] / total;
                // Four standard errors.
                let error = 4.0 * (q * (1.0 - q) / 400_000.0).sqrt();
                assert!(
                    (share - q).abs() <= error,
                    "{item} at {alpha}: {share}, {q}"
                );
                let log_q = f64::from(sampler.log_q(item as u32)).exp();
                assert!((log_q - q).abs() < 1e-6);
            }
        }
        let sampler = NegativeSampler::uniform(2..6).expect("items");
        let shares = shares(&sampler, 6);
        assert_eq!(shares[..2], [0.0, 0.0]);
        assert!(shares[2..].iter().all(|share| (share - 0.25).abs() < 0.003));
        assert_eq!(sampler.log_q(2).to_bits(), (-(4f32.ln())).to_bits());
        assert!(sampler.log_q(6).is_infinite());
    }

    #[test]
    fn an_alias_table_holds_each_probability_to_rounding() {
        let weights: Vec<f64> = (0..1_000).map(|i| 1.0 / f64::from(i + 1)).collect();
        let total: f64 = weights.iter().sum();
        let table = AliasTable::new(&weights);
        let mut held = vec![0.0; weights.len()];
        for bin in &table.bins {
            let keep = bin.keep.min(1.0);
            held[bin.own as usize] += keep / 1_000.0;
            held[bin.alias as usize] += (1.0 - keep) / 1_000.0;
        }
        for (held, weight) in held.iter().zip(&weights) {
            assert!((held - weight / total).abs() < 1e-12);
        }
    }

    #[test]
    fn the_same_generator_gives_the_same_draws() {
        let sampler = NegativeSampler::popularity(&[1, 2, 3, 4], 0.75).expect("counts");
        let draw = |position| sampler.draw(64, &mut generator(1, "negatives", position));
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
    }

    #[test]
    fn a_row_of_the_batch_never_competes_with_its_own_item() {
        let sampler = NegativeSampler::popularity(&[1, 2, 4, 1], 1.0).expect("counts");
        let positives = [2, 0, 2, 3];
        let negatives = sampler.in_batch(&positives).expect("all seen");
        assert_eq!(negatives.ids, positives);
        assert_eq!(negatives.log_q[0].to_bits(), 0.5f32.ln().to_bits());
        let hits = accidental_hits(&positives, &negatives.ids, 4).expect("fits");
        assert_eq!(hits, [(0, 0), (0, 2), (1, 1), (2, 0), (2, 2), (3, 3)]);
        // The same numbers as one negative a row: only the rows' own places are compared.
        let hits = accidental_hits(&positives, &[2, 1, 0, 3], 1).expect("fits");
        assert_eq!(hits, [(0, 0), (3, 0)]);
    }

    #[test]
    fn what_cannot_be_is_named() {
        let message = |result: Result<NegativeSampler, NnError>| match result {
            Ok(sampler) => panic!("{sampler:?}"),
            Err(error) => error.to_string(),
        };
        let counted = NegativeSampler::popularity(&[1, 0], 1.0).expect("counts");
        let logits = Tensor::zeros((2, 0), DType::F32, &Device::Cpu).expect("empty");
        let cases = [
            (
                message(NegativeSampler::uniform(3..3)),
                "`items` is 3..3; expected a range of at least one item",
            ),
            (
                message(NegativeSampler::popularity(&[0, 0, 0], 1.0)),
                "`counts` is 3 zeros; expected at least one item with a count above 0",
            ),
            (
                message(NegativeSampler::popularity(&[1], -0.5)),
                "`alpha` is -0.5; expected a finite number, 0 or more",
            ),
            (
                message(NegativeSampler::popularity(&[1], f64::NAN)),
                "`alpha` is NaN; expected a finite number, 0 or more",
            ),
            (
                counted.in_batch(&[0, 1]).expect_err("unseen").to_string(),
                "`positives` is item 1 in row 1; expected items that the sampler can draw: a count above 0 each",
            ),
            (
                accidental_hits(&[1, 2], &[0; 5], 3)
                    .expect_err("neither 3 nor 6")
                    .to_string(),
                "accidental hits: expected 3 or 6 negatives, got 5; check the sizes given to the layer",
            ),
            (
                pair("gBCE", &logits, &logits)
                    .expect_err("empty")
                    .to_string(),
                "gBCE: expected positives [N] and negatives [N, K] with N and K above 0, got [2, 0] and [2, 0]; check the sizes given to the layer",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }
}

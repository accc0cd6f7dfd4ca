//! Some of the items, in the place of all: what a step needs when the next item is told from a sample.

use std::collections::BTreeSet;

use nn::{NnError, Tensor, losses};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::batch::Batch;
use super::config::Objective;
use super::model::UserModel;

/// The items of one training step: those that may be told from a target, then those that are only read.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The items.
    pub(super) items: Vec<u32>,
    /// The row of each item of the catalogue among them, and of the start; without meaning for an item that is not
    /// among them.
    pub(super) places: Vec<u32>,
    /// ln of the probability that the item is among those to be told from a target, for each of these.
    log_there: Vec<f32>,
    /// Rows of the items that were drawn evenly, one a draw.
    drawn: Vec<u32>,
}

impl Chosen {
    /// Draws the items of a step, or nothing where the objective asks for all of them.
    pub(super) fn draw(model: &UserModel, batches: &[Batch], rng: &mut ChaCha8Rng) -> Option<Self> {
        let count = model.catalogue.len();
        let negatives = match model.config.objective {
            Objective::Full => return None,
            Objective::Sampled { negatives } if 2 * negatives >= count => return None,
            Objective::Sampled { negatives } | Objective::Gbce { negatives, .. } => negatives,
        };
        let targets = batches
            .iter()
            .flat_map(|batch| batch.targets.iter().flatten());
        let targets: Vec<u32> = targets.copied().collect();
        let read = batches.iter().flat_map(|batch| batch.items.iter().copied());
        let read: BTreeSet<u32> = read.filter(|item| (*item as usize) < count).collect();
        Some(Self::new(
            &model.target_shares,
            &targets,
            negatives,
            &read,
            rng,
        ))
    }

    fn new(
        target_shares: &[f32],
        targets: &[u32],
        negatives: usize,
        read: &BTreeSet<u32>,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let count = target_shares.len();
        let drawn: Vec<u32> = (0..negatives)
            .map(|_| rng.random_range(0..count as u32))
            .collect();
        let rivals: BTreeSet<u32> = targets.iter().chain(&drawn).copied().collect();
        let never_drawn = (1.0 - 1.0 / count as f64).powf(negatives as f64);
        let log_there = rivals.iter().map(|item| {
            let absent = 1.0 - f64::from(target_shares[*item as usize]);
            (1.0 - absent.powf(targets.len() as f64) * never_drawn).ln() as f32
        });
        let log_there = log_there.collect();
        let items: Vec<u32> = rivals
            .iter()
            .chain(read.difference(&rivals))
            .copied()
            .collect();
        let mut places = vec![0; count + 1];
        for (place, item) in (0u32..).zip(&items) {
            places[*item as usize] = place;
        }
        places[count] = items.len() as u32;
        Self {
            drawn: drawn.iter().map(|item| places[*item as usize]).collect(),
            items,
            places,
            log_there,
        }
    }

    /// Softmax cross-entropy against the step's targets and the evenly drawn items.
    ///
    /// With C the distinct items that are there and π(j) the probability that j is among them,
    ///
    /// L = Σ weight · ( ln( exp z(t) + Σ over j in C, j ≠ t, of exp z(j) / π(j) ) − z(t) ),
    ///
    /// π(j) = 1 − (1 − p(j))^n (1 − 1/V)^k for n targets, p(j) the share of j among all purchases, and k items drawn
    /// evenly. Over the draws, the sum has the mean of that over all items.
    ///
    /// # Shapes
    /// queries [N, D], table [C or more, D] → scalar; `entries` are (query, row of the target, weight).
    pub(super) fn softmax(
        &self,
        queries: &Tensor,
        table: &Tensor,
        entries: &[(u32, u32, f32)],
    ) -> Result<Tensor, NnError> {
        let device = queries.device();
        let table = table.narrow(0, 0, self.log_there.len())?;
        let off = Tensor::new(self.log_there.as_slice(), device)?;
        let logits = queries.matmul(&table.t()?)?.broadcast_sub(&off)?;
        // What is taken off every item is given back to a query's own targets.
        let places: Vec<(u32, u32)> = entries.iter().map(|entry| (entry.0, entry.1)).collect();
        let back = places.iter().map(|place| self.log_there[place.1 as usize]);
        let back = Tensor::new(back.collect::<Vec<_>>(), device)?;
        losses::cross_entropy_adjusted(&logits, &places, &back, entries, 0.0)
    }

    /// Generalised binary cross-entropy against the evenly drawn items; see [`nn::losses::gbce`].
    ///
    /// # Shapes
    /// queries [N, D], table [C or more, D] → scalar; `entries` are (query, row of the target, weight) with the same
    /// weight for all.
    pub(super) fn gbce(
        &self,
        queries: &Tensor,
        table: &Tensor,
        entries: &[(u32, u32, f32)],
        items: usize,
        calibration: f64,
    ) -> Result<Tensor, NnError> {
        let (rows, targets): (Vec<u32>, Vec<u32>) =
            entries.iter().map(|entry| (entry.0, entry.1)).unzip();
        let weight: f32 = entries.iter().map(|entry| entry.2).sum();
        let rows = nn::look_up(queries, &rows)?;
        let positive = (&rows * nn::look_up(table, &targets)?)?.sum(1)?;
        let negative = rows.matmul(&nn::look_up(table, &self.drawn)?.t()?)?;
        let loss = losses::gbce(&positive, &negative, items, calibration)?;
        // The loss is a mean over 1 + K logits of each entry, and the entries' own is their sum.
        let scale = f64::from(weight) * (1 + self.drawn.len()) as f64;
        Ok((loss * scale)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::{Device, generator};

    const SHARES: [f32; 6] = [0.5, 0.2, 0.15, 0.1, 0.05, 0.0];

    fn tensor(rows: &[Vec<f32>]) -> Tensor {
        let flat: Vec<f32> = rows.concat();
        Tensor::from_vec(flat, (rows.len(), rows[0].len()), &Device::Cpu).expect("fits")
    }

    /// One query whose logit of item i is ln(i + 1).
    fn query_and_items() -> (Tensor, Vec<Vec<f32>>) {
        let items = (1..=6u8).map(|odds| vec![f32::from(odds).ln()]);
        (tensor(&[vec![1.0]]), items.collect())
    }

    fn softmax_of(chosen: &Chosen, target: u32) -> f64 {
        let (query, items) = query_and_items();
        let rows = chosen
            .items
            .iter()
            .map(|item| items[*item as usize].clone());
        let table = tensor(&rows.collect::<Vec<_>>());
        let entries = [(0, chosen.places[target as usize], 1.0)];
        let loss = chosen.softmax(&query, &table, &entries).expect("fits");
        f64::from(loss.to_scalar::<f32>().expect("a scalar"))
    }

    #[test]
    fn the_normaliser_has_the_mean_of_that_over_all_items() {
        let mut rng = generator(3, "draws", 0);
        let draw_target = |rng: &mut ChaCha8Rng| {
            let mut left: f32 = rng.random();
            let place = SHARES.iter().position(|share| {
                left -= share;
                left < 0.0
            });
            place.unwrap_or(0) as u32
        };
        // Odds of 3 for the target against 18 for the others.
        let (target, odds, others) = (2, 3.0, 18.0);
        let rounds = 20_000;
        let estimates: Vec<f64> = (0..rounds)
            .map(|_| {
                let rivals: Vec<u32> = (0..2).map(|_| draw_target(&mut rng)).collect();
                let chosen = Chosen::new(&SHARES, &rivals, 1, &BTreeSet::from([target]), &mut rng);
                // What the loss says of the normaliser, the target's own odds left out.
                let there = chosen.log_there.len();
                if (chosen.places[target as usize] as usize) < there {
                    softmax_of(&chosen, target).exp() * odds - odds
                } else {
                    let terms = chosen.items[..there].iter().zip(&chosen.log_there);
                    terms
                        .map(|(item, log)| f64::from(item + 1) / f64::from(log.exp()))
                        .sum()
                }
            })
            .collect();
        let mean = estimates.iter().sum::<f64>() / f64::from(rounds);
        let variance = estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
        let error = (variance / f64::from(rounds)).sqrt() / f64::from(rounds).sqrt();
        assert!(
            (mean - others).abs() < 4.0 * error,
            "{mean} ± {error} is not {others}"
        );
    }

    #[test]
    fn with_every_item_there_it_is_the_full_softmax() {
        let mut rng = generator(3, "draws", 1);
        let chosen = Chosen::new(&SHARES, &[1, 4], 10_000, &BTreeSet::new(), &mut rng);
        assert_eq!(chosen.items, [0, 1, 2, 3, 4, 5]);
        let found = softmax_of(&chosen, 4);
        assert!((found - (21f64 / 5.0).ln()).abs() < 1e-5, "{found}");
    }

    #[test]
    fn gbce_sums_over_a_querys_logits() {
        let mut rng = generator(3, "draws", 2);
        let chosen = Chosen::new(&SHARES, &[4], 2, &BTreeSet::new(), &mut rng);
        let (query, items) = query_and_items();
        let rows = chosen
            .items
            .iter()
            .map(|item| items[*item as usize].clone());
        let table = tensor(&rows.collect::<Vec<_>>());
        let entries = [(0, chosen.places[4], 1.0)];
        let loss = chosen.gbce(&query, &table, &entries, 6, 0.0).expect("fits");
        let found = f64::from(loss.to_scalar::<f32>().expect("a scalar"));
        // Without calibration it is the binary cross-entropy of odds of 5 to 1 and of the drawn items' odds.
        let drawn = chosen.drawn.iter().map(|row| chosen.items[*row as usize]);
        let of_drawn: f64 = drawn.map(|item| f64::from(item + 2).ln()).sum();
        let expected = (6f64 / 5.0).ln() + of_drawn;
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

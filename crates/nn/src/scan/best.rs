use std::cmp::Ordering;

use super::GROUP;

/// A row and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The row, counted from 0.
    pub row: u32,
    /// Its inner product with the query.
    pub score: f32,
}

impl Hit {
    /// Larger scores first, of equal ones the smaller row.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "slices sort by functions of two references"
    )]
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let scores = other.score.partial_cmp(&self.score);
        scores
            .unwrap_or(Ordering::Equal)
            .then(self.row.cmp(&other.row))
    }
}

/// The best k of the hits that were offered.
///
/// Up to 2 k hits are kept unsorted and then halved by selection, which costs constant time a hit where a heap takes
/// log k; what scores no higher than the worst of the best k is turned away by one comparison.
#[derive(Debug, Clone)]
pub(super) struct Best {
    k: usize,
    kept: Vec<Hit>,
    /// No row that comes later and scores no higher is among the best.
    threshold: f32,
}

impl Best {
    /// Makes an empty selection of at least one.
    pub(super) fn new(k: usize) -> Self {
        debug_assert!(k > 0, "nothing is selected from");
        Self {
            k,
            kept: Vec::new(),
            threshold: f32::NEG_INFINITY,
        }
    }

    /// Offers the rows from `first` on whose bits are set; rows must come in ascending order.
    #[inline(always)]
    pub(super) fn offer(&mut self, first: usize, scores: &[f32; GROUP], allowed: u16) {
        let threshold = self.threshold;
        // Most groups hold nothing good enough, which one comparison of all its scores shows.
        let mut any = false;
        for score in scores {
            any |= *score > threshold;
        }
        if !any {
            return;
        }
        for (place, score) in scores.iter().enumerate() {
            if allowed >> place & 1 == 1 && *score > self.threshold {
                let row = (first + place) as u32;
                self.keep(Hit { row, score: *score });
            }
        }
    }

    /// Takes over what another selection holds, in any order of rows.
    pub(super) fn absorb(&mut self, other: Self) {
        for hit in other.kept {
            // A row before those that are kept wins a tie.
            if hit.score >= self.threshold {
                self.keep(hit);
            }
        }
    }

    /// Rare beside the scores that are turned away, so it stays out of the loop over these.
    #[inline(never)]
    fn keep(&mut self, hit: Hit) {
        self.kept.push(hit);
        if self.kept.len() >= 2 * self.k {
            self.select();
        }
    }

    fn select(&mut self) {
        if self.kept.len() >= self.k {
            let (_, worst, _) = self.kept.select_nth_unstable_by(self.k - 1, Hit::order);
            self.threshold = worst.score;
            self.kept.truncate(self.k);
        }
    }

    /// The best k, the best first.
    pub(super) fn into_sorted(mut self) -> Vec<Hit> {
        self.select();
        self.kept.sort_unstable_by(Hit::order);
        self.kept
    }
}

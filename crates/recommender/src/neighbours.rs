use rayon::prelude::*;

/// For each item the items that go with it and how strongly, strongest first.
///
/// It is a sparse matrix of one row an item; `item-knn` fills it with similarities, `transitions` with how often one
/// purchase follows another.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    rows: Vec<Vec<(u32, f32)>>,
}

/// What one history item contributed to a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Because {
    /// The item of the history.
    pub item: u32,
    /// Its part of the score; the parts of all history items sum to the score.
    pub contribution: f32,
}

impl Neighbours {
    /// Builds the matrix row by row on all cores: `fill(item, row)` adds strengths to the zeroed dense `row`, of which
    /// the `keep` largest positive ones stay, ties by ascending index.
    ///
    /// The rows do not depend on how many threads build them.
    pub(crate) fn build(
        items: usize,
        keep: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Self {
        let rows = (0..items).into_par_iter().map_init(
            || vec![0.0; items],
            |dense, item| {
                dense.fill(0.0);
                fill(item, dense);
                strongest(dense, keep)
            },
        );
        Self {
            rows: rows.collect(),
        }
    }

    /// The `k` items that go best with `item`, strongest first; empty for an item without a row.
    pub fn neighbours(&self, item: u32, k: usize) -> &[(u32, f32)] {
        let row = self.rows.get(item as usize).map_or(&[][..], Vec::as_slice);
        &row[..k.min(row.len())]
    }

    /// The weighted sum of the rows of a shopper's items, one score an item.
    pub(crate) fn scores(&self, weights: &[(u32, f32)]) -> Vec<f32> {
        let mut scores = vec![0.0; self.rows.len()];
        for &(item, weight) in weights {
            for &(neighbour, strength) in self.neighbours(item, usize::MAX) {
                scores[neighbour as usize] += weight * strength;
            }
        }
        scores
    }

    /// The parts that [`Neighbours::scores`] adds up for `item`, largest first, ties by ascending index.
    pub(crate) fn because(&self, weights: &[(u32, f32)], item: u32) -> Vec<Because> {
        let mut parts: Vec<Because> = weights
            .iter()
            .filter_map(|&(from, weight)| {
                let row = self.neighbours(from, usize::MAX);
                let &(_, strength) = row.iter().find(|(neighbour, _)| *neighbour == item)?;
                Some(Because {
                    item: from,
                    contribution: weight * strength,
                })
            })
            .collect();
        parts.sort_by(|a, b| {
            let larger = b.contribution.total_cmp(&a.contribution);
            larger.then(a.item.cmp(&b.item))
        });
        parts
    }
}

fn strongest(dense: &[f32], keep: usize) -> Vec<(u32, f32)> {
    let positive = (0u32..).zip(dense).filter(|(_, strength)| **strength > 0.0);
    let mut row: Vec<(u32, f32)> = positive.map(|(item, &strength)| (item, strength)).collect();
    row.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    row.truncate(keep);
    row.shrink_to_fit();
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(keep: usize) -> Neighbours {
        Neighbours::build(3, keep, |item, row| {
            row.copy_from_slice(&[[0.0, 2.0, 2.0], [1.0, 0.0, 3.0], [0.0, 0.0, 0.0]][item]);
        })
    }

    #[test]
    fn rows_keep_their_strongest_and_smallest() {
        assert_eq!(matrix(1).neighbours(0, 9), [(1, 2.0)]);
        assert_eq!(matrix(9).neighbours(1, 9), [(2, 3.0), (0, 1.0)]);
        assert_eq!(matrix(9).neighbours(1, 1), [(2, 3.0)]);
        assert!(matrix(9).neighbours(7, 1).is_empty());
    }

    #[test]
    fn contributions_add_up_to_the_score() {
        let (matrix, weights) = (matrix(9), [(0, 1.0), (1, 0.5)]);
        assert_eq!(matrix.scores(&weights), [0.5, 2.0, 3.5]);
        let parts = matrix.because(&weights, 2);
        assert_eq!(
            parts.iter().map(|part| part.item).collect::<Vec<_>>(),
            [0, 1]
        );
        let sum: f32 = parts.iter().map(|part| part.contribution).sum();
        assert!((sum - 3.5).abs() < 1e-6);
    }
}

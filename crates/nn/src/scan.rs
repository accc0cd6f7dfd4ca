//! Exact search for the rows of a matrix with the largest inner products with a query.
//!
//! [`DenseRows`] holds the rows in `f32`, [`Int8Rows`] in a quarter of the memory with some loss, which scoring the
//! best candidates anew makes up for. Both look at every row that a [`RowMask`] allows: at a million items and below
//! that costs milliseconds, and unlike an index it needs no building, no tuning and misses nothing.
//!
//! ```
//! use nn::scan::{DenseRows, RowMask};
//!
//! let items = DenseRows::new(&[1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.9, 0.1], 2)?;
//! let sold_out = 0;
//! let mask = RowMask::from_fn(4, |row| row != sold_out);
//! let best = items.top_k(&[1.0, 0.2], 2, Some(&mask))?;
//! assert_eq!(best[0].iter().map(|hit| hit.row).collect::<Vec<_>>(), [3, 2]);
//! # Ok::<(), nn::NnError>(())
//! ```
//!
//! Results never depend on the number of threads, on the processor or on the other queries of a batch.

mod best;
mod dense;
mod int8;
mod mask;

use std::ops::Range;

use rayon::prelude::*;

pub use best::Hit;
pub use dense::DenseRows;
pub use int8::Int8Rows;
pub use mask::RowMask;

use crate::NnError;
use crate::simd::vectorised;
use best::Best;

/// Rows that are scored side by side.
const GROUP: usize = 16;

/// Groups that stay in the nearest cache while all queries of a pass look at them.
const BLOCK: usize = 4;

/// Groups of one task of the thread pool, at least.
const CHUNK: usize = 512;

/// Queries that share a pass over the matrix.
const PASS: usize = 64;

/// The largest value that is accepted: below it no inner product of [`MOST_COLUMNS`] overflows.
const LARGEST: f32 = 1e15;

/// The most columns of which no score overflows.
const MOST_COLUMNS: usize = 1 << 17;

/// A matrix whose rows can be scored in groups for queries of one form.
trait Rows<Query>: Sync {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// Scores the rows of adjacent groups for each query.
    ///
    /// `scores` holds the groups of the first query, then those of the second, and so on; what it holds for rows
    /// beyond the last is of no account.
    fn score(&self, groups: Range<usize>, queries: &[Query], scores: &mut [[f32; GROUP]]);
}

/// The best k rows for each query, the best first.
fn top_k<Query: Sync>(
    matrix: &impl Rows<Query>,
    queries: &[Query],
    k: usize,
    mask: Option<&RowMask>,
    chunk: usize,
) -> Result<Vec<Vec<Hit>>, NnError> {
    if let Some(mask) = mask.filter(|mask| mask.rows() != matrix.rows()) {
        return Err(NnError::Shape {
            operation: "scan",
            expected: format!("a mask of {} rows", matrix.rows()),
            got: format!("{}", mask.rows()),
        });
    }
    let k = k.min(matrix.rows());
    if k == 0 {
        return Ok(vec![Vec::new(); queries.len()]);
    }
    let groups = matrix.rows().div_ceil(GROUP);
    // Each task finds its own best k, so few large tasks cost least; the result is the same for any number of them.
    let chunk = chunk.max(groups.div_ceil(2 * rayon::current_num_threads()));
    let mut found = Vec::with_capacity(queries.len());
    for queries in queries.chunks(PASS) {
        let of_chunks: Vec<Vec<Best>> = (0..groups.div_ceil(chunk))
            .into_par_iter()
            .map(|index| {
                let start = index * chunk;
                scan(matrix, queries, k, mask, start..groups.min(start + chunk))
            })
            .collect();
        // Hits are ordered by score and row, of which no two are equal, so their order of arrival is of no account.
        let mut merged = vec![Best::new(k); queries.len()];
        for of_chunk in of_chunks {
            for (merged, part) in merged.iter_mut().zip(of_chunk) {
                merged.absorb(part);
            }
        }
        found.extend(merged.into_iter().map(Best::into_sorted));
    }
    Ok(found)
}

/// The best rows of some groups for each query.
fn scan<Query>(
    matrix: &impl Rows<Query>,
    queries: &[Query],
    k: usize,
    mask: Option<&RowMask>,
    groups: Range<usize>,
) -> Vec<Best> {
    let allowed = |group: usize| {
        let rows = matrix.rows() - group * GROUP;
        let existing = u16::MAX >> (GROUP - rows.min(GROUP));
        mask.map_or(u16::MAX, |mask| mask.group(group)) & existing
    };
    let mut best = vec![Best::new(k); queries.len()];
    let mut scores = vec![[0.0; GROUP]; BLOCK * queries.len()];
    vectorised(
        #[inline(always)]
        || {
            let mut start = groups.start;
            while start < groups.end {
                if allowed(start) == 0 {
                    start += 1;
                    continue;
                }
                let mut end = start + 1;
                while end < groups.end.min(start + BLOCK) && allowed(end) != 0 {
                    end += 1;
                }
                let scores = &mut scores[..(end - start) * queries.len()];
                matrix.score(start..end, queries, scores);
                for (best, scores) in best.iter_mut().zip(scores.chunks_exact(end - start)) {
                    for (group, scores) in (start..end).zip(scores) {
                        best.offer(group * GROUP, scores, allowed(group));
                    }
                }
                start = end;
            }
        },
    );
    best
}

/// The number of rows of a matrix of numbers, none of which is NaN or too large.
fn checked(field: &'static str, values: &[f32], columns: usize) -> Result<usize, NnError> {
    let rows = rows_of(field, values.len(), columns)?;
    let fits = |value: &f32| value.abs() <= LARGEST;
    match values.iter().position(|value| !fits(value)) {
        None => Ok(rows),
        Some(place) => Err(NnError::Config {
            field,
            value: format!(
                "{} in row {}, column {}",
                values[place],
                place / columns,
                place % columns
            ),
            expected: "numbers between -1e15 and 1e15",
        }),
    }
}

/// The number of rows of as many values.
fn rows_of(field: &'static str, values: usize, columns: usize) -> Result<usize, NnError> {
    if columns == 0 || !values.is_multiple_of(columns) {
        return Err(NnError::Shape {
            operation: "scan",
            expected: format!("{field} of {columns} columns, at least one"),
            got: format!("{values} numbers"),
        });
    }
    let outside = |field, value: usize, expected| NnError::Config {
        field,
        value: value.to_string(),
        expected,
    };
    if columns > MOST_COLUMNS {
        let expected = "1 to 131072, above which sums overflow";
        return Err(outside("columns", columns, expected));
    }
    // A hit names its row by 32 bits.
    match u32::try_from(values / columns) {
        Ok(rows) => Ok(rows as usize),
        Err(_) => Err(outside("rows", values / columns, "fewer than 2^32")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;
    use proptest::prelude::*;
    use rand::RngExt;

    /// Every allowed row's score by its definition, sorted in full.
    fn naive(
        rows: usize,
        k: usize,
        mask: Option<&RowMask>,
        score: impl Fn(usize) -> f32,
    ) -> Vec<Hit> {
        let allowed = (0..rows).filter(|row| mask.is_none_or(|mask| mask.allows(*row)));
        let mut hits: Vec<Hit> = allowed
            .map(|row| Hit {
                row: row as u32,
                score: score(row),
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        hits.truncate(k);
        hits
    }

    fn dot(x: &[f32], y: &[f32]) -> f32 {
        x.iter().zip(y).fold(0.0, |sum, (x, y)| sum + x * y)
    }

    /// Whole numbers and halves, so that many scores tie.
    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = generator(seed, "scan", 0);
        (0..count)
            .map(|_| (rng.random::<f32>() * 8.0).floor() / 2.0 - 2.0)
            .collect()
    }

    fn random_mask(rows: usize, share: f32, seed: u64) -> RowMask {
        let mut rng = generator(seed, "mask", 0);
        RowMask::from_fn(rows, |_| rng.random::<f32>() < share)
    }

    proptest! {
        #[test]
        fn equals_sorting_every_row(
            rows in 0usize..300,
            columns in 1usize..20,
            batch in 0usize..10,
            k in 0usize..40,
            share in prop::option::of(0f32..1.0),
            chunk in 1usize..9,
            seed: u64,
        ) {
            let values = numbers(rows * columns, seed);
            let queries = numbers(batch * columns, seed ^ 1);
            let mask = share.map(|share| random_mask(rows, share, seed));
            let mask = mask.as_ref();
            let dense = DenseRows::new(&values, columns).expect("numbers");
            let exact = dense.top_k_in_chunks(&queries, k, mask, chunk).expect("fits");
            let int8 = Int8Rows::quantise(&values, columns).expect("numbers");
            let coarse = int8.top_k_in_chunks(&queries, k, mask, chunk).expect("fits");
            let rescored = int8.top_k_rescored(&dense, &queries, k, rows.max(1), mask).expect("fits");
            prop_assert_eq!(exact.len(), batch);
            for (index, query) in queries.chunks_exact(columns).enumerate() {
                let row = |row: usize| &values[row * columns..][..columns];
                let expected = naive(rows, k, mask, |index| dot(row(index), query));
                prop_assert_eq!(&exact[index], &expected);
                // With every row a candidate, scoring anew is the exact search.
                prop_assert_eq!(&rescored[index], &expected);
                let expected = naive(rows, k, mask, |row| int8.score_by_definition(row, query));
                prop_assert_eq!(&coarse[index], &expected);
            }
        }
    }

    #[test]
    fn the_number_of_threads_and_of_queries_changes_nothing() {
        let (rows, columns) = (20_000, 24);
        let mut rng = generator(4, "scan", 0);
        let mut draw =
            |count: usize| -> Vec<f32> { (0..count).map(|_| rng.random::<f32>() - 0.5).collect() };
        let (values, queries) = (draw(rows * columns), draw(70 * columns));
        let dense = DenseRows::new(&values, columns).expect("numbers");
        let int8 = Int8Rows::quantise(&values, columns).expect("numbers");
        let mask = random_mask(rows, 0.3, 9);
        let search = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(|| {
                let exact = dense.top_k(&queries, 50, Some(&mask)).expect("fits");
                let coarse = int8.top_k(&queries, 50, Some(&mask)).expect("fits");
                (exact, coarse)
            })
        };
        let together = search(1);
        assert_eq!(together, search(3));
        for index in [0, 3, 69] {
            let query = &queries[index * columns..][..columns];
            let alone = dense.top_k(query, 50, Some(&mask)).expect("fits");
            assert_eq!(alone[0], together.0[index]);
        }
    }

    #[test]
    fn what_cannot_be_searched_is_named() {
        let rows = DenseRows::new(&[1.0, 2.0, 3.0, 4.0], 2).expect("numbers");
        let int8 = Int8Rows::quantise(&[1.0, 2.0, 3.0, 4.0], 2).expect("numbers");
        let other = DenseRows::new(&[1.0, 2.0], 2).expect("numbers");
        let message = |error: Option<NnError>| error.expect("refused").to_string();
        let cases = [
            (
                message(DenseRows::new(&[1.0, 2.0, 0.5, f32::NAN], 2).err()),
                "`rows` is NaN in row 1, column 1; expected numbers between -1e15 and 1e15",
            ),
            (
                message(Int8Rows::quantise(&[1.0, 2.0, f32::NEG_INFINITY, 0.0], 2).err()),
                "`rows` is -inf in row 1, column 0; expected numbers between -1e15 and 1e15",
            ),
            (
                message(DenseRows::new(&[1.0; 5], 2).err()),
                "scan: expected rows of 2 columns, at least one, got 5 numbers; check the sizes given to the layer",
            ),
            (
                message(DenseRows::new(&[], 0).err()),
                "scan: expected rows of 0 columns, at least one, got 0 numbers; check the sizes given to the layer",
            ),
            (
                message(rows.top_k(&[0.0, 1.0, f32::NAN, 1.0], 1, None).err()),
                "`queries` is NaN in row 1, column 0; expected numbers between -1e15 and 1e15",
            ),
            (
                message(int8.top_k(&[0.0; 3], 1, None).err()),
                "scan: expected queries of 2 columns, at least one, got 3 numbers; check the sizes given to the layer",
            ),
            (
                message(rows.top_k(&[0.0; 2], 1, Some(&RowMask::none(3))).err()),
                "scan: expected a mask of 2 rows, got 3; check the sizes given to the layer",
            ),
            (
                message(int8.top_k_rescored(&rows, &[0.0; 2], 1, 0, None).err()),
                "`candidates` is 0; expected at least 1 for each result",
            ),
            (
                message(int8.top_k_rescored(&other, &[0.0; 2], 1, 2, None).err()),
                "scan: expected 2 exact rows of 2 columns, got 1 of 2; check the sizes given to the layer",
            ),
            (
                message(Int8Rows::new(vec![1, 2, 3, 4], vec![0.5, -1.0], 2).err()),
                "`scales` is -1 in row 1; expected numbers from 0 to 1e13",
            ),
            (
                message(Int8Rows::new(vec![1, 2, 3, 4], vec![0.5], 2).err()),
                "scan: expected values of 2 columns and a scale for each row, got 4 values and 1 scales; check the sizes given to the layer",
            ),
            (
                message(Int8Rows::new(Vec::new(), Vec::new(), 200_000).err()),
                "`columns` is 200000; expected 1 to 131072, above which sums overflow",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }
}

use std::ops::Range;

use rayon::prelude::*;

use super::{CHUNK, DenseRows, GROUP, Hit, RowMask, Rows, checked, rows_of, top_k};
use crate::NnError;
use crate::kernels::int8::{rounded, scale_of};

/// The largest scale that is accepted, a little more than that of the largest value.
const LARGEST_SCALE: f32 = 1e13;

/// Rows of 8-bit integers with one scale each: x ≈ scale · q, −127 ≤ q ≤ 127.
///
/// The scale is max |x| / 127, symmetric around 0. A query is quantised in the same way, and a score is the exact
/// integer inner product times both scales, so the error comes from rounding the values alone. Source: Wu et al.,
/// "Integer Quantization for Deep Learning Inference: Principles and Empirical Evaluation", 2020. How this differs: the
/// query gets its own scale each time, no calibration data are needed.
#[derive(Debug, Clone)]
pub struct Int8Rows {
    values: Vec<i8>,
    scales: Vec<f32>,
    columns: usize,
}

/// A quantised query; 16 bits are what the processor multiplies in pairs.
pub(super) struct Query {
    values: Vec<i16>,
    scale: f32,
}

impl Int8Rows {
    /// Quantises a matrix of numbers between −1e15 and 1e15.
    ///
    /// # Shapes
    /// values [N, D] in row-major order, `columns` is D, up to 131,072.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the numbers are no multiple of the columns, [`NnError::Config`] where one is NaN or too
    /// large, by its row and column.
    pub fn quantise(values: &[f32], columns: usize) -> Result<Self, NnError> {
        let rows = checked("rows", values, columns)?;
        let mut quantised = Vec::with_capacity(values.len());
        let mut scales = Vec::with_capacity(rows);
        for row in values.chunks_exact(columns) {
            let scale = scale_of(row);
            quantised.extend(row.iter().map(|value| rounded(*value, scale) as i8));
            scales.push(scale);
        }
        Ok(Self {
            values: quantised,
            scales,
            columns,
        })
    }

    /// Takes over values and scales that were quantised before.
    ///
    /// # Shapes
    /// values [N, D] in row-major order, scales [N], `columns` is D, up to 131,072.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the numbers do not fit together, [`NnError::Config`] where a scale is negative, NaN or
    /// too large, by its row.
    pub fn new(values: Vec<i8>, scales: Vec<f32>, columns: usize) -> Result<Self, NnError> {
        let rows = rows_of("values", values.len(), columns)?;
        if scales.len() != rows {
            return Err(NnError::Shape {
                operation: "scan",
                expected: format!("values of {columns} columns and a scale for each row"),
                got: format!("{} values and {} scales", values.len(), scales.len()),
            });
        }
        let fits = |scale: &f32| (0.0..=LARGEST_SCALE).contains(scale);
        if let Some(row) = scales.iter().position(|scale| !fits(scale)) {
            return Err(NnError::Config {
                field: "scales",
                value: format!("{} in row {row}", scales[row]),
                expected: "numbers from 0 to 1e13",
            });
        }
        Ok(Self {
            values,
            scales,
            columns,
        })
    }

    /// The quantised values [N, D] in row-major order.
    pub fn values(&self) -> &[i8] {
        &self.values
    }

    /// The scales [N].
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Finds the allowed rows whose quantised inner products with each quantised query are largest.
    ///
    /// Order and length of the lists are as in [`DenseRows::top_k`].
    ///
    /// # Shapes
    /// queries [B, D] in row-major order → B lists of up to k hits.
    ///
    /// # Errors
    /// As [`DenseRows::top_k`].
    pub fn top_k(
        &self,
        queries: &[f32],
        k: usize,
        mask: Option<&RowMask>,
    ) -> Result<Vec<Vec<Hit>>, NnError> {
        self.top_k_in_chunks(queries, k, mask, CHUNK)
    }

    /// Finds `candidates` · k rows by their quantised scores, scores them anew by the exact rows and keeps the best k.
    ///
    /// What comes back has exact scores in exact order; a row is missed only where its quantised score is not among the
    /// candidates.
    ///
    /// # Shapes
    /// queries [B, D] in row-major order → B lists of up to k hits.
    ///
    /// # Errors
    /// As [`DenseRows::top_k`]; also [`NnError::Shape`] where the exact rows are not as many and as wide as these, and
    /// [`NnError::Config`] where `candidates` is 0.
    pub fn top_k_rescored(
        &self,
        exact: &DenseRows,
        queries: &[f32],
        k: usize,
        candidates: usize,
        mask: Option<&RowMask>,
    ) -> Result<Vec<Vec<Hit>>, NnError> {
        if candidates == 0 {
            return Err(NnError::Config {
                field: "candidates",
                value: candidates.to_string(),
                expected: "at least 1 for each result",
            });
        }
        let rows = self.scales.len();
        if (exact.rows(), exact.columns()) != (rows, self.columns) {
            return Err(NnError::Shape {
                operation: "scan",
                expected: format!("{rows} exact rows of {} columns", self.columns),
                got: format!("{} of {}", exact.rows(), exact.columns()),
            });
        }
        let mut found = self.top_k(queries, k.saturating_mul(candidates), mask)?;
        found
            .par_iter_mut()
            .zip(queries.par_chunks_exact(self.columns))
            .for_each(|(hits, query)| {
                for hit in hits.iter_mut() {
                    hit.score = exact.score_row(hit.row as usize, query);
                }
                hits.sort_unstable_by(Hit::order);
                hits.truncate(k);
            });
        Ok(found)
    }

    /// As [`Int8Rows::top_k`], with tasks of that many groups.
    pub(super) fn top_k_in_chunks(
        &self,
        queries: &[f32],
        k: usize,
        mask: Option<&RowMask>,
        chunk: usize,
    ) -> Result<Vec<Vec<Hit>>, NnError> {
        checked("queries", queries, self.columns)?;
        let queries: Vec<Query> = queries.chunks_exact(self.columns).map(Query::new).collect();
        top_k(self, &queries, k, mask, chunk)
    }
}

impl Query {
    fn new(query: &[f32]) -> Self {
        let scale = scale_of(query);
        let values = query.iter().map(|value| rounded(*value, scale)).collect();
        Self { values, scale }
    }
}

impl Rows<Query> for Int8Rows {
    fn rows(&self) -> usize {
        self.scales.len()
    }

    #[inline(always)]
    fn score(&self, groups: Range<usize>, queries: &[Query], scores: &mut [[f32; GROUP]]) {
        let width = groups.len();
        for (query, scores) in queries.iter().zip(scores.chunks_exact_mut(width)) {
            for (group, scores) in groups.clone().zip(scores) {
                let first = group * GROUP;
                let rows = self.values[first * self.columns..].chunks_exact(self.columns);
                let mut sums = [0; GROUP];
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum = inner_product(row, &query.values);
                }
                // Apart from the sums, this loop takes several rows an instruction.
                let scales = self.scales[first..].iter().zip(&sums);
                for (score, (scale, sum)) in scores.iter_mut().zip(scales) {
                    *score = *sum as f32 * (scale * query.scale);
                }
            }
        }
    }
}

/// Σ xᵢ yᵢ in 32 bits, which up to 2¹⁷ columns cannot overflow.
///
/// Written as the sum of products of 16-bit numbers, the loop becomes `pmaddwd`: sixteen products and eight sums an
/// instruction.
#[inline(always)]
fn inner_product(row: &[i8], query: &[i16]) -> i32 {
    let mut sum = 0i32;
    for (x, y) in row.iter().zip(query) {
        // Wrapping, because a check for the overflow that cannot happen would keep builds that check from vectorising.
        sum = sum.wrapping_add(i32::from(*x) * i32::from(*y));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::reference;
    use crate::random::generator;
    use rand::RngExt;

    impl Int8Rows {
        /// The score of one row, step by step.
        pub(in crate::scan) fn score_by_definition(&self, row: usize, query: &[f32]) -> f32 {
            let query = Query::new(query);
            let values = &self.values[row * self.columns..][..self.columns];
            let products = values.iter().zip(&query.values);
            let sum: i64 = products.map(|(x, y)| i64::from(*x) * i64::from(*y)).sum();
            sum as f32 * (self.scales[row] * query.scale)
        }
    }

    #[test]
    fn quantised_rows_equal_the_reference() {
        let Some(golden) = reference() else { return };
        let matrix = crate::golden::tensor(&golden["causal_mha_2heads"]["Wq"]);
        let values: Vec<f64> = matrix.flatten_all().and_then(|m| m.to_vec1()).expect("f64");
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        let rows = Int8Rows::quantise(&values, 8).expect("numbers");
        let expected = &golden["int8_rowwise_of_Wq"];
        let quantised = expected["q"].as_array().expect("rows");
        for (index, expected) in quantised.iter().enumerate() {
            let row: Vec<i8> = serde_json::from_value(expected.clone()).expect("i8");
            assert_eq!(rows.values()[index * 8..][..8], row);
        }
        let scales: Vec<f32> = serde_json::from_value(expected["scale"].clone()).expect("f32");
        for (scale, expected) in rows.scales().iter().zip(scales) {
            assert!((scale - expected).abs() < 1e-7 * expected);
        }
    }

    #[test]
    fn extremes_do_not_overflow_and_zeros_stay_zero() {
        let columns = 1 << 17;
        let rows = Int8Rows::new(vec![i8::MIN; columns], vec![1.0], columns).expect("fits");
        let hits = rows.top_k(&vec![-127.0; columns], 1, None).expect("fits");
        let expected = 128.0 * 127.0 * columns as f32;
        assert_eq!(hits[0][0].score.to_bits(), expected.to_bits());
        let rows = Int8Rows::quantise(&[0.0, 0.0, 1e15, -1e15, 1e-45, 0.0], 2).expect("numbers");
        assert_eq!(rows.values(), [0, 0, 127, -127, 0, 0]);
        let hits = rows.top_k(&[1e15, -1e15, 0.0, 0.0], 3, None).expect("fits");
        assert!((hits[0][0].score / 2e30 - 1.0).abs() < 1e-6);
        assert_eq!(
            hits[0].iter().map(|hit| hit.row).collect::<Vec<_>>(),
            [1, 0, 2]
        );
        assert!(hits[1].iter().all(|hit| hit.score == 0.0));
    }

    #[test]
    fn four_candidates_for_each_result_find_nearly_all() {
        let (rows, columns, k) = (5_000, 64, 100);
        let mut rng = generator(2, "scan", 0);
        let mut draw = |count: usize| -> Vec<f32> {
            // Sums of uniform numbers, much like those of a trained table.
            let mut one = || (0..4).map(|_| rng.random::<f32>() - 0.5).sum();
            (0..count).map(|_| one()).collect()
        };
        let (values, queries) = (draw(rows * columns), draw(20 * columns));
        let exact = DenseRows::new(&values, columns).expect("numbers");
        let int8 = Int8Rows::quantise(&values, columns).expect("numbers");
        let expected = exact.top_k(&queries, k, None).expect("fits");
        let recall = |found: &[Vec<Hit>]| {
            let pairs = expected.iter().zip(found);
            let same = pairs.map(|(expected, found)| {
                let has = |hit: &&Hit| found.iter().any(|other| other.row == hit.row);
                expected.iter().filter(has).count()
            });
            same.sum::<usize>() as f64 / (20 * k) as f64
        };
        let coarse = int8.top_k(&queries, k, None).expect("fits");
        assert!(recall(&coarse) > 0.95, "{}", recall(&coarse));
        let rescored = int8.top_k_rescored(&exact, &queries, k, 4, None);
        assert_eq!(rescored.expect("fits"), expected);
    }
}

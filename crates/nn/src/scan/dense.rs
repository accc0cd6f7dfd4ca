use std::ops::Range;

use super::{CHUNK, GROUP, Hit, RowMask, Rows, checked, top_k};
use crate::NnError;

/// Queries that share the loads of a group.
const TILE: usize = 4;

/// Rows of `f32`, searched exactly.
///
/// A score is the sum over the columns in their order, rounded to `f32` at each step, as in a plain loop.
#[derive(Debug, Clone)]
pub struct DenseRows {
    /// The first column of the first 16 rows, the second column of these rows, …: a loop over 16 rows needs no
    /// horizontal sums, and each load serves several queries. Rows beyond the last are zero.
    columns_of_groups: Vec<[f32; GROUP]>,
    rows: usize,
    columns: usize,
}

impl DenseRows {
    /// Takes over a matrix of numbers between −1e15 and 1e15.
    ///
    /// # Shapes
    /// values [N, D] in row-major order, `columns` is D, up to 131,072.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the numbers are no multiple of the columns, [`NnError::Config`] where one is NaN or too
    /// large, by its row and column.
    pub fn new(values: &[f32], columns: usize) -> Result<Self, NnError> {
        let rows = checked("rows", values, columns)?;
        let groups = rows.div_ceil(GROUP);
        let mut columns_of_groups = vec![[0.0; GROUP]; groups * columns];
        for (row, values) in values.chunks_exact(columns).enumerate() {
            let group = &mut columns_of_groups[row / GROUP * columns..][..columns];
            for (column, value) in group.iter_mut().zip(values) {
                column[row % GROUP] = *value;
            }
        }
        Ok(Self {
            columns_of_groups,
            rows,
            columns,
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Finds the allowed rows with the largest inner products with each query.
    ///
    /// Larger scores come first, of equal ones the smaller row. Fewer than k come back where fewer are allowed.
    ///
    /// # Shapes
    /// queries [B, D] in row-major order → B lists of up to k hits.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the queries have other columns or the mask other rows, [`NnError::Config`] where a
    /// query holds NaN or a number too large, by its row and column.
    pub fn top_k(
        &self,
        queries: &[f32],
        k: usize,
        mask: Option<&RowMask>,
    ) -> Result<Vec<Vec<Hit>>, NnError> {
        self.top_k_in_chunks(queries, k, mask, CHUNK)
    }

    /// As [`DenseRows::top_k`], with tasks of that many groups.
    pub(super) fn top_k_in_chunks(
        &self,
        queries: &[f32],
        k: usize,
        mask: Option<&RowMask>,
        chunk: usize,
    ) -> Result<Vec<Vec<Hit>>, NnError> {
        checked("queries", queries, self.columns)?;
        let queries: Vec<&[f32]> = queries.chunks_exact(self.columns).collect();
        top_k(self, &queries, k, mask, chunk)
    }

    /// Verifies that one query can be searched for, which [`DenseRows::top_k`] does by itself.
    ///
    /// # Shapes
    /// query [D].
    ///
    /// # Errors
    /// Those of [`DenseRows::top_k`], and [`NnError::Shape`] for any number of queries but one.
    pub fn check_query(&self, query: &[f32]) -> Result<(), NnError> {
        match checked("queries", query, self.columns)? {
            1 => Ok(()),
            count => Err(NnError::Shape {
                operation: "scan",
                expected: format!("one query of {} columns", self.columns),
                got: format!("{count} queries"),
            }),
        }
    }

    /// The inner product of one row with a query, the same to the last bit as in a search.
    ///
    /// # Shapes
    /// query [D].
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn score_row(&self, row: usize, query: &[f32]) -> f32 {
        let group = &self.columns_of_groups[row / GROUP * self.columns..][..self.columns];
        let products = group.iter().zip(query).map(|(x, y)| x[row % GROUP] * y);
        products.fold(0.0, |sum, product| sum + product)
    }

    /// Scores adjacent groups for a few queries at once.
    #[inline(always)]
    fn score_tile<const Q: usize>(
        &self,
        groups: Range<usize>,
        queries: [&[f32]; Q],
        scores: &mut [[f32; GROUP]],
    ) {
        let width = groups.len();
        for (place, group) in groups.enumerate() {
            let columns = &self.columns_of_groups[group * self.columns..][..self.columns];
            for (index, sums) in inner_products(columns, queries).iter().enumerate() {
                scores[index * width + place] = *sums;
            }
        }
    }
}

impl<'q> Rows<&'q [f32]> for DenseRows {
    fn rows(&self) -> usize {
        self.rows
    }

    #[inline(always)]
    fn score(&self, groups: Range<usize>, queries: &[&'q [f32]], scores: &mut [[f32; GROUP]]) {
        let width = groups.len();
        let tiles = queries.chunks(TILE).zip(scores.chunks_mut(TILE * width));
        for (queries, scores) in tiles {
            if let [a, b, c, d] = queries {
                self.score_tile(groups.clone(), [a, b, c, d], scores);
                continue;
            }
            for (query, scores) in queries.iter().zip(scores.chunks_mut(width)) {
                self.score_tile(groups.clone(), [query], scores);
            }
        }
    }
}

/// The inner products of the rows of one group with a few queries.
#[inline(always)]
fn inner_products<const Q: usize>(
    columns: &[[f32; GROUP]],
    queries: [&[f32]; Q],
) -> [[f32; GROUP]; Q] {
    let mut sums = [[0.0; GROUP]; Q];
    // One length for all lets the compiler check bounds once.
    let queries = queries.map(|query| &query[..columns.len()]);
    for (column, values) in columns.iter().enumerate() {
        for (sums, query) in sums.iter_mut().zip(&queries) {
            let factor = query[column];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * factor;
            }
        }
    }
    sums
}

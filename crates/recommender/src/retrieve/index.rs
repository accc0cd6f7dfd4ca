use nn::NnError;
use nn::scan::{DenseRows, RowMask};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::hnsw::Hnsw;
use crate::RecommenderError;
use crate::error::refuse;

/// Share of the items that a mask must admit for a walk along the graph; below it the scan, which skips what is
/// forbidden, is faster than walking over it.
const WALKED_SHARE: f64 = 0.1;

/// How items are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrievalSettings {
    /// Most items of which every one is looked at for a query; beyond, HNSW searches. Default 1,000,000: on two cores the
    /// scan answered 3 times as many queries a second as the graph at 10,000, at 100,000 and at 300,000 items of 64 numbers,
    /// so that no smaller default has a measurement behind it.
    pub exact_up_to: usize,
    /// Items that a search hands to the ranking, at least. Default 500.
    pub candidates: usize,
    /// Links of each item in the graph, twice as many on its lowest level. Default 32.
    pub connectivity: usize,
    /// Candidates for links that are compared when an item is added. Default 128.
    pub expansion_add: usize,
    /// Items that a search keeps in view, or as many as it is asked for where they are more. Default 200.
    pub expansion_search: usize,
}

impl Default for RetrievalSettings {
    fn default() -> Self {
        Self {
            exact_up_to: 1_000_000,
            candidates: 500,
            connectivity: 32,
            expansion_add: 128,
            expansion_search: 200,
        }
    }
}

impl RetrievalSettings {
    /// Verifies that every number is within its range.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] at the first that is not.
    pub fn check(&self) -> Result<(), RecommenderError> {
        if !(2..=512).contains(&self.connectivity) {
            return Err(refuse("connectivity", self.connectivity, "2 to 512"));
        }
        let counts = [
            ("candidates", self.candidates),
            ("expansion_add", self.expansion_add),
            ("expansion_search", self.expansion_search),
        ];
        for (field, count) in counts {
            if !(1..=100_000).contains(&count) {
                return Err(refuse(field, count, "1 to 100000"));
            }
        }
        Ok(())
    }
}

/// Finds the items whose vectors have the largest inner products with a query: by looking at every one of them, or, of
/// very many, by a walk along a graph that misses some.
///
/// Who may be found is part of the search: a mask admits items, and of those that it admits k come back, or all of them
/// where they are fewer, on either way. A graph that finds fewer, or a mask that admits less than a tenth, leaves the
/// question to the scan. Scores are those of the scan to the last bit, and the same vectors and query give the same
/// answer on any number of threads.
///
/// ```
/// use nn::scan::RowMask;
/// use recommender::{ItemIndex, RetrievalSettings};
///
/// let vectors = [1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.9, 0.1];
/// let index = ItemIndex::new(&vectors, 2, &RetrievalSettings::default())?;
/// let sold_out = 0;
/// let admit = RowMask::from_fn(4, |item| item != sold_out);
/// let found = index.search(&[1.0, 0.2], 2, Some(&admit))?;
/// assert_eq!(found.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [3, 2]);
/// # Ok::<(), recommender::RecommenderError>(())
/// ```
#[derive(Debug)]
pub struct ItemIndex {
    rows: DenseRows,
    /// Beyond the size up to which every item is looked at.
    graph: Option<Hnsw>,
}

impl ItemIndex {
    /// Takes in the items' vectors; with more than `exact_up_to` of them it builds the graph, on one thread.
    ///
    /// The graph holds the vectors a second time, and building it takes as long as tens of thousands of scans and
    /// more: `hawker bench retrieval` measures both.
    ///
    /// # Shapes
    /// vectors [N, D] in row-major order, D `columns`; item n is row n.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] for settings outside their range, [`RecommenderError::Nn`] for a number that is NaN
    /// or beyond ±1e15, by its row and column, and for numbers that are no multiple of the columns.
    pub fn new(
        vectors: &[f32],
        columns: usize,
        settings: &RetrievalSettings,
    ) -> Result<Self, RecommenderError> {
        settings.check()?;
        let rows = DenseRows::new(vectors, columns)?;
        let graph = if rows.rows() > settings.exact_up_to {
            Some(Hnsw::build(vectors, columns, settings)?)
        } else {
            None
        };
        Ok(Self { rows, graph })
    }

    /// The number of items.
    pub fn items(&self) -> usize {
        self.rows.rows()
    }

    /// Whether every item is looked at, so that nothing can be missed.
    pub fn is_exact(&self) -> bool {
        self.graph.is_none()
    }

    /// Bytes of what is searched in.
    pub fn bytes(&self) -> usize {
        let rows = size_of::<f32>() * self.rows.rows() * self.rows.columns();
        rows + self.graph.as_ref().map_or(0, Hnsw::bytes)
    }

    /// The k items of largest inner product with the query among those that the mask admits, best first, ties by
    /// ascending item; fewer where fewer are admitted. A graph may miss some, but never returns fewer.
    ///
    /// # Shapes
    /// query [D], `admit` one bit an item.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] for a query with NaN or of other columns, and for a mask of other rows.
    pub fn search(
        &self,
        query: &[f32],
        k: usize,
        admit: Option<&RowMask>,
    ) -> Result<Vec<(u32, f32)>, RecommenderError> {
        self.rows.check_query(query)?;
        match self.walk(query, k, admit)? {
            Some(found) => Ok(found),
            None => Ok(self.scan(query, k, admit)?.pop().unwrap_or_default()),
        }
    }

    /// As [`ItemIndex::search`] for several queries under one mask; a scan then looks at each item once for many of them.
    ///
    /// # Shapes
    /// queries [B, D] in row-major order → B lists.
    ///
    /// # Errors
    /// Those of [`ItemIndex::search`].
    pub fn search_all(
        &self,
        queries: &[f32],
        k: usize,
        admit: Option<&RowMask>,
    ) -> Result<Vec<Vec<(u32, f32)>>, RecommenderError> {
        if self.is_exact() {
            return self.scan(queries, k, admit);
        }
        let queries = queries.par_chunks(self.rows.columns());
        queries.map(|query| self.search(query, k, admit)).collect()
    }

    fn scan(
        &self,
        queries: &[f32],
        k: usize,
        admit: Option<&RowMask>,
    ) -> Result<Vec<Vec<(u32, f32)>>, RecommenderError> {
        let found = self.rows.top_k(queries, k, admit)?.into_iter();
        Ok(found
            .map(|hits| hits.into_iter().map(|hit| (hit.row, hit.score)).collect())
            .collect())
    }

    /// The answer of the graph, or nothing where the scan is to answer.
    fn walk(
        &self,
        query: &[f32],
        k: usize,
        admit: Option<&RowMask>,
    ) -> Result<Option<Vec<(u32, f32)>>, RecommenderError> {
        let items = self.items();
        if let Some(mask) = admit.filter(|mask| mask.rows() != items) {
            return Err(RecommenderError::Nn(NnError::Shape {
                operation: "item index",
                expected: format!("a mask of {items} items"),
                got: mask.rows().to_string(),
            }));
        }
        let admitted = admit.map_or(items, RowMask::allowed);
        let is_wide = admitted as f64 >= WALKED_SHARE * items as f64;
        let Some(graph) = self
            .graph
            .as_ref()
            .filter(|_| is_wide && k > 0 && k < admitted)
        else {
            return Ok(None);
        };
        let found = graph.search(query, k, admit)?;
        if found.len() < k {
            return Ok(None);
        }
        let score = |item: u32| (item, self.rows.score_row(item as usize, query));
        let mut found: Vec<(u32, f32)> = found.into_iter().map(score).collect();
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(Some(found))
    }
}

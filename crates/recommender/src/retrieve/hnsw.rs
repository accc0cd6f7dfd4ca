use nn::scan::RowMask;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::RetrievalSettings;
use crate::RecommenderError;

/// Searches that may run at the same time; each has buffers of its own, which grow as it is used.
const SIMULTANEOUS: usize = 1024;

/// A graph over the items, along which a search walks towards those with the largest inner products.
///
/// Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
/// Small World graphs", 2018, as the library `usearch` has it. How this differs from the paper: nearness is the inner
/// product, which is no metric, and items that a mask forbids are walked over without being returned.
///
/// Inner products of vectors of different lengths make a worse graph than directions do, and more links an item make up
/// for most of that. The known remedy, one more column that makes all vectors equally long (Bachrach et al., "Speeding
/// Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Retrieval", 2014), was tried: where
/// lengths vary, recall fell by half, since most items then differ by that column alone.
///
/// One thread adds the items in their order, and the levels of the graph come from a generator with a fixed seed, so the
/// same vectors give the same graph. The library is built without run-time dispatch over processors, whose sums would
/// differ by the processor.
pub(super) struct Hnsw {
    index: Index,
}

impl Hnsw {
    /// Builds the graph.
    ///
    /// # Shapes
    /// values [N, D] in row-major order, D `columns`, all finite.
    ///
    /// # Errors
    /// [`RecommenderError::Index`] where memory is short.
    pub(super) fn build(
        values: &[f32],
        columns: usize,
        settings: &RetrievalSettings,
    ) -> Result<Self, RecommenderError> {
        let options = IndexOptions {
            dimensions: columns,
            metric: MetricKind::IP,
            quantization: ScalarKind::F32,
            connectivity: settings.connectivity,
            expansion_add: settings.expansion_add,
            expansion_search: settings.expansion_search,
            multi: false,
        };
        let items = values.len() / columns;
        let index = Index::new(&options).map_err(fault)?;
        index
            .reserve_capacity_and_threads(items, 1)
            .map_err(fault)?;
        for (item, vector) in (0u64..).zip(values.chunks_exact(columns)) {
            index.add(item, vector).map_err(fault)?;
        }
        // Levels are drawn by the one slot that added; the further ones only search.
        let slots = SIMULTANEOUS;
        index
            .reserve_capacity_and_threads(items, slots)
            .map_err(fault)?;
        Ok(Self { index })
    }

    /// Up to k items near a query, best first as far as single precision of the library's own sums tells.
    ///
    /// # Errors
    /// [`RecommenderError::Index`] where memory is short, or more than 1,024 searches run at the same time.
    pub(super) fn search(
        &self,
        query: &[f32],
        k: usize,
        admit: Option<&RowMask>,
    ) -> Result<Vec<u32>, RecommenderError> {
        let found = match admit {
            None => self.index.search(query, k),
            Some(mask) => {
                let admits = |key: u64| mask.allows(key as usize);
                self.index.filtered_search(query, k, admits)
            }
        };
        Ok(found
            .map_err(fault)?
            .keys
            .into_iter()
            .map(|key| key as u32)
            .collect())
    }

    /// Bytes of the graph and its copy of the vectors.
    pub(super) fn bytes(&self) -> usize {
        self.index.memory_usage()
    }
}

impl std::fmt::Debug for Hnsw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hnsw")
            .field("items", &self.index.size())
            .finish_non_exhaustive()
    }
}

fn fault(error: impl std::fmt::Display) -> RecommenderError {
    RecommenderError::Index {
        detail: error.to_string(),
    }
}

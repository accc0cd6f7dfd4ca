//! From scores or vectors to a list of items: the best of all scores, a search among vectors, a share that explores.

mod explore;
mod hnsw;
mod index;
mod top_k;

#[cfg(test)]
mod tests;

pub use explore::{Place, explore};
pub use index::{ItemIndex, RetrievalSettings};
pub use top_k::top_k;

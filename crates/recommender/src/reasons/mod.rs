//! Why a product is recommended, so that a person can read it.
//!
//! [`UserModel::reasons`](crate::user_model::UserModel::reasons) splits the score of one item into what each past event,
//! the popularity and the shopper's own past say ([`Reasons`]); [`in_words`] makes a sentence of it. [`shapley`] does
//! the same for any function of a few numbers, such as a blend's components or a policy's features.
//!
//! ```
//! use recommender::reasons::shapley;
//!
//! // A discount counts only for those who opened the message.
//! let clicks = |x: &[f64]| 0.1 + 0.2 * x[0] * x[1];
//! let reasons = shapley(clicks, &[1.0, 1.0], &[vec![0.0, 0.0]])?;
//! assert!((reasons.base - 0.1).abs() < 1e-12);
//! assert!(reasons.values.iter().all(|value| (value - 0.1).abs() < 1e-12));
//! # Ok::<(), recommender::RecommenderError>(())
//! ```

mod integrated_gradients;
mod shapley;
mod words;

pub use crate::user_model::{EventReason, FieldReasons, Reasons};
pub use shapley::{MOST_FEATURES, Shapley, shapley};
pub use words::in_words;

pub(crate) use integrated_gradients::integrated_gradients;

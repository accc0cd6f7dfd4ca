//! The count models and the matrix factorisation that the user model is measured against.

mod als;
mod als_solve;
mod count_model;
mod item_knn;
mod newest;
mod popular;
mod repeats;
mod seasonal;
mod standard;
mod transitions;

pub use als::{ImplicitAls, ImplicitAlsSettings};
pub use count_model::{CountModel, CountModelSettings};
pub use item_knn::{ItemKnn, ItemKnnSettings};
pub use newest::Newest;
pub use popular::Popular;
pub use repeats::OwnRepeats;
pub use seasonal::Seasonal;
pub use standard::BaselineSettings;
pub use transitions::{Transitions, TransitionsSettings};

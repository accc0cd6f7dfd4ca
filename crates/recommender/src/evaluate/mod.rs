//! The comparison of scorers on a held-out window.

mod bootstrap;
mod run;
mod table;

pub use run::{EvaluateSettings, evaluate};
pub use table::{Difference, Estimate, Evaluation, EvaluationTable, Row, RowKind};

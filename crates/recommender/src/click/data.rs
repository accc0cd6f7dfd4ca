use nn::generator;
use rand::seq::SliceRandom;

use super::examples::Examples;
use super::features::Features;
use super::table::Table;
use crate::RecommenderError;

/// Parts of a table that are not learnt from, as shares of its rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// What tells when to stop.
    pub validation: f64,
    /// What the models are judged on; 0 where a table of its own is.
    pub test: f64,
}

impl Shares {
    /// 80 % to learn from, 10 % to stop by, 10 % to judge on.
    pub const WITH_TEST: Self = Self {
        validation: 0.1,
        test: 0.1,
    };
    /// 90 % to learn from, 10 % to stop by.
    pub const WITHOUT_TEST: Self = Self {
        validation: 0.1,
        test: 0.0,
    };
}

/// A table of impressions, shuffled, split and read by what its training part shows.
#[derive(Debug, Clone)]
pub struct ClickData {
    /// What the columns became.
    pub features: Features,
    /// What the models learn from.
    pub training: Examples,
    /// What tells when to stop.
    pub validation: Examples,
    /// What the models are judged on; empty where its share is 0.
    pub test: Examples,
}

impl ClickData {
    /// Splits a table, whose column `label` says which impressions were clicked.
    ///
    /// # Errors
    /// [`RecommenderError::TableLine`] for the first cell that is no label or no finite number among numbers and for a
    /// missing label; [`RecommenderError::Table`] where there are too few rows or nothing to learn from.
    pub fn new(
        table: &Table,
        label: &str,
        shares: Shares,
        seed: u64,
    ) -> Result<Self, RecommenderError> {
        let labels = table.labels(label)?;
        let mut rows: Vec<usize> = (0..table.len()).collect();
        rows.shuffle(&mut generator(seed, "click split", 0));
        let count = |share: f64| (share * rows.len() as f64).round() as usize;
        let (validation, test) = (count(shares.validation), count(shares.test));
        let (test, rest) = rows.split_at(test);
        let (validation, training) = rest.split_at(validation);
        check_part("training", &labels, training)?;
        check_part("validation", &labels, validation)?;
        if shares.test > 0.0 {
            check_part("test", &labels, test)?;
        }
        let features = Features::fit(table, label, training)?;
        let all = features.examples(table)?;
        Ok(Self {
            training: all.part(training),
            validation: all.part(validation),
            test: all.part(test),
            features,
        })
    }
}

/// Verifies that a part holds both labels; without them nothing is learnt and no curve has an area.
fn check_part(name: &str, labels: &[bool], part: &[usize]) -> Result<(), RecommenderError> {
    let (rows, clicks) = (part.len(), part.iter().filter(|row| labels[**row]).count());
    if clicks > 0 && clicks < rows {
        return Ok(());
    }
    Err(RecommenderError::Table {
        problem: format!("the {name} part holds {clicks} clicks in {rows} rows"),
        remedy: "give more rows, so that each part has some with a click and some without",
    })
}

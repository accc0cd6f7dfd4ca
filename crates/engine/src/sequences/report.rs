use recommender::Row;
use recommender::user_model::UserModelConfig;
use serde::{Deserialize, Serialize};

/// What `hawker evaluate` prints for a public set of sequences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceReport {
    /// Name of the data.
    pub dataset: String,
    /// Shoppers whose last item was to be guessed.
    pub shoppers: usize,
    /// Items that were ranked.
    pub items: usize,
    /// Interactions of all shoppers, the held-out ones included.
    pub interactions: usize,
    /// Items that the file of items does not describe.
    pub undescribed: usize,
    /// Seeds of each learnt row, which is their mean.
    pub seeds: u64,
    /// Settings of the user model, but for encoder and seed.
    pub settings: UserModelConfig,
    /// Published figures, baselines, models and blends.
    pub rows: Vec<Row>,
    /// What fitting took.
    pub fits: Vec<SequenceFit>,
}

/// One model's fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SequenceFit {
    /// The model's name in the table.
    pub model: String,
    /// Its seed, where it has one.
    pub seed: Option<u64>,
    /// Seconds that this run took; next to nothing where the model was there already.
    pub seconds: f64,
    /// Passes over the data.
    pub epochs: usize,
    /// The pass whose weights are kept.
    pub best_epoch: Option<u64>,
    /// Trainable numbers.
    pub parameters: Option<usize>,
}

impl SequenceReport {
    /// What was judged, in a line.
    pub fn heading(&self, cold_start: bool) -> String {
        let question = if cold_start {
            "a model that never met them is asked what new shoppers want next, and which new item"
        } else {
            "the last item of each shopper is guessed among all that the shopper never had, by models that do not know \
             the last two"
        };
        let mut heading = format!(
            "{} shoppers, {} items, {} interactions; {question}",
            self.shoppers, self.items, self.interactions
        );
        if !cold_start && self.seeds > 1 {
            let seeds = format!("; learnt rows are means of {} seeds", self.seeds);
            heading.push_str(&seeds);
        }
        if self.undescribed > 0 {
            let missing = format!("; {} items are not described", self.undescribed);
            heading.push_str(&missing);
        }
        heading
    }

    /// The rows as a Markdown table.
    pub fn table(&self) -> String {
        let mut table =
            String::from("| model | HR@10 | NDCG@10 | coverage@10 |\n|---|---|---|---|\n");
        for row in &self.rows {
            table.extend([format!("| {} |", row.model)]);
            for metric in ["hr@10", "ndcg@10", "coverage@10"] {
                match row.metrics.get(metric) {
                    Some(estimate) => table.extend([format!(" {estimate} |")]),
                    None => table.push_str(" – |"),
                }
            }
            table.push('\n');
        }
        table
    }

    /// What fitting took, a line a model.
    pub fn times(&self) -> String {
        let line = |fit: &SequenceFit| {
            let seed = fit
                .seed
                .map_or_else(String::new, |seed| format!(", seed {seed}"));
            let epochs = match fit.epochs {
                0 => String::new(),
                epochs => format!(", {epochs} epochs"),
            };
            format!("{}{seed}: {:.0} s{epochs}\n", fit.model, fit.seconds)
        };
        self.fits.iter().map(line).collect()
    }
}

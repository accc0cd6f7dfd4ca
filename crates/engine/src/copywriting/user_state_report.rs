use std::fmt::Write;

use bandit::Interval;
use serde::{Deserialize, Serialize};

use super::user_states::UserStateSettings;

/// Characters of a shopper's own text that are shown beside what was written for them.
const SHOWN_CHARACTERS: usize = 240;

/// Whether the user state matters to held-out texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserStateReport {
    /// Name of the set.
    pub dataset: String,
    /// `validation` or `test`.
    pub part: String,
    /// Texts to learn from; those that are too long were left out.
    pub learnt: usize,
    /// Texts that were judged.
    pub judged: usize,
    /// Shoppers who wrote them.
    pub shoppers: usize,
    /// Held-out texts of shoppers who had done nothing before.
    pub without_past: usize,
    /// Held-out texts that are longer than the model reads.
    pub too_long: usize,
    /// Tokens of the judged texts.
    pub tokens: usize,
    /// The most by which the own state could be below another's for whoever knew all that there is to know, where the shoppers
    /// are simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
    /// One row a kind of state.
    pub rows: Vec<StateRow>,
    /// Trainable numbers of language model and encoder.
    pub parameters: usize,
    /// Passes over the data, and the one whose weights are kept.
    pub epochs: (usize, Option<u64>),
    /// Minutes that this run trained both together; next to nothing where they were there already.
    pub training_minutes: f64,
    /// Texts for the same facts and different shoppers.
    pub samples: Vec<StateSample>,
    /// The settings.
    pub settings: UserStateSettings,
}

/// Held-out texts under one kind of state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateRow {
    /// Whose state.
    pub state: String,
    /// Perplexity of a token.
    pub perplexity: f64,
    /// The share by which the perplexity under the own states is below this one, with a 95 % interval over shoppers.
    pub own_is_below: Interval,
    /// The share of the texts that are likelier under the own state than under this one.
    pub own_is_closer: f64,
}

/// A text that was written for a shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSample {
    /// The facts, as `name=value`.
    pub facts: Vec<String>,
    /// What the shopper wrote, perhaps about something else.
    pub wrote: String,
    /// The text.
    pub text: String,
}

impl UserStateReport {
    /// What was judged, in a line or two.
    pub fn heading(&self) -> String {
        let most = self.most.map_or_else(String::new, |most| {
            format!(
                " Who knew of the shoppers what the simulator does would be {:.2} % below another's state.",
                100.0 * most
            )
        });
        let heading = format!(
            "{}, {}: {} texts of {} shoppers, {} tokens; {} had no past, {} were too long. {} texts to learn from, but those too long; {} numbers, {} epochs, {:.1} min.",
            self.dataset,
            self.part,
            self.judged,
            self.shoppers,
            self.tokens,
            self.without_past,
            self.too_long,
            self.learnt,
            self.parameters,
            self.epochs.0,
            self.training_minutes
        );
        heading + &most
    }

    /// A table of the rows.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| state | perplexity | own state is below it by | texts for which it is |\n|---|---|---|---|\n",
        );
        for row in &self.rows {
            let below = row.own_is_below;
            let percent = |share: f64| 100.0 * share;
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {} | {:.2} | {:.2} % [{:.2}, {:.2}] | {:.1} % |",
                row.state,
                row.perplexity,
                percent(below.value),
                percent(below.low),
                percent(below.high),
                percent(row.own_is_closer)
            );
        }
        table
    }

    /// The samples, those of the same facts together.
    pub fn samples_text(&self) -> String {
        let mut text = String::new();
        let mut facts: Option<&Vec<String>> = None;
        for sample in &self.samples {
            if facts != Some(&sample.facts) {
                let _ = writeln!(text, "\n{}", sample.facts.join(", "));
                facts = Some(&sample.facts);
            }
            let wrote: String = sample.wrote.chars().take(SHOWN_CHARACTERS).collect();
            let _ = writeln!(
                text,
                "  for the shopper who wrote: {wrote}\n    {}",
                sample.text
            );
        }
        text
    }
}

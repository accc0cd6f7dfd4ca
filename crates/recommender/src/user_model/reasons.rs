//! What the score of one item is made of, down to the single event of a shopper's history.

use nn::{Device, NnError, Pass, Tensor};
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::encoder::EncoderKind;
use super::history::History;
use super::model::UserModel;
use super::network::ItemTable;
use super::window::Window;
use crate::reasons::integrated_gradients;
use crate::{Interaction, RecommenderError};

/// Share of the path at which a normalised layer turns, compared to what it reads: its ε is 0.001² beside a mean square.
const SHARE_A_NORM: f64 = 1e-3;
/// Share of the path below which nothing turns in single precision.
const LEAST_SHARE: f64 = 1e-24;
/// Points for each step of a perceptron, whose rectified units bend the path; they cost little.
const POINTS_OF_MLP: usize = 16;

/// Why one item has its score for one shopper.
///
/// The score is `events` + `start` + `baseline` + `residual` (together the taste) + `popularity` + `own_past`. The
/// taste is given a second time as the sum of `fields`. All are in the units of the score, whose differences between
/// items are logarithms of odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reasons {
    /// The item.
    pub item: u32,
    /// Its score.
    pub score: f32,
    /// What each event that the model reads contributed, in the order of the history; a line that an order repeats is
    /// read once, and what lies further back than `max_length` events is not read.
    pub events: Vec<EventReason>,
    /// What the token that opens every history contributed.
    pub start: f32,
    /// The taste where nothing at all is read: what is known from the time since the latest event alone.
    pub baseline: f32,
    /// What the contributions of the events and the start lack, because their integral is a sum of few steps.
    pub residual: f32,
    /// What the shop's recent sales say.
    pub popularity: f32,
    /// What they say of the shop's average item, which tells whether `popularity` is much or little.
    pub average_popularity: f32,
    /// What the shopper's own purchases of this very item say, beside the taste; 0 where there are none.
    pub own_past: f32,
    /// How the taste divides over what is known of the item.
    pub fields: FieldReasons,
}

/// How much one past event contributed to an item's score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EventReason {
    /// Position in the history that was given.
    pub position: usize,
    /// The item of the event.
    pub item: u32,
    /// Its part of the score; below 0 where it spoke against the item.
    pub contribution: f32,
}

/// How the taste for an item divides over what its vector is a sum of; exact.
///
/// A field that the item does not have, such as a brand, still has a vector, which stands for "none".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FieldReasons {
    /// The item's own vector: what only its own sales could teach.
    pub own: f32,
    /// Its title.
    pub title: f32,
    /// Its category.
    pub category: f32,
    /// Its brand.
    pub brand: f32,
    /// Its price band.
    pub price_band: f32,
}

impl Reasons {
    /// What the shopper's interactions say: state · item.
    pub fn taste(&self) -> f32 {
        let events = self.events.iter().map(|event| event.contribution);
        events.sum::<f32>() + self.start + self.baseline + self.residual
    }
}

impl FieldReasons {
    /// The taste that the fields divide.
    pub fn taste(&self) -> f32 {
        self.own + self.title + self.category + self.brand + self.price_band
    }
}

impl UserModel {
    /// Why an item has its score for a shopper at `now_s` (Unix seconds): what each event contributed, by integrated
    /// gradients along `steps` points, and what else the score is made of.
    ///
    /// The path goes from nothing read to what the encoder reads of each token (item + kind + gap). With one layer, 64
    /// steps leave a residual below a thousandth of the scores' range; two Transformer blocks need more. The residual
    /// tells what fewer steps cost.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] for 0 steps, and [`RecommenderError::Nn`] where an item is beyond the corpus.
    pub fn reasons(
        &self,
        history: &[Interaction],
        now_s: i64,
        item: u32,
        steps: usize,
    ) -> Result<Reasons, RecommenderError> {
        if steps == 0 {
            return Err(RecommenderError::Setting {
                field: "steps",
                value: steps.to_string(),
                expected: "at least 1",
            });
        }
        Ok(self.split(history, now_s, item, steps)?)
    }

    fn split(
        &self,
        history: &[Interaction],
        now_s: i64,
        item: u32,
        steps: usize,
    ) -> Result<Reasons, NnError> {
        let past = History::new(history, self.config.repeat_purchases);
        let window = Window::answering(&past, self.catalogue.len(), self.config.max_length, now_s);
        let batch = self.batch_of(&window, 1)?;
        let inputs = self.network.token_inputs(&batch, self.table())?.detach();
        let only = ItemTable {
            outputs: self.table().outputs.narrow(0, item as usize, 1)?,
            ..self.table().detach()
        };
        // [S, T, D] → [S]
        let taste = |inputs: &Tensor| -> Result<Tensor, NnError> {
            let batch = self.batch_of(&window, inputs.dim(0)?)?;
            let states = self.network.read(inputs, &batch, &mut Pass::Infer)?;
            Ok(self.network.taste(&states, &only)?.squeeze(1)?)
        };
        let number = |tastes: Tensor| -> Result<f32, NnError> { Ok(tastes.get(0)?.to_scalar()?) };
        let (whole, baseline) = (number(taste(&inputs)?)?, taste(&inputs.zeros_like()?)?);
        let baseline = number(baseline)?;
        let points = match self.config.encoder {
            EncoderKind::Mlp => POINTS_OF_MLP * steps,
            _ => steps,
        };
        let parts = integrated_gradients(&inputs.squeeze(0)?, self.knee(), points, taste)?;
        let residual = f64::from(whole) - f64::from(baseline) - parts.iter().sum::<f64>();
        let states = self.network.read(&inputs, &batch, &mut Pass::Infer)?;
        let (popularity, average_popularity, own_past) =
            self.beside_taste(&batch, &states, item)?;
        // The first part is the start's, the others those of the history's latest tokens.
        let unread = past.tokens.len() + 1 - parts.len();
        let read = past.positions[unread..].iter().zip(&parts[1..]);
        let events = read.map(|(position, part)| EventReason {
            position: *position,
            item: history[*position].item,
            contribution: *part as f32,
        });
        Ok(Reasons {
            item,
            score: whole + popularity + own_past,
            events: events.collect(),
            start: parts[0] as f32,
            baseline,
            residual: residual as f32,
            popularity,
            average_popularity,
            own_past,
            fields: self.field_reasons(&states, item)?,
        })
    }

    /// The share of the path within which the encoder turns from nothing into directions.
    ///
    /// A layer that normalises raises what is near the origin some thousandfold, and the next one turns at a share that
    /// much smaller.
    fn knee(&self) -> f64 {
        let layers = i32::try_from(self.config.layers).unwrap_or(i32::MAX / 2);
        let norms = match self.config.encoder {
            EncoderKind::Transformer => 2 * layers,
            EncoderKind::Gru | EncoderKind::Lstm => layers,
            EncoderKind::Mlp => 0,
        };
        SHARE_A_NORM.powi(norms).max(LEAST_SHARE)
    }

    /// A window, `count` times over.
    fn batch_of(&self, window: &Window, count: usize) -> Result<Batch, NnError> {
        let windows = vec![window.clone(); count];
        Batch::new(
            &windows,
            &self.popularity,
            self.catalogue.len(),
            &Device::Cpu,
        )
    }

    /// The popularity part of an item's score, its mean over all items, and the own past.
    fn beside_taste(
        &self,
        batch: &Batch,
        states: &Tensor,
        item: u32,
    ) -> Result<(f32, f32, f32), NnError> {
        let shape = (1, self.catalogue.len());
        let nothing = Tensor::zeros(shape, states.dtype(), states.device())?;
        let pick = |scores: &Tensor| -> Result<f32, NnError> {
            Ok(scores.get(0)?.get(item as usize)?.to_scalar()?)
        };
        let popularity = self
            .network
            .add_crowd(&nothing, batch, states, self.table())?;
        let own_past = self.network.add_own_past(nothing, batch, states)?;
        let average = popularity.mean_all()?.to_scalar()?;
        Ok((pick(&popularity)?, average, pick(&own_past)?))
    }

    /// State · each summand of the item's vector, all divided by what scores divide the whole vector by.
    fn field_reasons(&self, states: &Tensor, item: u32) -> Result<FieldReasons, NnError> {
        let only = self.catalogue.part(&[item])?;
        let fields = self.network.item_fields(&only, only.known.clone())?;
        // [5, D]
        let fields = Tensor::cat(&fields, 0)?;
        let scaled = match self.network.lengths(&fields.sum_keepdim(0)?)? {
            Some(length) => fields.broadcast_div(&length)?,
            None => fields,
        };
        let parts = self.network.aims(states)?.matmul(&scaled.t()?)?;
        let parts: Vec<f32> = parts.squeeze(0)?.to_vec1()?;
        Ok(FieldReasons {
            own: parts[0],
            title: parts[1],
            category: parts[2],
            brand: parts[3],
            price_band: parts[4],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_model::UserModelConfig;
    use crate::user_model::tests::{
        DAY_S, after, finished, for_sequences, habitual_shop, small, train_on,
    };
    use crate::{Corpus, Scorer};

    fn trained(corpus: &Corpus, config: &UserModelConfig) -> UserModel {
        let folder = tempfile::tempdir().expect("a temporary folder");
        finished(train_on(corpus, config, folder.path())).0
    }

    fn close(found: f32, expected: f32, tolerance: f32, what: &str) {
        let error = (found - expected).abs();
        assert!(error <= tolerance, "{what}: {found} is not {expected}");
    }

    /// Parts against scores for some shoppers and items; the largest residual as a share of the scores' range.
    fn largest_residual(model: &UserModel, corpus: &Corpus, steps: usize) -> f32 {
        let (mut largest, now_s) = (0f32, 9 * DAY_S);
        for sequence in &corpus.sequences[..6] {
            let history = &sequence.interactions;
            let scores = model.scores(&[history], now_s).expect("scores").remove(0);
            let (low, high) = scores
                .iter()
                .fold((f32::MAX, f32::MIN), |(l, h), s| (l.min(*s), h.max(*s)));
            for item in [history[0].item, after(history[history.len() - 1].item)] {
                let reasons = model.reasons(history, now_s, item, steps).expect("reasons");
                let parts = model.score_parts(history, now_s, &[item]).expect("parts")[0];
                close(reasons.score, scores[item as usize], 1e-4, "score");
                close(reasons.taste(), parts.taste, 1e-4, "taste");
                close(reasons.fields.taste(), parts.taste, 1e-4, "fields");
                close(reasons.popularity, parts.popularity, 1e-4, "popularity");
                close(reasons.own_past, parts.own_past, 1e-4, "own past");
                largest = largest.max(reasons.residual.abs() / (high - low));
            }
        }
        largest
    }

    #[test]
    fn parts_sum_to_the_score_for_every_encoder() {
        let mut corpus = habitual_shop(60, 7);
        corpus.brands = vec!["acme".to_owned()];
        corpus.items[3].brand = Some(0);
        for encoder in EncoderKind::ALL {
            let inner = UserModelConfig { encoder, ..small() };
            let cosine = UserModelConfig {
                temperature: 0.1,
                ..for_sequences(encoder)
            };
            for config in [inner, cosine] {
                let model = trained(&corpus, &config);
                let residuals = [4, 64].map(|steps| largest_residual(&model, &corpus, steps));
                assert!(residuals[1] < 1e-3, "{encoder}: {residuals:?}");
            }
        }
    }

    #[test]
    fn the_event_that_the_item_follows_gets_the_credit() {
        let corpus = habitual_shop(160, 7);
        for encoder in EncoderKind::ALL {
            let config = UserModelConfig {
                encoder,
                epochs: 24,
                patience: 24,
                ..small()
            };
            let model = trained(&corpus.before(6 * DAY_S), &config);
            let mut right = 0;
            let shoppers = &corpus.sequences[..60];
            for sequence in shoppers {
                let history = &sequence.interactions[..6];
                let next = after(history[5].item);
                let reasons = model.reasons(history, 6 * DAY_S, next, 32);
                let events = reasons.expect("reasons").events;
                let most = events
                    .iter()
                    .max_by(|a, b| a.contribution.total_cmp(&b.contribution));
                right += usize::from(most.map(|event| event.position) == Some(5));
            }
            let share = right as f64 / shoppers.len() as f64;
            assert!(share > 0.9, "{encoder}: the latest event leads for {share}");
        }
    }

    #[test]
    fn events_are_told_by_their_position_and_the_oldest_are_not_read() {
        let corpus = habitual_shop(20, 6);
        let model = UserModel::untrained(&corpus, &small()).expect("a good corpus");
        // A repeated line of an order is one token.
        let mut history: Vec<Interaction> = (0..10u32)
            .map(|n| Interaction {
                at_s: i64::from(n) * DAY_S,
                order: Some(n),
                ..corpus.sequences[n as usize].interactions[0]
            })
            .collect();
        history.insert(10, history[9]);
        let reasons = model.reasons(&history, 12 * DAY_S, 3, 8).expect("reasons");
        let positions: Vec<usize> = reasons.events.iter().map(|e| e.position).collect();
        assert_eq!(positions, [2, 3, 4, 5, 6, 7, 8, 9]);
        for event in &reasons.events {
            assert_eq!(event.item, history[event.position].item);
        }
        let nothing = model.reasons(&[], 12 * DAY_S, 3, 8).expect("reasons");
        assert!(nothing.events.is_empty());
        let scores = model.scores(&[&[]], 12 * DAY_S).expect("scores");
        close(nothing.score, scores[0][3], 1e-5, "score");
    }

    #[test]
    fn bad_questions_are_refused() {
        let corpus = habitual_shop(20, 6);
        let model = UserModel::untrained(&corpus, &small()).expect("a good corpus");
        let history = &corpus.sequences[0].interactions;
        let message = model.reasons(history, DAY_S, 3, 0).expect_err("no steps");
        assert_eq!(message.to_string(), "`steps` is 0; expected at least 1");
        assert!(model.reasons(history, DAY_S, 99, 8).is_err());
    }
}

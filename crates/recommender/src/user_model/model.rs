use std::path::Path;

use nn::{Device, NnError, Pass, Tensor, TensorFile};
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::config::UserModelConfig;
use super::history::History;
use super::network::{ItemTable, Network};
use super::popularity::Popularity;
use super::update::padded;
use super::vocabulary::{Catalogue, Vocabulary};
use super::window::Window;
use crate::{Corpus, Interaction, RecommenderError, Scorer};

/// Format of the saved files; it grows when an older version could not read them.
const FORMAT: u32 = 2;
/// Beginning of the name of the file of weights.
const WEIGHTS: &str = "model";
const DESCRIPTION: &str = "model.json";
/// Shoppers that are encoded together when answering.
const ANSWER_BATCH: usize = 64;

/// The user model: a causal Transformer from a shopper's interactions to a state, and from the state to products and
/// interests.
///
/// An order's lines see each other and everything before ("block-causal"); the mean over the latest order, with the
/// time since, is the shopper's state. An item is its own vector + category + brand + price band + projected title, so
/// a product without history has a place. The score of an item is state · item + a learnt mix of the shop's recent
/// popularity + a learnt bonus for what the shopper bought before.
///
/// Source: Kang and `McAuley`, "Self-Attentive Sequential Recommendation", 2018. How this differs from the paper: the
/// target is the set of products of the next order under a full softmax, not one item against one sampled negative;
/// items carry fields and text; positions are rotary and count orders, not lines; popularity and own past enter the
/// score as features; interests and purchases are learnt beside (multi-task).
#[derive(Debug)]
pub struct UserModel {
    pub(super) config: UserModelConfig,
    pub(super) vocabulary: Vocabulary,
    pub(super) network: Network,
    pub(super) catalogue: Catalogue,
    pub(super) popularity: Popularity,
    /// Each item's share of the corpus' purchases [V].
    pub(super) target_shares: Vec<f32>,
    /// The items' vectors under the present weights.
    table: ItemTable,
}

/// What a shopper is likely to be interested in next, each list best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Interests {
    /// Categories by their name.
    pub categories: Vec<Interest<String>>,
    /// Brands by their name.
    pub brands: Vec<Interest<String>>,
    /// Price bands, 0 the cheapest.
    pub price_bands: Vec<Interest<u32>>,
}

/// The exact decomposition of one item's score: the three sum to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreParts {
    /// State · item: what the shopper's interactions say.
    pub taste: f32,
    /// What the shop's recent sales say.
    pub popularity: f32,
    /// What the shopper's own purchases of this item say; 0 where there are none.
    pub own_past: f32,
}

/// One interest label with its probability among the labels of its field.
#[derive(Debug, Clone, PartialEq)]
pub struct Interest<L> {
    /// The label.
    pub label: L,
    /// Probability in [0, 1]; those of a field sum to 1.
    pub probability: f32,
}

#[derive(Serialize, Deserialize)]
struct Description {
    format: u32,
    config: UserModelConfig,
    vocabulary: Vocabulary,
    weights: TensorFile,
}

impl Description {
    fn read(folder: &Path) -> Result<Self, NnError> {
        let path = folder.join(DESCRIPTION);
        let description: Self = nn::read_checked_json(&path)?;
        if description.format != FORMAT {
            return Err(NnError::Format {
                path,
                found: description.format,
                expected: FORMAT,
            });
        }
        Ok(description)
    }
}

impl UserModel {
    /// Makes an untrained model for a corpus.
    pub(super) fn untrained(
        corpus: &Corpus,
        config: &UserModelConfig,
    ) -> Result<Self, RecommenderError> {
        config.check()?;
        Self::build(corpus, config.clone(), Vocabulary::of(corpus))
    }

    fn build(
        corpus: &Corpus,
        config: UserModelConfig,
        vocabulary: Vocabulary,
    ) -> Result<Self, RecommenderError> {
        if corpus.items.is_empty() {
            return Err(RecommenderError::Empty {
                what: "the catalogue",
                remedy: "import products or orders first",
            });
        }
        corpus.check()?;
        let network = Network::new(&config, &vocabulary)?;
        let catalogue = Catalogue::new(corpus, &vocabulary, config.text_buckets)?;
        let popularity = Popularity::new(
            corpus,
            &config.popularity_half_lives_days,
            config.popularity_step_days,
        );
        let table = network.item_table(&catalogue, &mut Pass::Infer)?.detach();
        let mut target_shares = vec![0.0; corpus.items.len()];
        let one = 1.0 / corpus.purchases().count().max(1) as f32;
        for purchase in corpus.purchases() {
            target_shares[purchase.item as usize] += one;
        }
        Ok(Self {
            config,
            vocabulary,
            network,
            catalogue,
            popularity,
            target_shares,
            table,
        })
    }

    /// Loads a saved model to score the items of a corpus, which may have grown or be numbered anew since.
    ///
    /// Popularity is counted from this corpus, so give it everything that may be known.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where a file is missing, damaged or of another version, and what [`Corpus::check`]
    /// finds.
    pub fn load(folder: &Path, corpus: &Corpus) -> Result<Self, RecommenderError> {
        let description = Description::read(folder)?;
        let tensors = description.weights.read(folder, &Device::Cpu)?;
        let mut model = Self::build(corpus, description.config, description.vocabulary)?;
        model.network.store.restore(&tensors)?;
        model.refresh()?;
        Ok(model)
    }

    /// Loads a saved model with a row for every item, category, brand and price band of a corpus, those that it has not met
    /// being zeros; and a name for the weights that it was made of.
    ///
    /// # Errors
    /// Those of [`UserModel::load`].
    pub(super) fn grown(
        folder: &Path,
        corpus: &Corpus,
    ) -> Result<(Self, String), RecommenderError> {
        let description = Description::read(folder)?;
        let tensors = description.weights.read(folder, &Device::Cpu)?;
        let name = format!("{:?}", description.weights);
        let vocabulary = description.vocabulary.grown(corpus);
        let mut model = Self::build(corpus, description.config, vocabulary)?;
        let mut grown = model.network.store.snapshot()?;
        for (parameter, value) in tensors {
            let rows = match grown.get(&parameter) {
                Some(drawn) => drawn.dim(0).map_err(NnError::from)?,
                None => 0,
            };
            grown.insert(parameter, padded(&value, rows)?);
        }
        model.network.store.restore(&grown)?;
        model.refresh()?;
        Ok((model, name))
    }

    /// Saves the weights as `model-HASH.safetensors` and what is needed to read them as `model.json`.
    ///
    /// A crash at any moment leaves the model that was there before or the new one.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), RecommenderError> {
        std::fs::create_dir_all(folder).map_err(|e| NnError::io("create", folder, e))?;
        let tensors = self.network.store.snapshot()?;
        let description = Description {
            format: FORMAT,
            config: self.config.clone(),
            vocabulary: self.vocabulary.clone(),
            weights: TensorFile::write(folder, WEIGHTS, &tensors)?,
        };
        nn::write_checked_json(&folder.join(DESCRIPTION), &description)?;
        Ok(description.weights.remove_others(folder, WEIGHTS)?)
    }

    pub(super) fn table(&self) -> &ItemTable {
        &self.table
    }

    /// Computes the items' vectors anew after the weights have changed.
    pub(super) fn refresh(&mut self) -> Result<(), NnError> {
        let table = self.network.item_table(&self.catalogue, &mut Pass::Infer)?;
        self.table = table.detach();
        Ok(())
    }

    /// The settings of the model.
    pub fn config(&self) -> &UserModelConfig {
        &self.config
    }

    /// The number of trainable scalars.
    pub fn parameter_count(&self) -> usize {
        self.network.store.element_count()
    }

    /// The state of one shopper at `now_s` (Unix seconds), a vector of `width` numbers whose mean square is near 1.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where an interaction names an item beyond the corpus.
    pub fn user_state(
        &self,
        history: &[Interaction],
        now_s: i64,
    ) -> Result<Vec<f32>, RecommenderError> {
        let states = self.user_states(&[history], now_s)?;
        Ok(states.into_iter().next().unwrap_or_default())
    }

    /// The states of several shoppers; see [`UserModel::user_state`].
    ///
    /// # Shapes
    /// B histories → B vectors of D numbers.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where an interaction names an item beyond the corpus.
    pub fn user_states(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        self.answer(histories, now_s, |_, states| Ok(states.to_vec2()?))
    }

    /// The vector of every item, in the order of the corpus.
    ///
    /// # Shapes
    /// → V vectors of D numbers.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where memory is short.
    pub fn item_vectors(&self) -> Result<Vec<Vec<f32>>, RecommenderError> {
        Ok(self.table.vectors()?.to_vec2().map_err(NnError::from)?)
    }

    /// The `top` most probable categories, brands and price bands of a shopper's next order.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where an interaction names an item beyond the corpus.
    pub fn interests(
        &self,
        history: &[Interaction],
        now_s: i64,
        top: usize,
    ) -> Result<Interests, RecommenderError> {
        let answers = self.answer(&[history], now_s, |_, states| {
            let field = |field| -> Result<Vec<f32>, NnError> {
                let logits = self.network.label_logits(field, states)?;
                match logits {
                    Some(logits) => Ok(nn::softmax(&logits)?.flatten_all()?.to_vec1()?),
                    None => Ok(Vec::new()),
                }
            };
            Ok(vec![[field(0)?, field(1)?, field(2)?]])
        })?;
        let [categories, brands, bands] = answers.into_iter().next().unwrap_or_default();
        let names = &self.vocabulary;
        Ok(Interests {
            categories: best(&categories, top, |row| names.categories[row].clone()),
            brands: best(&brands, top, |row| names.brands[row].clone()),
            price_bands: best(&bands, top, |row| row as u32),
        })
    }

    /// The probability that a given product rather than one of another shopper's order is in the shopper's next
    /// order, for each of the products; empty for a model that did not learn it.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where an item is beyond the corpus.
    pub fn purchase_probabilities(
        &self,
        history: &[Interaction],
        now_s: i64,
        items: &[u32],
    ) -> Result<Vec<f32>, RecommenderError> {
        let answers = self.answer(&[history], now_s, |_, states| {
            let items = self
                .table
                .inputs
                .index_select(&Tensor::new(items, &Device::Cpu)?, 0)?;
            let states = states.broadcast_as(items.shape())?.contiguous()?;
            let logits = self.network.purchase_logits(&states, &items)?;
            let logits: Vec<f32> = logits.map_or(Ok(Vec::new()), |logits| logits.to_vec1())?;
            let sigmoid = |logit: &f32| 1.0 / (1.0 + (-logit).exp());
            Ok(vec![logits.iter().map(sigmoid).collect()])
        })?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// What the scores of some items are made of, for the explanation of a decision.
    ///
    /// # Errors
    /// [`RecommenderError::Nn`] where an item is beyond the corpus.
    pub fn score_parts(
        &self,
        history: &[Interaction],
        now_s: i64,
        items: &[u32],
    ) -> Result<Vec<ScoreParts>, RecommenderError> {
        self.answer(&[history], now_s, |batch, states| {
            let columns = Tensor::new(items, &Device::Cpu)?;
            let pick = |scores: Tensor| -> Result<Vec<f32>, NnError> {
                Ok(scores.squeeze(0)?.index_select(&columns, 0)?.to_vec1()?)
            };
            let taste = self.network.taste(states, &self.table)?;
            let nothing = taste.zeros_like()?;
            let taste = pick(taste)?;
            let popularity = pick(
                self.network
                    .add_crowd(&nothing, batch, states, &self.table)?,
            )?;
            let own_past = pick(self.network.add_own_past(nothing, batch, states)?)?;
            let parts = taste.into_iter().zip(popularity).zip(own_past);
            let parts = parts.map(|((taste, popularity), own_past)| ScoreParts {
                taste,
                popularity,
                own_past,
            });
            Ok(vec![parts.collect()])
        })
        .map(|mut parts| parts.pop().unwrap_or_default())
    }

    /// Encodes histories in batches and collects one answer each, in the order of the histories.
    pub(super) fn answer<A>(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
        read: impl Fn(&Batch, &Tensor) -> Result<Vec<A>, NnError>,
    ) -> Result<Vec<A>, RecommenderError> {
        let items = self.catalogue.len();
        // Histories of similar length go together, which saves most of the padding.
        let mut order: Vec<usize> = (0..histories.len()).collect();
        order.sort_by_key(|index| histories[*index].len());
        let mut answers = Vec::with_capacity(histories.len());
        for indices in order.chunks(ANSWER_BATCH) {
            let windows: Vec<Window> = indices
                .iter()
                .map(|index| {
                    let past = History::new(histories[*index], self.config.repeat_purchases);
                    Window::answering(&past, items, self.config.max_length, now_s)
                })
                .collect();
            let batch = Batch::new(&windows, &self.popularity, items, &Device::Cpu)?;
            let states = self.network.states(&batch, &self.table, &mut Pass::Infer)?;
            answers.extend(indices.iter().zip(read(&batch, &states.detach())?));
        }
        answers.sort_by_key(|(index, _)| **index);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }
}

impl Scorer for UserModel {
    fn name(&self) -> &'static str {
        "user-model"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        self.answer(histories, now_s, |batch, states| {
            let logits = self.network.logits(batch, states, &self.table)?;
            Ok(logits.to_vec2()?)
        })
    }
}

/// The most probable labels, best first, ties by position.
fn best<L>(probabilities: &[f32], top: usize, label: impl Fn(usize) -> L) -> Vec<Interest<L>> {
    let mut rows: Vec<usize> = (0..probabilities.len()).collect();
    rows.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    let interest = |row| Interest {
        label: label(row),
        probability: probabilities[row],
    };
    rows.into_iter().take(top).map(interest).collect()
}

//! The learnt part of the user model.

use std::sync::Arc;

use nn::losses::UncertaintyWeights;
use nn::{Device, Embedding, Init, Linear, Mlp, NnError, ParameterStore, Pass, RmsNorm, Tensor};
use rand::RngExt;

use super::batch::{Batch, OwnEntries};
use super::config::UserModelConfig;
use super::encoder::{Encoder, NORM_EPSILON};
use super::history::{GAP_BUCKETS, OWN_FEATURES, START_KIND};
use super::sampling::Chosen;
use super::vocabulary::{Catalogue, LABELS, Vocabulary};

/// Standard deviation of the tables' first values.
const TABLE_STD: f64 = 0.05;

/// The parameters of the user model and what they compute.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) store: ParameterStore,
    own_vectors: Embedding,
    label_tables: [Embedding; LABELS],
    text: Embedding,
    kinds: Embedding,
    gaps: Embedding,
    elapsed: Embedding,
    encoder: Encoder,
    norm: RmsNorm,
    crowd: Crowd,
    /// Where anything is bought again.
    own: Option<FeatureWeights>,
    label_heads: Vec<Option<Linear>>,
    /// Where it is learnt.
    purchase: Option<Mlp>,
    /// How much each of the tasks counts, where that is learnt.
    pub(super) task_weights: Option<UncertaintyWeights>,
    item_dropout: f64,
    temperature: f64,
    input_dropout: nn::Dropout,
}

/// What is computed of every item, or of those that a step needs, before anything of a shopper is.
#[derive(Debug, Clone)]
pub(super) struct ItemTable {
    /// What the encoder reads [V + 1, D]: the items' vectors, and zeros for the start and for padding.
    pub(super) inputs: Tensor,
    /// What states are compared with: the items' vectors [V, D], or their directions and what everybody's score of an
    /// item starts from [V, D + 1].
    pub(super) outputs: Tensor,
    /// Which items the rows are, where they are not all of them.
    pub(super) chosen: Option<Arc<Chosen>>,
}

impl ItemTable {
    /// The row of an item, the last one for the start and for padding.
    pub(super) fn place(&self, item: u32) -> u32 {
        match &self.chosen {
            Some(chosen) => chosen.places[item as usize],
            None => item,
        }
    }

    /// The items' vectors [V, D].
    pub(super) fn vectors(&self) -> Result<Tensor, NnError> {
        Ok(self.inputs.narrow(0, 0, self.outputs.dim(0)?)?)
    }

    /// The same numbers without their history.
    pub(super) fn detach(&self) -> Self {
        Self {
            inputs: self.inputs.detach(),
            outputs: self.outputs.detach(),
            chosen: self.chosen.clone(),
        }
    }
}

/// What the scores of all shoppers start from.
#[derive(Debug)]
enum Crowd {
    /// The popularity at the moment, each shopper following the crowd more or less.
    Recent(FeatureWeights),
    /// One learnt number an item [items], for sequences without a clock.
    Standing(Tensor),
}

/// Weights of score features: the same for everybody, plus a linear function of the state.
#[derive(Debug)]
struct FeatureWeights {
    base: Tensor,
    shift: Linear,
}

impl FeatureWeights {
    fn new(
        store: &mut ParameterStore,
        name: &str,
        width: usize,
        features: usize,
        first: f64,
    ) -> Result<Self, NnError> {
        let (base, shift) = (format!("{name}.base"), format!("{name}.shift"));
        let small = Init::Normal { std: 0.01 };
        Ok(Self {
            base: store.create(&base, &[features], Init::Constant(first), false)?,
            shift: Linear::with_init(store, &shift, width, features, false, small)?,
        })
    }

    /// states [N, D] → [N, features].
    fn forward(&self, states: &Tensor) -> Result<Tensor, NnError> {
        Ok(self.shift.forward(states)?.broadcast_add(&self.base)?)
    }
}

impl Network {
    pub(super) fn new(config: &UserModelConfig, vocabulary: &Vocabulary) -> Result<Self, NnError> {
        let mut store = ParameterStore::new(config.seed, &Device::Cpu);
        let width = config.width;
        let store_ref = &mut store;
        let mut table = |name: &str, rows: usize| {
            Embedding::new(store_ref, name, rows.max(1), width, TABLE_STD)
        };
        let counts = vocabulary.label_counts();
        let own_vectors = table("item.own", vocabulary.items.len())?;
        let label_tables = [
            table("item.category", counts[0] + 1)?,
            table("item.brand", counts[1] + 1)?,
            table("item.price_band", counts[2] + 1)?,
        ];
        let text = table("item.text", config.text_buckets)?;
        let kinds = table("token.kind", START_KIND as usize + 1)?;
        let gaps = table("token.gap", GAP_BUCKETS)?;
        let elapsed = table("state.elapsed", GAP_BUCKETS)?;
        let encoder = Encoder::new(&mut store, config)?;
        let half_lives = config.popularity_half_lives_days.len();
        let crowd = if half_lives == 0 {
            let rows = [vocabulary.items.len().max(1)];
            Crowd::Standing(store.create("item.bias", &rows, Init::Constant(0.0), false)?)
        } else {
            let (name, even) = ("popularity", 1.0 / half_lives as f64);
            let weights = FeatureWeights::new(&mut store, name, width, half_lives, even)?;
            Crowd::Recent(weights)
        };
        let own = if config.repeat_purchases {
            let own = FeatureWeights::new(&mut store, "own", width, OWN_FEATURES, 0.0)?;
            Some(own)
        } else {
            None
        };
        let weights = config.loss_weights;
        let head = |store: &mut ParameterStore, name: &str, count: usize, weight: f64| {
            let linear = || Linear::new(store, &format!("head.{name}"), width, count, true);
            (count > 0 && weight > 0.0).then(linear).transpose()
        };
        let label_heads = vec![
            head(&mut store, "category", counts[0], weights.category)?,
            head(&mut store, "brand", counts[1], weights.brand)?,
            head(&mut store, "price_band", counts[2], weights.price_band)?,
        ];
        let purchase = (weights.purchase > 0.0)
            .then(|| Mlp::new(&mut store, "head.purchase", &[3 * width, width / 2, 1]))
            .transpose()?;
        // The products are a task of their own.
        let tasks = 1 + label_heads.iter().flatten().count() + usize::from(purchase.is_some());
        let task_weights = config
            .learn_loss_weights
            .then(|| UncertaintyWeights::new(&mut store, "loss", tasks))
            .transpose()?;
        Ok(Self {
            own_vectors,
            label_tables,
            text,
            kinds,
            gaps,
            elapsed,
            encoder,
            norm: RmsNorm::new(&mut store, "norm", width, NORM_EPSILON)?,
            crowd,
            own,
            label_heads,
            purchase,
            task_weights,
            item_dropout: config.item_dropout,
            temperature: config.temperature,
            input_dropout: nn::Dropout::new(config.dropout)?,
            store,
        })
    }

    /// The vectors of all items: own vector + category + brand + price band + projected title.
    ///
    /// A learning pass hides the own vectors of some items.
    pub(super) fn item_table(
        &self,
        catalogue: &Catalogue,
        pass: &mut Pass<'_>,
    ) -> Result<ItemTable, NnError> {
        let mut shown = catalogue.known.clone();
        if let Pass::Train(rng) = pass {
            for shown in &mut shown {
                if rng.random::<f64>() < self.item_dropout {
                    *shown = 0.0;
                }
            }
        }
        let [mut table, fields @ ..] = self.item_fields(catalogue, shown)?;
        for field in fields {
            table = (table + field)?;
        }
        let nothing = Tensor::zeros((1, table.dim(1)?), table.dtype(), table.device())?;
        let outputs = match &self.crowd {
            Crowd::Standing(bias) => {
                let known = Tensor::new(catalogue.known.as_slice(), bias.device())?;
                let bias = nn::look_up(&bias.unsqueeze(1)?, &catalogue.own_row)?;
                let bias = (bias * known.unsqueeze(1)?)?;
                Tensor::cat(&[&self.direction(&table)?, &bias], 1)?
            }
            Crowd::Recent(_) => self.direction(&table)?,
        };
        Ok(ItemTable {
            inputs: Tensor::cat(&[&table, &nothing], 0)?,
            outputs,
            chosen: None,
        })
    }

    /// What the items' vectors are sums of: own vector, projected title, category, brand, price band, each [V, D].
    ///
    /// `shown` [V] is 0 where an item's own vector is hidden, else 1.
    pub(super) fn item_fields(
        &self,
        catalogue: &Catalogue,
        shown: Vec<f32>,
    ) -> Result<[Tensor; 2 + LABELS], NnError> {
        let shown = Tensor::from_vec(shown, (catalogue.len(), 1), self.store.device())?;
        let own = nn::look_up(self.own_vectors.table(), &catalogue.own_row)?;
        let text = catalogue.text.multiply(self.text.table())?;
        let label = |field: usize| {
            let table = self.label_tables[field].table();
            nn::look_up(table, &catalogue.label_rows[field])
        };
        let own = own.broadcast_mul(&shown)?;
        Ok([own, text, label(0)?, label(1)?, label(2)?])
    }

    /// Vectors as scores compare them: as they are, or of length 1.
    fn direction(&self, x: &Tensor) -> Result<Tensor, NnError> {
        Ok(match self.lengths(x)? {
            Some(lengths) => x.broadcast_div(&lengths)?,
            None => x.clone(),
        })
    }

    /// What vectors are divided by before scores compare them [N, 1], or nothing where they are compared as they are.
    pub(super) fn lengths(&self, x: &Tensor) -> Result<Option<Tensor>, NnError> {
        if self.temperature == 0.0 {
            return Ok(None);
        }
        Ok(Some((x.sqr()?.sum_keepdim(1)? + 1e-12)?.sqrt()?))
    }

    /// The shoppers' states: the mean over a question's block of what the encoder makes of it, with the elapsed time.
    ///
    /// # Shapes
    /// → [N, D].
    pub(super) fn states(
        &self,
        batch: &Batch,
        table: &ItemTable,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        self.read(&self.token_inputs(batch, table)?, batch, pass)
    }

    /// What the encoder reads of each token: item + kind + gap.
    ///
    /// # Shapes
    /// → [B, T, D].
    pub(super) fn token_inputs(&self, batch: &Batch, table: &ItemTable) -> Result<Tensor, NnError> {
        let (_, width) = table.inputs.dims2()?;
        let (windows, time) = batch.kinds.dims2()?;
        let places: Vec<u32> = batch.items.iter().map(|item| table.place(*item)).collect();
        let items = nn::look_up(&table.inputs, &places)?;
        let items = items.reshape((windows, time, width))?;
        Ok(((items + self.kinds.forward(&batch.kinds)?)? + self.gaps.forward(&batch.gaps)?)?)
    }

    /// The shoppers' states, given what the encoder reads.
    ///
    /// # Shapes
    /// inputs [B, T, D] → [N, D].
    pub(super) fn read(
        &self,
        inputs: &Tensor,
        batch: &Batch,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let width = inputs.dim(2)?;
        let x = self.input_dropout.forward(inputs, pass)?;
        let x = self
            .encoder
            .forward(x, &batch.mask, &batch.positions, pass)?;
        // [B, E, T] · [B, T, D] → [B·E, D] → [N, D]
        let pooled = batch.pooling.matmul(&x)?.reshape(((), width))?;
        let pooled = pooled.index_select(&batch.rows, 0)?;
        self.norm
            .forward(&(pooled + self.elapsed.forward(&batch.elapsed)?)?)
    }

    /// The score of every item: the sum of its parts.
    ///
    /// # Shapes
    /// states [N, D] → [N, V].
    pub(super) fn logits(
        &self,
        batch: &Batch,
        states: &Tensor,
        table: &ItemTable,
    ) -> Result<Tensor, NnError> {
        let logits = self.new_item_logits(batch, states, table)?;
        self.add_own_past(logits, batch, states)
    }

    /// The score of every item as if the shopper had bought none of them.
    ///
    /// # Shapes
    /// states [N, D] → [N, V].
    pub(super) fn new_item_logits(
        &self,
        batch: &Batch,
        states: &Tensor,
        table: &ItemTable,
    ) -> Result<Tensor, NnError> {
        self.add_crowd(&self.taste(states, table)?, batch, states, table)
    }

    /// States such that scores are one product with the table's `outputs`, or nothing where scores are more than that.
    ///
    /// # Shapes
    /// states [N, D] → [N, D + 1].
    pub(super) fn queries(&self, states: &Tensor) -> Result<Option<Tensor>, NnError> {
        let Crowd::Standing(_) = self.crowd else {
            return Ok(None);
        };
        Ok(Some(self.search_queries(states)?))
    }

    /// States such that scores are one product with the items' vectors and what everybody's scores start from.
    ///
    /// # Shapes
    /// states [N, D] → [N, D + half-lives], or [N, D + 1] where scores start from a learnt number an item.
    pub(super) fn search_queries(&self, states: &Tensor) -> Result<Tensor, NnError> {
        let aims = self.aims(states)?;
        let crowd = match &self.crowd {
            Crowd::Recent(weights) => weights.forward(states)?,
            Crowd::Standing(_) => Tensor::ones((aims.dim(0)?, 1), aims.dtype(), aims.device())?,
        };
        Ok(Tensor::cat(&[&aims, &crowd], 1)?)
    }

    /// States as scores compare them with items.
    pub(super) fn aims(&self, states: &Tensor) -> Result<Tensor, NnError> {
        let aims = self.direction(states)?;
        if self.temperature == 0.0 {
            return Ok(aims);
        }
        Ok((aims * (1.0 / self.temperature))?)
    }

    /// The first part of a score: state · item.
    ///
    /// # Shapes
    /// states [N, D] → [N, V].
    pub(super) fn taste(&self, states: &Tensor, table: &ItemTable) -> Result<Tensor, NnError> {
        let aims = self.aims(states)?;
        let directions = table.outputs.narrow(1, 0, aims.dim(1)?)?;
        Ok(aims.matmul(&directions.t()?)?)
    }

    /// Adds the second part: how much the shopper follows the crowd × the item's popularity.
    ///
    /// # Shapes
    /// logits [N, V], states [N, D] → [N, V].
    pub(super) fn add_crowd(
        &self,
        logits: &Tensor,
        batch: &Batch,
        states: &Tensor,
        table: &ItemTable,
    ) -> Result<Tensor, NnError> {
        match &self.crowd {
            Crowd::Recent(weights) => {
                nn::add_mixture(logits, &weights.forward(states)?, &batch.popularity)
            }
            Crowd::Standing(_) => {
                let bias = table.outputs.narrow(1, states.dim(1)?, 1)?;
                Ok(logits.broadcast_add(&bias.t()?)?)
            }
        }
    }

    /// The third part, of the items that a shopper bought: how much the shopper comes back × own past.
    ///
    /// # Shapes
    /// states [N, D] → [M], one number an entry.
    pub(super) fn own_past(&self, own: &OwnEntries, states: &Tensor) -> Result<Tensor, NnError> {
        let Some(weights) = &self.own else {
            return Ok(Tensor::zeros(
                own.places.len(),
                states.dtype(),
                states.device(),
            )?);
        };
        let weights = weights.forward(states)?.index_select(&own.rows, 0)?;
        Ok((weights * &own.features)?.sum(1)?)
    }

    /// Adds the third part to the items that the shopper bought.
    ///
    /// # Shapes
    /// logits [N, V], states [N, D] → [N, V].
    pub(super) fn add_own_past(
        &self,
        logits: Tensor,
        batch: &Batch,
        states: &Tensor,
    ) -> Result<Tensor, NnError> {
        let Some(own) = &batch.own else {
            return Ok(logits);
        };
        let (_, items) = logits.dims2()?;
        let places = own
            .places
            .iter()
            .map(|(row, item)| row * items as u32 + item);
        let places = Tensor::new(places.collect::<Vec<_>>(), logits.device())?;
        let bonus = self.own_past(own, states)?;
        let shape = logits.shape().clone();
        let flat = logits.flatten_all()?.index_add(&places, &bonus, 0)?;
        Ok(flat.reshape(shape)?)
    }

    /// The logits of one label field, or nothing where the shop has no such labels.
    ///
    /// # Shapes
    /// states [N, D] → [N, labels].
    pub(super) fn label_logits(
        &self,
        field: usize,
        states: &Tensor,
    ) -> Result<Option<Tensor>, NnError> {
        let head = self.label_heads[field].as_ref();
        head.map(|head| head.forward(states)).transpose()
    }

    /// The logit of "this product is in this shopper's next order", for pairs of state and item vector, or nothing where
    /// that is not learnt.
    ///
    /// # Shapes
    /// states [N, D], items [N, D] → [N].
    pub(super) fn purchase_logits(
        &self,
        states: &Tensor,
        items: &Tensor,
    ) -> Result<Option<Tensor>, NnError> {
        let Some(purchase) = &self.purchase else {
            return Ok(None);
        };
        let product = (states * items)?;
        let pair = Tensor::cat(&[states, items, &product], 1)?;
        Ok(Some(purchase.forward(&pair)?.squeeze(1)?))
    }
}

//! The learnt part of the user model.

use nn::{
    DType, Device, Embedding, Init, Linear, Mlp, NnError, ParameterStore, Pass, RmsNorm, Rotary,
    Tensor, TransformerBlock, TransformerBlockConfig,
};
use rand::RngExt;

use super::batch::{Batch, OwnEntries};
use super::config::UserModelConfig;
use super::history::{GAP_BUCKETS, OWN_FEATURES, START_KIND};
use super::vocabulary::{Catalogue, LABELS, Vocabulary};

/// Standard deviation of the tables' first values.
const TABLE_STD: f64 = 0.05;
/// Base of the rotary angles, as in `RoFormer`.
const ROTARY_BASE: f64 = 10_000.0;
const NORM_EPSILON: f64 = 1e-6;

/// The parameters of the user model and what they compute.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) store: ParameterStore,
    own_vectors: Embedding,
    label_tables: [Embedding; LABELS],
    text: Linear,
    kinds: Embedding,
    gaps: Embedding,
    elapsed: Embedding,
    blocks: Vec<TransformerBlock>,
    rotary: Rotary,
    norm: RmsNorm,
    popularity: FeatureWeights,
    own: FeatureWeights,
    label_heads: Vec<Option<Linear>>,
    purchase: Mlp,
    item_dropout: f64,
    input_dropout: nn::Dropout,
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
        let kinds = table("token.kind", START_KIND as usize + 1)?;
        let gaps = table("token.gap", GAP_BUCKETS)?;
        let elapsed = table("state.elapsed", GAP_BUCKETS)?;
        let block = TransformerBlockConfig {
            width,
            heads: config.heads,
            key_heads: config.heads,
            attention_bias: false,
            hidden: config.hidden,
            dropout: config.dropout,
            norm_epsilon: NORM_EPSILON,
        };
        let blocks = (0..config.layers)
            .map(|index| TransformerBlock::new(&mut store, &format!("layers.{index}"), block))
            .collect::<Result<_, _>>()?;
        let half_lives = config.popularity_half_lives_days.len();
        let even = 1.0 / half_lives as f64;
        let head = |store: &mut ParameterStore, name: &str, count: usize| {
            let linear = || Linear::new(store, &format!("head.{name}"), width, count, true);
            (count > 0).then(linear).transpose()
        };
        Ok(Self {
            own_vectors,
            label_tables,
            text: Linear::new(&mut store, "item.text", config.text_buckets, width, false)?,
            kinds,
            gaps,
            elapsed,
            blocks,
            // The start, then at most one block a token.
            rotary: Rotary::new(
                width / config.heads,
                config.max_length + 2,
                ROTARY_BASE,
                DType::F32,
                &Device::Cpu,
            )?,
            norm: RmsNorm::new(&mut store, "norm", width, NORM_EPSILON)?,
            popularity: FeatureWeights::new(&mut store, "popularity", width, half_lives, even)?,
            own: FeatureWeights::new(&mut store, "own", width, OWN_FEATURES, 0.0)?,
            label_heads: vec![
                head(&mut store, "category", counts[0])?,
                head(&mut store, "brand", counts[1])?,
                head(&mut store, "price_band", counts[2])?,
            ],
            purchase: Mlp::new(&mut store, "head.purchase", &[3 * width, width / 2, 1])?,
            item_dropout: config.item_dropout,
            input_dropout: nn::Dropout::new(config.dropout)?,
            store,
        })
    }

    /// The vectors of all items: own vector + category + brand + price band + projected title.
    ///
    /// A learning pass hides the own vectors of some items.
    ///
    /// # Shapes
    /// → [V, D].
    pub(super) fn item_table(
        &self,
        catalogue: &Catalogue,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let mut shown = catalogue.known.clone();
        if let Pass::Train(rng) = pass {
            for shown in &mut shown {
                if rng.random::<f64>() < self.item_dropout {
                    *shown = 0.0;
                }
            }
        }
        let shown = Tensor::from_vec(shown, (catalogue.len(), 1), self.store.device())?;
        let own = self.own_vectors.forward(&catalogue.own_row)?;
        let mut table = (own.broadcast_mul(&shown)? + self.text.forward(&catalogue.text)?)?;
        for (embedding, labels) in self.label_tables.iter().zip(&catalogue.labels) {
            table = (table + embedding.forward(labels)?)?;
        }
        Ok(table)
    }

    /// The shoppers' states: the mean over a question's block of what the encoder makes of it, with the elapsed time.
    ///
    /// # Shapes
    /// table [V, D] → [N, D].
    pub(super) fn states(
        &self,
        batch: &Batch,
        table: &Tensor,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let (_, width) = table.dims2()?;
        let (windows, time) = batch.items.dims2()?;
        let nothing = Tensor::zeros((1, width), table.dtype(), table.device())?;
        // Row V stands for the start and for padding.
        let inputs = Tensor::cat(&[table, &nothing], 0)?;
        let items = inputs.index_select(&batch.items.flatten_all()?, 0)?;
        let items = items.reshape((windows, time, width))?;
        let mut x =
            ((items + self.kinds.forward(&batch.kinds)?)? + self.gaps.forward(&batch.gaps)?)?;
        x = self.input_dropout.forward(&x, pass)?;
        for block in &self.blocks {
            let (mask, positions) = (Some(&batch.mask), Some(&batch.positions));
            x = block.forward(&x, mask, &self.rotary, positions, pass)?;
        }
        // [B, E, T] · [B, T, D] → [B·E, D] → [N, D]
        let pooled = batch.pooling.matmul(&x)?.reshape(((), width))?;
        let pooled = pooled.index_select(&batch.rows, 0)?;
        self.norm
            .forward(&(pooled + self.elapsed.forward(&batch.elapsed)?)?)
    }

    /// The score of every item: the sum of its parts.
    ///
    /// # Shapes
    /// states [N, D], table [V, D] → [N, V].
    pub(super) fn logits(
        &self,
        batch: &Batch,
        states: &Tensor,
        table: &Tensor,
    ) -> Result<Tensor, NnError> {
        let logits = self.new_item_logits(batch, states, table)?;
        self.add_own_past(logits, batch, states)
    }

    /// The score of every item as if the shopper had bought none of them.
    ///
    /// # Shapes
    /// states [N, D], table [V, D] → [N, V].
    pub(super) fn new_item_logits(
        &self,
        batch: &Batch,
        states: &Tensor,
        table: &Tensor,
    ) -> Result<Tensor, NnError> {
        self.add_crowd(&Self::taste(states, table)?, batch, states)
    }

    /// The first part of a score: state · item.
    ///
    /// # Shapes
    /// states [N, D], table [V, D] → [N, V].
    pub(super) fn taste(states: &Tensor, table: &Tensor) -> Result<Tensor, NnError> {
        Ok(states.matmul(&table.t()?)?)
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
    ) -> Result<Tensor, NnError> {
        nn::add_mixture(logits, &self.popularity.forward(states)?, &batch.popularity)
    }

    /// The third part, of the items that a shopper bought: how much the shopper comes back × own past.
    ///
    /// # Shapes
    /// states [N, D] → [M], one number an entry.
    pub(super) fn own_past(&self, own: &OwnEntries, states: &Tensor) -> Result<Tensor, NnError> {
        let weights = self.own.forward(states)?.index_select(&own.rows, 0)?;
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

    /// The logit of "this product is in this shopper's next order", for pairs of state and item vector.
    ///
    /// # Shapes
    /// states [N, D], items [N, D] → [N].
    pub(super) fn purchase_logits(
        &self,
        states: &Tensor,
        items: &Tensor,
    ) -> Result<Tensor, NnError> {
        let product = (states * items)?;
        let pair = Tensor::cat(&[states, items, &product], 1)?;
        Ok(self.purchase.forward(&pair)?.squeeze(1)?)
    }
}

use super::Decoder;
use crate::layers::lora::LowRank;
use crate::{Linear, LoraConfig, NnError, ParameterStore};

/// A projection of each block that may have a change of low rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoraTarget {
    /// The queries.
    Query,
    /// The keys.
    Key,
    /// The values.
    Value,
    /// The attention's output.
    Output,
    /// The gate of the feed-forward layer.
    Gate,
    /// What the gate is multiplied with.
    Up,
    /// The feed-forward layer's output.
    Down,
}

impl LoraTarget {
    /// Every projection.
    pub const ALL: [Self; 7] = [
        Self::Query,
        Self::Key,
        Self::Value,
        Self::Output,
        Self::Gate,
        Self::Up,
        Self::Down,
    ];
    /// Those of the attention.
    pub const ATTENTION: [Self; 4] = [Self::Query, Self::Key, Self::Value, Self::Output];

    /// The name in the Hugging Face layout, such as `q_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "q_proj",
            Self::Key => "k_proj",
            Self::Value => "v_proj",
            Self::Output => "o_proj",
            Self::Gate => "gate_proj",
            Self::Up => "up_proj",
            Self::Down => "down_proj",
        }
    }

    /// The part of a block that it belongs to.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::Query | Self::Key | Self::Value | Self::Output => "self_attn",
            Self::Gate | Self::Up | Self::Down => "mlp",
        }
    }
}

impl Decoder {
    /// The same model frozen, with trainable changes of low rank beside some projections of every block.
    ///
    /// It creates `model.layers.0.self_attn.q_proj.lora_A.weight` [rank, inputs], `….lora_B.weight` [outputs, rank] and so on
    /// in `changes`, by the names of PEFT. A projection becomes y = x Wᵀ + b + (α / r) x Aᵀ Bᵀ: two thin products more, each
    /// fused with its addition. The frozen weights have no gradient, so a backward pass costs one product a frozen
    /// projection instead of two, and the optimiser holds moments of A and B alone. B begins at zero, so training starts
    /// from the model as it is; [`crate::inference::Engine::new`] merges the changes into the weights. Source: Hu et al., 2021,
    /// <https://arxiv.org/abs/2106.09685>.
    ///
    /// # Errors
    /// [`NnError::Config`] for a rank or strength outside its range, a dropout rate above 0 or no target,
    /// [`NnError::DuplicateParameter`] where a name is taken.
    pub fn with_lora(
        &self,
        changes: &mut ParameterStore,
        config: LoraConfig,
        targets: &[LoraTarget],
    ) -> Result<Self, NnError> {
        if targets.is_empty() {
            return Err(refused(
                "targets",
                "empty".to_owned(),
                "at least one projection",
            ));
        }
        if config.dropout != 0.0 {
            let expected = "0: the changes of a decoder are not dropped";
            return Err(refused("dropout", config.dropout.to_string(), expected));
        }
        let mut changed = Self {
            tokens: self.tokens.frozen(),
            norm: self.norm.frozen(),
            head: self.head.as_ref().map(Linear::frozen),
            ..self.clone()
        };
        for (index, block) in changed.blocks.iter_mut().enumerate() {
            block.attention_norm = block.attention_norm.frozen();
            block.feed_forward_norm = block.feed_forward_norm.frozen();
            let (attention, fed) = (&mut block.attention, &mut block.feed_forward);
            let layers = [
                &mut attention.query,
                &mut attention.key,
                &mut attention.value,
                &mut attention.output,
                &mut fed.gate,
                &mut fed.up,
                &mut fed.down,
            ];
            for (target, layer) in LoraTarget::ALL.into_iter().zip(layers) {
                *layer = layer.frozen();
                if targets.contains(&target) {
                    let name = format!("model.layers.{index}.{}.{}", target.part(), target.name());
                    let [a, b] = ["A", "B"].map(|side| format!("{name}.lora_{side}.weight"));
                    let change = LowRank::new(changes, [&a, &b], layer, config)?;
                    *layer = layer.clone().with_change(change);
                }
            }
        }
        Ok(changed)
    }
}

fn refused(field: &'static str, value: String, expected: &'static str) -> NnError {
    NnError::Config {
        field,
        value,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use super::*;
    use crate::inference::{Engine, Precision};
    use crate::{DecoderConfig, Pass, RotaryScaling};

    const CONFIG: LoraConfig = LoraConfig {
        rank: 2,
        alpha: 3.0,
        dropout: 0.0,
    };

    /// A model of two blocks with grouped heads, and its changes, moved away from zero as training does.
    fn models(tied: bool) -> (ParameterStore, Decoder, ParameterStore, Decoder) {
        let mut store = ParameterStore::with_dtype(3, &Device::Cpu, DType::F64);
        let config = DecoderConfig {
            vocabulary: 11,
            width: 8,
            layers: 2,
            heads: 2,
            key_heads: 1,
            hidden: 6,
            positions: 8,
            rotary_base: 10_000.0,
            rotary_scaling: RotaryScaling::Unscaled,
            norm_epsilon: 1e-6,
            attention_bias: true,
            tied,
            dropout: 0.0,
        };
        let decoder = Decoder::new(&mut store, &config).expect("sizes fit");
        let mut changes = ParameterStore::with_dtype(4, &Device::Cpu, DType::F64);
        let changed = decoder.with_lora(&mut changes, CONFIG, &LoraTarget::ALL);
        (store, decoder, changes, changed.expect("in range"))
    }

    fn train_a_little(changes: &ParameterStore) {
        for (index, (name, parameter)) in changes.iter().enumerate() {
            let count = parameter.var.elem_count();
            let moved: Vec<f64> = (0..count)
                .map(|i| ((i * 7 + index) as f64).sin() * 0.3)
                .collect();
            let moved = Tensor::from_vec(moved, parameter.var.dims(), &Device::Cpu);
            changes.set(name, &moved.expect("fits")).expect("exists");
        }
    }

    fn ids() -> Tensor {
        Tensor::new(&[[1u32, 4, 9, 2], [3, 3, 10, 0]], &Device::Cpu).expect("fits")
    }

    fn loss(decoder: &Decoder) -> Tensor {
        // The last three of the first sequence and one of the second: as where only answers are learnt.
        let entries = [(1, 9, 0.25), (2, 2, 0.25), (0, 4, 0.25), (5, 10, 0.25)];
        let loss = decoder.loss(&ids(), &entries, &mut Pass::Infer);
        loss.expect("fits")
    }

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        let flat = tensor.to_dtype(DType::F64).and_then(|t| t.flatten_all());
        flat.and_then(|t| t.to_vec1()).expect("floats")
    }

    #[test]
    fn training_starts_from_the_frozen_model_and_moves_the_changes_alone() {
        for tied in [false, true] {
            let (store, decoder, changes, changed) = models(tied);
            assert_eq!(numbers(&loss(&decoder)), numbers(&loss(&changed)));
            // 2 · ((8 + 8) + 2 · (8 + 4) + (8 + 8) + 2 · (8 + 6) + (6 + 8)) numbers a block.
            assert_eq!(changes.element_count(), 2 * 2 * (16 + 24 + 16 + 28 + 14));
            train_a_little(&changes);
            let backward = loss(&changed).backward().expect("differentiable");
            assert!(store.gradients(&backward).is_empty());
            assert_eq!(changes.gradients(&backward).len(), 2 * 2 * 7);
        }
    }

    #[test]
    fn the_gradients_match_finite_differences() {
        for tied in [false, true] {
            let (_, _, changes, changed) = models(tied);
            train_a_little(&changes);
            let backward = loss(&changed).backward().expect("differentiable");
            for (name, gradient) in changes.gradients(&backward) {
                let before = changes.get(&name).expect("present").var.as_tensor().copy();
                let before = before.expect("small");
                let at = |element: usize, step: f64| {
                    let mut moved = numbers(&before);
                    moved[element] += step;
                    let moved = Tensor::from_vec(moved, before.dims(), &Device::Cpu);
                    changes.set(&name, &moved.expect("fits")).expect("exists");
                    numbers(&loss(&changed))[0]
                };
                for (element, analytic) in numbers(&gradient).into_iter().enumerate() {
                    let numeric = (at(element, 1e-5) - at(element, -1e-5)) / 2e-5;
                    assert!(
                        (analytic - numeric).abs() < 1e-7 * (1.0 + numeric.abs()),
                        "{name}, {element}: backward says {analytic}, differences say {numeric}"
                    );
                }
                changes.set(&name, &before).expect("exists");
            }
        }
    }

    #[test]
    fn an_engine_answers_with_the_changes() {
        let (_, decoder, changes, changed) = models(true);
        train_a_little(&changes);
        let trained = changed.logits(&ids(), &mut Pass::Infer).expect("fits");
        let trained = &numbers(&trained)[3 * 11..4 * 11];
        let read = |decoder: &Decoder| -> Vec<f32> {
            let engine = Engine::new(decoder, Precision::F32).expect("small");
            let mut session = engine.session(1, 8).expect("fits");
            session.read(0, &[1, 4, 9, 2]).expect("fits").to_vec()
        };
        let (merged, frozen) = (read(&changed), read(&decoder));
        for ((merged, trained), frozen) in merged.iter().zip(trained).zip(frozen) {
            assert!(
                (f64::from(*merged) - trained).abs() < 1e-4,
                "{merged}, {trained}"
            );
            assert!((merged - frozen).abs() > 1e-6, "the changes count");
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let (_, decoder, _, _) = models(true);
        let message = |config, targets: &[LoraTarget]| {
            let mut changes = ParameterStore::with_dtype(4, &Device::Cpu, DType::F64);
            let changed = decoder.with_lora(&mut changes, config, targets);
            changed.expect_err("out of range").to_string()
        };
        let dropped = LoraConfig {
            dropout: 0.1,
            ..CONFIG
        };
        let wide = LoraConfig { rank: 5, ..CONFIG };
        assert_eq!(
            message(dropped, &LoraTarget::ALL),
            "`dropout` is 0.1; expected 0: the changes of a decoder are not dropped"
        );
        assert_eq!(
            message(CONFIG, &[]),
            "`targets` is empty; expected at least one projection"
        );
        assert_eq!(
            message(wide, &[LoraTarget::Key]),
            "`rank` is 5 for a weight of [4, 8]; expected 1 to the smaller side of the weight"
        );
    }
}

use candle_core::{DType, Tensor};
use rayon::prelude::*;

use crate::gradients::add_gradients;
use crate::{NamedGradients, NnError, ParameterStore, SHARDS, global_norm};

/// What the examples of a batch say one by one; see [`per_example_gradients`].
#[derive(Debug)]
pub struct PerExample {
    /// The loss of each example.
    pub losses: Vec<f64>,
    /// The Euclidean norm of each example's gradient over all parameters, before clipping.
    pub norms: Vec<f64>,
    /// Σ over examples of the gradient, scaled down to a norm of at most `max_norm`.
    pub clipped_sum: NamedGradients,
}

/// The norm of each example's gradient, and the sum of the gradients clipped one by one: Σᵢ gᵢ · min(1, C / ‖gᵢ‖).
///
/// `loss` is the loss of one example. Each example has a graph of its own, so this works for every layer and loss there
/// is; a batch takes as many backward passes as it has examples. An infinite `max_norm` clips nothing, and the sum is then
/// the gradient of the summed losses. The result does not depend on the number of threads.
///
/// Source: the clipping of Abadi et al., "Deep Learning with Differential Privacy", 2016, without the noise.
///
/// # Errors
/// That of the first example that fails, and [`NnError::NotFinite`] where the norm of an example is not finite, with the
/// number of the example in place of the step.
pub fn per_example_gradients<E: Sync>(
    store: &ParameterStore,
    examples: &[E],
    max_norm: f64,
    loss: impl Fn(&E) -> Result<Tensor, NnError> + Sync,
) -> Result<PerExample, NnError> {
    let size = examples.len().div_ceil(SHARDS).max(1);
    let of_part = |(part, examples): (usize, &[E])| -> Result<PerExample, NnError> {
        let mut result = PerExample::nothing();
        for (index, example) in examples.iter().enumerate() {
            let loss = loss(example)?;
            let gradients = store.gradients(&loss.backward()?);
            let norm = global_norm(&gradients)?;
            if !norm.is_finite() {
                return Err(NnError::NotFinite {
                    quantity: "the gradient norm of an example",
                    value: norm,
                    step: (part * size + index) as u64,
                });
            }
            let scale = if norm > max_norm {
                max_norm / norm
            } else {
                1.0
            };
            let scaled = gradients
                .into_iter()
                .map(|(name, gradient)| Ok((name, (gradient.detach() * scale)?)))
                .collect::<Result<_, NnError>>()?;
            add_gradients(&mut result.clipped_sum, scaled)?;
            result.losses.push(loss.to_dtype(DType::F64)?.to_scalar()?);
            result.norms.push(norm);
        }
        Ok(result)
    };
    let parts = examples.par_chunks(size).enumerate().map(of_part);
    let mut whole = PerExample::nothing();
    for part in parts.collect::<Result<Vec<_>, _>>()? {
        whole.losses.extend(part.losses);
        whole.norms.extend(part.norms);
        add_gradients(&mut whole.clipped_sum, part.clipped_sum)?;
    }
    Ok(whole)
}

impl PerExample {
    fn nothing() -> Self {
        Self {
            losses: Vec::new(),
            norms: Vec::new(),
            clipped_sum: NamedGradients::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::{Decoder, DecoderConfig, Device, Init, Pass, RotaryScaling, losses};

    #[test]
    fn norms_and_the_clipped_sum_equal_the_reference() {
        let Some(golden) = reference() else { return };
        let dp = &golden["dp_sgd"];
        let mut store = ParameterStore::with_dtype(1, &Device::Cpu, DType::F64);
        let w = store.create("w", &[3], Init::Constant(0.0), true);
        let w = w.expect("fresh");
        store.set("w", &tensor(&dp["w"])).expect("fits");
        let (x, y) = (tensor(&dp["X"]), tensor(&dp["Y"]));
        let rows: Vec<usize> = (0..x.dim(0).expect("a matrix")).collect();
        let limit = dp["C"].as_f64().expect("a number");
        // Logistic regression.
        let result = per_example_gradients(&store, &rows, limit, |row| {
            let logit = (x.get(*row)? * &w)?.sum_all()?.reshape(1)?;
            losses::binary_cross_entropy(&logit, &y.get(*row)?.reshape(1)?)
        });
        let result = result.expect("finite");
        let norms = Tensor::new(result.norms, &Device::Cpu).expect("fits");
        assert_close(&norms, &dp["norms"], 1e-9);
        // The reference adds 1e-6 to each norm before it divides.
        assert_close(&result.clipped_sum["w"], &dp["clipped_sum"], 2e-6);
    }

    #[test]
    fn unclipped_examples_of_a_decoder_sum_to_its_batch_on_any_number_of_threads() {
        let mut store = ParameterStore::with_dtype(1, &Device::Cpu, DType::F64);
        let config = DecoderConfig {
            vocabulary: 11,
            width: 8,
            layers: 2,
            heads: 2,
            key_heads: 1,
            hidden: 12,
            positions: 6,
            rotary_base: 100.0,
            rotary_scaling: RotaryScaling::Unscaled,
            norm_epsilon: 1e-6,
            attention_bias: false,
            tied: true,
            dropout: 0.0,
        };
        let decoder = Decoder::new(&mut store, &config).expect("fits");
        let texts: Vec<Vec<u32>> = (0..5)
            .map(|text| (0..7).map(|i| (text * 3 + i * i) % 11).collect())
            .collect();
        let loss = |texts: &[Vec<u32>]| {
            let ids: Vec<u32> = texts.iter().flat_map(|t| &t[..6]).copied().collect();
            let ids = Tensor::from_vec(ids, (texts.len(), 6), &Device::Cpu)?;
            let targets = (0u32..).zip(texts.iter().flat_map(|t| &t[1..]));
            let entries: Vec<_> = targets.map(|(row, target)| (row, *target, 1.0)).collect();
            decoder.loss(&ids, &entries, &mut Pass::Infer)
        };
        let whole = loss(&texts).expect("fits").backward().expect("runs");
        let whole = store.gradients(&whole);
        let single = |text: &Vec<u32>| loss(std::slice::from_ref(text));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let result = pool
                .expect("threads")
                .install(|| per_example_gradients(&store, &texts, f64::INFINITY, single));
            result.expect("finite")
        };
        let (one, three) = (run(1), run(3));
        assert_eq!(one.norms, three.norms);
        let numbers = |tensor: &Tensor| -> Vec<f64> {
            let flat = tensor.flatten_all().and_then(|t| t.to_vec1());
            flat.expect("f64")
        };
        // Every parameter of the decoder learns, from each path.
        assert_eq!(whole.len(), store.iter().count());
        for (name, gradient) in &whole {
            let (gradient, sum) = (numbers(gradient), numbers(&one.clipped_sum[name]));
            assert_eq!(sum, numbers(&three.clipped_sum[name]), "{name}");
            assert!(gradient.iter().any(|g| g.abs() > 1e-9), "{name} is zero");
            for (a, b) in gradient.iter().zip(&sum) {
                assert!((a - b).abs() < 1e-10, "{name}: {a} is not {b}");
            }
        }
    }
}

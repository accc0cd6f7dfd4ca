use candle_core::{Tensor, Var};
use rayon::prelude::*;

use crate::gradients::{add_gradients, sum};
use crate::{NamedGradients, NnError, ParameterStore};

/// Parts into which a training batch is cut. A constant, so that the result does not depend on the machine.
pub const SHARDS: usize = 4;

/// The loss of a batch and its gradients, computed shard by shard on the threads of the current pool.
///
/// The batch's loss is the sum of the shards' losses. `shared` are tensors that every shard reads and that depend on
/// the parameters themselves, such as a table of all items: each shard sees them as constants of its own, and what it
/// says of their gradient goes back through them once. Values and gradients are summed in the order of the shards, so
/// the result depends on how the batch is cut, which is the caller's, and not on the number of threads.
///
/// # Errors
/// That of the first shard that fails, and [`NnError::Tensor`] where memory is short.
pub fn sharded_gradients<S: Sync>(
    store: &ParameterStore,
    shared: &[Tensor],
    shards: &[S],
    loss: impl Fn(&S, &[Tensor]) -> Result<Tensor, NnError> + Sync,
) -> Result<(f64, NamedGradients), NnError> {
    let of_shard = |shard: &S| -> Result<Shard, NnError> {
        let leaves = shared
            .iter()
            .map(|tensor| Ok(Var::from_tensor(&tensor.detach())?))
            .collect::<Result<Vec<_>, NnError>>()?;
        let tensors: Vec<Tensor> = leaves.iter().map(|leaf| leaf.as_tensor().clone()).collect();
        let loss = loss(shard, &tensors)?;
        let backward = loss.backward()?;
        Ok(Shard {
            loss: loss.to_dtype(candle_core::DType::F64)?.to_scalar()?,
            gradients: store.gradients(&backward),
            of_shared: leaves
                .iter()
                .map(|leaf| backward.get(leaf).cloned())
                .collect(),
        })
    };
    let results = shards
        .par_iter()
        .map(of_shard)
        .collect::<Result<Vec<_>, _>>()?;
    let total = results.iter().map(|shard| shard.loss).sum();
    let mut gradients = NamedGradients::new();
    for (name, _) in store.iter() {
        let parts = results
            .iter()
            .filter_map(|shard| shard.gradients.get(name))
            .collect::<Vec<_>>();
        if !parts.is_empty() {
            gradients.insert(name.to_owned(), sum(&parts)?);
        }
    }
    let of_shared = (0..shared.len())
        .map(|index| {
            let parts = results
                .iter()
                .filter_map(|shard| shard.of_shared[index].as_ref())
                .collect::<Vec<_>>();
            (!parts.is_empty()).then(|| sum(&parts)).transpose()
        })
        .collect::<Result<Vec<_>, _>>()?;
    for (tensor, gradient) in shared.iter().zip(of_shared) {
        // d (tensor · g) / dθ with g held fixed is what the chain rule asks for.
        if let Some(gradient) = gradient {
            let along = (tensor * gradient.detach())?.sum_all()?;
            add_gradients(&mut gradients, store.gradients(&along.backward()?))?;
        }
    }
    Ok((total, gradients))
}

struct Shard {
    loss: f64,
    gradients: NamedGradients,
    of_shared: Vec<Option<Tensor>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Device, Init};

    /// A model whose loss uses a parameter directly and through a shared tensor.
    fn gradients(shards: &[Vec<f64>]) -> (f64, NamedGradients) {
        let mut store = ParameterStore::with_dtype(1, &Device::Cpu, DType::F64);
        let normal = Init::Normal { std: 1.0 };
        let table = store.create("table", &[3], normal, true).expect("fresh");
        let slope = store.create("slope", &[3], normal, true).expect("fresh");
        let shared = table.sqr().expect("floats");
        sharded_gradients(&store, &[shared], shards, |shard, shared| {
            let mut loss = Tensor::zeros((), DType::F64, &Device::Cpu)?;
            for x in shard {
                let y = ((&shared[0] * *x)? * &slope)?;
                loss = (loss + (y.exp()? + &table)?.sum_all()?)?;
            }
            Ok(loss)
        })
        .expect("fits")
    }

    #[test]
    fn shards_sum_to_the_whole() {
        let (whole, of_whole) = gradients(&[vec![0.1, -0.4, 0.7]]);
        let (total, of_shards) = gradients(&[vec![0.1], vec![-0.4, 0.7]]);
        assert!((whole - total).abs() < 1e-12);
        assert_eq!(of_whole.keys().collect::<Vec<_>>(), ["slope", "table"]);
        for (name, gradient) in of_whole {
            let difference = (gradient - &of_shards[&name]).and_then(|d| d.abs()?.sum_all());
            let difference = difference.and_then(|d| d.to_scalar::<f64>()).expect("f64");
            assert!(difference < 1e-12, "{name}: {difference}");
        }
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let shards: Vec<Vec<f64>> = (0..7).map(|i| vec![f64::from(i) * 0.1]).collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let (loss, gradients) = pool.expect("threads").install(|| gradients(&shards));
            let bits: Vec<Vec<f64>> = gradients
                .values()
                .map(|g| g.to_vec1().expect("f64"))
                .collect();
            (loss.to_bits(), bits)
        };
        assert_eq!(with(1), with(4));
    }
}

//! Fused operations with their own backward, and what they share: from candle's storages to slices of numbers and back.

pub(crate) mod adamw;
pub(crate) mod attention;
pub(crate) mod gated;
pub(crate) mod gather;
pub(crate) mod int8;
pub(crate) mod linear;
pub(crate) mod linear_cross_entropy;
pub(crate) mod masked_softmax;
pub(crate) mod matmul;
pub(crate) mod mixture;
pub(crate) mod recurrent;
pub(crate) mod rms_norm;
pub(crate) mod sparse_cross_entropy;
pub(crate) mod sparse_product;
pub(crate) mod turn;

use candle_core::{CpuStorage, Device, Layout, Shape, Storage, Tensor, bail};

use crate::simd::Real;

/// A computation over contiguous numbers on a CPU, the same for `f32` and `f64`.
pub(crate) trait Kernel {
    /// Computes the results from the inputs.
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>>;
}

/// Runs a kernel over storages of one float type.
pub(crate) fn run(
    kernel: &impl Kernel,
    inputs: &[(&CpuStorage, &Layout)],
) -> candle_core::Result<Vec<CpuStorage>> {
    match inputs.first() {
        Some((CpuStorage::F32(_), _)) => {
            let slices = inputs.iter().map(|(storage, layout)| match storage {
                CpuStorage::F32(numbers) => part(numbers, layout),
                _ => bail!("a fused operation takes tensors of one type, f32 or f64"),
            });
            let results = kernel.run(&slices.collect::<candle_core::Result<Vec<_>>>()?);
            Ok(results.into_iter().map(CpuStorage::F32).collect())
        }
        Some((CpuStorage::F64(_), _)) => {
            let slices = inputs.iter().map(|(storage, layout)| match storage {
                CpuStorage::F64(numbers) => part(numbers, layout),
                _ => bail!("a fused operation takes tensors of one type, f32 or f64"),
            });
            let results = kernel.run(&slices.collect::<candle_core::Result<Vec<_>>>()?);
            Ok(results.into_iter().map(CpuStorage::F64).collect())
        }
        _ => bail!("a fused operation takes tensors of one type, f32 or f64"),
    }
}

/// Runs a kernel that has one result.
pub(crate) fn run_one(
    kernel: &impl Kernel,
    inputs: &[(&CpuStorage, &Layout)],
    shape: &Shape,
) -> candle_core::Result<(CpuStorage, Shape)> {
    match run(kernel, inputs)?.pop() {
        Some(result) => Ok((result, shape.clone())),
        None => bail!("a kernel without a result"),
    }
}

/// Runs a kernel over tensors, outside the graph; its results have the given shapes.
pub(crate) fn run_on_tensors<const N: usize>(
    kernel: &impl Kernel,
    inputs: &[&Tensor],
    shapes: [&Shape; N],
) -> candle_core::Result<[Tensor; N]> {
    let inputs = inputs
        .iter()
        .map(|tensor| tensor.contiguous())
        .collect::<candle_core::Result<Vec<_>>>()?;
    let held: Vec<_> = inputs.iter().map(Tensor::storage_and_layout).collect();
    let storages = held
        .iter()
        .map(|(storage, layout)| match &**storage {
            Storage::Cpu(storage) => Ok((storage, *layout)),
            _ => bail!("a fused operation runs on a CPU"),
        })
        .collect::<candle_core::Result<Vec<_>>>()?;
    let results = run(kernel, &storages)?;
    let tensors = results
        .into_iter()
        .zip(shapes)
        .map(|(storage, shape)| tensor_of(storage, shape))
        .collect::<candle_core::Result<Vec<_>>>()?;
    match tensors.try_into() {
        Ok(tensors) => Ok(tensors),
        Err(_) => bail!("a kernel with another number of results than shapes"),
    }
}

/// A tensor of a kernel's result.
pub(crate) fn tensor_of(storage: CpuStorage, shape: &Shape) -> candle_core::Result<Tensor> {
    match storage {
        CpuStorage::F32(numbers) => Tensor::from_vec(numbers, shape, &Device::Cpu),
        CpuStorage::F64(numbers) => Tensor::from_vec(numbers, shape, &Device::Cpu),
        _ => bail!("a fused operation gives f32 or f64"),
    }
}

/// The numbers of a contiguous tensor.
pub(crate) fn part<'a, F>(storage: &'a [F], layout: &Layout) -> candle_core::Result<&'a [F]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage[start..end]),
        None => bail!("a fused operation takes contiguous tensors"),
    }
}

//! What the machine could do at most, measured: the rate of large products and the bandwidth of memory.
//!
//! Both are of `f32` and of plain reading. Work in 8 bits may exceed the first, weights that stay in the cache the second; what
//! they would need to exceed both is what the share says.

use std::time::Instant;

use nn::{Device, NnError, Tensor};

use crate::Outcome;

/// Rows and columns of the products: 3 × 16 MiB, more than a core's caches.
const ROWS: usize = 2_048;
const MEMORY_BYTES: usize = 512 << 20;
/// The best of so many counts: the floor is what can be, not what usually is.
const TRIES: usize = 3;

/// The machine's rates, all cores together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Machine {
    /// Operations of a large `f32` product, multiplications and additions, a second.
    pub(super) operations_per_s: f64,
    /// Bytes read from memory a second.
    pub(super) bytes_per_s: f64,
}

/// What a unit of work cannot do without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Demand {
    /// Multiplications and additions of its products.
    pub(super) operations: f64,
    /// Bytes that it reads and writes when it meets each of its weights as often as it must.
    pub(super) bytes: f64,
}

impl Machine {
    /// Measures both; takes some seconds.
    pub(super) fn measure(cores: usize) -> Outcome<Self> {
        Ok(Self {
            operations_per_s: operations_per_s(cores, ROWS)?,
            bytes_per_s: bytes_per_s(cores, MEMORY_BYTES),
        })
    }

    /// Units a second at the machine's rates, computing while it reads.
    pub(super) fn at_most(&self, demand: Demand) -> f64 {
        let computing = demand.operations / self.operations_per_s;
        let reading = demand.bytes / self.bytes_per_s;
        1.0 / computing.max(reading)
    }
}

/// One product on each core at the same time: no way to share one between cores does more.
fn operations_per_s(cores: usize, rows: usize) -> Result<f64, NnError> {
    let matrix = Tensor::ones((rows, rows), nn::DType::F32, &Device::Cpu)?;
    let mut best = 0f64;
    for _ in 0..TRIES {
        let started = Instant::now();
        std::thread::scope(|scope| {
            let products: Vec<_> = (0..cores)
                .map(|_| scope.spawn(|| matrix.matmul(&matrix).map(|_| ())))
                .collect();
            products.into_iter().try_for_each(|product| {
                product
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
        let operations = 2.0 * (rows as f64).powi(3) * cores as f64;
        best = best.max(operations / started.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// A sum over memory, a part on each core.
fn bytes_per_s(cores: usize, bytes: usize) -> f64 {
    let words = vec![1u64; bytes / size_of::<u64>()];
    let mut best = 0f64;
    for _ in 0..TRIES {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for part in words.chunks(words.len().div_ceil(cores)) {
                scope.spawn(|| std::hint::black_box(part.iter().sum::<u64>()));
            }
        });
        best = best.max(bytes as f64 / started.elapsed().as_secs_f64());
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_computing_and_reading_is_the_floor() {
        let machine = Machine {
            operations_per_s: 100.0,
            bytes_per_s: 10.0,
        };
        let at_most = |operations, bytes| machine.at_most(Demand { operations, bytes });
        assert!((at_most(50.0, 1.0) - 2.0).abs() < 1e-12);
        assert!((at_most(50.0, 20.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_rates_are_those_of_a_machine() {
        let operations = operations_per_s(2, 64).expect("computes");
        assert!(operations.is_finite() && operations > 1e6, "{operations}");
        let bytes = bytes_per_s(2, 1 << 20);
        assert!(bytes.is_finite() && bytes > 1e6, "{bytes}");
    }
}

//! Matrices of 8-bit weights with a scale a row, and their products with vectors.

use rayon::prelude::*;

use super::matmul::transpose;

/// Rows of a matrix are padded to a multiple of this, the widest step of the loops below.
const STEP: usize = 32;

/// Rows of weights that one task of the thread pool multiplies.
const TASK: usize = 512;

/// The largest quantised input. Inputs have 14 bits where the weights have 8: on processors without byte products that
/// costs nothing, because the weights are widened to 16 bits anyway, and it leaves the weights' rounding as the one error.
const MOST: usize = 8191;

/// Weights [O, I] as w ≈ scaleₒ · q with q in −127 … 127; scaleₒ = max |wₒ| / 127.
///
/// Products with quantised inputs are sums of integers, hence the same on every processor and in every order.
///
/// Source: row-wise symmetric quantisation as in Dettmers et al., "`LLM.int8()`: 8-bit Matrix Multiplication for Transformers
/// at Scale", 2022. How this differs from the paper: inputs keep 14 bits, so that no outliers need another path.
#[derive(Debug, Clone)]
pub(crate) struct Int8Matrix {
    rows: usize,
    columns: usize,
    /// Columns with padding.
    stride: usize,
    weights: Vec<i8>,
    scales: Vec<f32>,
}

/// Vectors as x ≈ scale · q, one scale a vector, padded as the rows of a matrix.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quantised {
    numbers: Vec<i16>,
    scales: Vec<f32>,
}

impl Int8Matrix {
    /// Quantises a matrix of finite numbers.
    pub(crate) fn new(weights: &[f32], rows: usize, columns: usize) -> Self {
        let stride = columns.next_multiple_of(STEP);
        let mut quantised = vec![0i8; rows * stride];
        let mut scales = Vec::with_capacity(rows);
        let lines = quantised.chunks_exact_mut(stride);
        for (line, row) in lines.zip(weights.chunks_exact(columns)) {
            let scale = scale_of(row);
            for (q, w) in line.iter_mut().zip(row) {
                *q = rounded(*w, scale) as i8;
            }
            scales.push(scale);
        }
        Self {
            rows,
            columns,
            stride,
            weights: quantised,
            scales,
        }
    }

    /// A row as numbers.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let line = &self.weights[row * self.stride..][..self.columns];
        for (out, q) in out.iter_mut().zip(line) {
            *out = f32::from(*q) * self.scales[row];
        }
    }

    /// out = x Wᵀ for x [N, I], already quantised → out [N, O]; `scratch` is as long as `out`.
    pub(crate) fn multiply(&self, x: &Quantised, scratch: &mut [f32], out: &mut [f32]) {
        let count = x.scales.len();
        if count == 1 {
            return self.by_row(x, out);
        }
        self.by_row(x, scratch);
        transpose(scratch, self.rows, out);
    }

    /// W xᵀ, [O, N]: a task has rows of the weights, so that none is read twice, and writes them side by side.
    fn by_row(&self, x: &Quantised, out: &mut [f32]) {
        let count = x.scales.len();
        let parts = out.par_chunks_mut(TASK * count).enumerate();
        parts.for_each(|(task, out)| {
            let (first, rows) = (task * TASK, out.len() / count);
            let block = Block {
                weights: &self.weights[first * self.stride..(first + rows) * self.stride],
                inputs: &x.numbers,
                stride: self.stride,
            };
            block.products(
                #[inline(always)]
                |row, vector, sum| {
                    let scale = self.scales[first + row] * x.scales[vector];
                    out[row * count + vector] = sum as f32 * scale;
                },
            );
        });
    }
}

impl Quantised {
    /// Quantises vectors [N, I] of finite numbers for a matrix of I columns, into the buffers of the last call.
    pub(crate) fn fill(&mut self, x: &[f32], columns: usize) {
        let stride = columns.next_multiple_of(STEP);
        let count = x.len() / columns;
        // Sums stay within 32 bits: I · 127 · most < 2³¹.
        let most = (i32::MAX as usize / 127 / stride).min(MOST) as f32;
        self.numbers.resize(count * stride, 0);
        self.scales.resize(count, 0.0);
        let lines = self.numbers.chunks_exact_mut(stride).zip(&mut self.scales);
        for ((line, scale), x) in lines.zip(x.chunks_exact(columns)) {
            crate::simd::vectorised(
                #[inline(always)]
                || {
                    let largest = x.iter().fold(0f32, |most, x| {
                        let size = x.abs();
                        if size > most { size } else { most }
                    });
                    *scale = largest / most;
                    let inverse = if largest > 0.0 { most / largest } else { 0.0 };
                    for (q, x) in line.iter_mut().zip(x) {
                        *q = round(*x * inverse);
                    }
                    line[x.len()..].fill(0);
                },
            );
        }
    }
}

/// max |x| / 127.
pub(crate) fn scale_of(row: &[f32]) -> f32 {
    let most = row.iter().fold(0f32, |most, value| most.max(value.abs()));
    most / 127.0
}

/// The nearest whole number of scales, halves to the even one.
pub(crate) fn rounded(value: f32, scale: f32) -> i16 {
    // A row of zeros, or of numbers so small that their scale is zero, stays zero.
    if scale == 0.0 {
        return 0;
    }
    (value / scale).round_ties_even().clamp(-127.0, 127.0) as i16
}

/// The nearest whole number of a number below 2²², without a branch or a call.
#[inline(always)]
fn round(x: f32) -> i16 {
    /// Adding 1.5 · 2²³ leaves the whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    (x + ROUND).to_bits() as i16
}

/// Rows of weights and vectors of inputs, all `stride` numbers long.
struct Block<'a> {
    weights: &'a [i8],
    inputs: &'a [i16],
    stride: usize,
}

impl Block<'_> {
    /// Calls `write` with row, vector and Σ w x of each pair.
    fn products(&self, write: impl FnMut(usize, usize, i32)) {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw") {
                return x86::vnni(self, write);
            }
            if is_x86_feature_detected!("avx2") {
                return x86::avx2(self, write);
            }
        }
        self.tiles(portable, portable, write);
    }

    /// Walks over the pairs in tiles of 4 rows, and of 2 vectors where there are so many.
    #[inline(always)]
    fn tiles(
        &self,
        two: impl Fn([&[i8]; 4], [&[i16]; 2]) -> [[i32; 4]; 2],
        one: impl Fn([&[i8]; 4], [&[i16]; 1]) -> [[i32; 4]; 1],
        mut write: impl FnMut(usize, usize, i32),
    ) {
        let rows = self.weights.len() / self.stride;
        let vectors = self.inputs.len() / self.stride;
        let input = |vector: usize| &self.inputs[vector * self.stride..(vector + 1) * self.stride];
        for first in (0..rows).step_by(4) {
            let count = 4.min(rows - first);
            // The last row of the matrix stands in for those that a tile lacks.
            let weights = std::array::from_fn(|row| {
                let row = first + row.min(count - 1);
                &self.weights[row * self.stride..(row + 1) * self.stride]
            });
            let mut vector = 0;
            while vector + 2 <= vectors {
                let sums = two(weights, [input(vector), input(vector + 1)]);
                for (offset, sums) in sums.iter().enumerate() {
                    for (row, sum) in sums.iter().take(count).enumerate() {
                        write(first + row, vector + offset, *sum);
                    }
                }
                vector += 2;
            }
            if vector < vectors {
                let [sums] = one(weights, [input(vector)]);
                for (row, sum) in sums.iter().take(count).enumerate() {
                    write(first + row, vector, *sum);
                }
            }
        }
    }
}

/// The products of a tile, for processors without the instructions below.
fn portable<const N: usize>(weights: [&[i8]; 4], inputs: [&[i16]; N]) -> [[i32; 4]; N] {
    inputs.map(|input| {
        weights.map(|weights| {
            let products = weights.iter().zip(input);
            products
                .map(|(w, x)| i32::from(*w) * i32::from(*x))
                .sum::<i32>()
        })
    })
}

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "instructions that the compiler may not assume, behind a test that the processor has them"
)]
mod x86 {
    use std::arch::x86_64::{
        _mm_add_epi32, _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi32, _mm256_castsi256_si128,
        _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_loadu_si256,
        _mm256_madd_epi16, _mm256_setzero_si256, _mm512_cvtepi8_epi16, _mm512_dpwssd_epi32,
        _mm512_loadu_si512, _mm512_reduce_add_epi32, _mm512_setzero_si512,
    };

    use super::Block;

    /// The products with AVX2: 16 weights widened, multiplied in pairs and added.
    pub(super) fn avx2(block: &Block<'_>, write: impl FnMut(usize, usize, i32)) {
        #[target_feature(enable = "avx2")]
        fn all(block: &Block<'_>, write: impl FnMut(usize, usize, i32)) {
            block.tiles(
                #[inline(always)]
                |weights, inputs| avx2_tile(weights, inputs),
                #[inline(always)]
                |weights, inputs| avx2_tile(weights, inputs),
                write,
            );
        }
        // SAFETY: the caller found that the processor has AVX2.
        unsafe { all(block, write) }
    }

    /// The products with AVX-512 VNNI: 32 weights widened, multiplied in pairs and added at once.
    pub(super) fn vnni(block: &Block<'_>, write: impl FnMut(usize, usize, i32)) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
        fn all(block: &Block<'_>, write: impl FnMut(usize, usize, i32)) {
            block.tiles(
                #[inline(always)]
                |weights, inputs| vnni_tile(weights, inputs),
                #[inline(always)]
                |weights, inputs| vnni_tile(weights, inputs),
                write,
            );
        }
        // SAFETY: the caller found that the processor has AVX-512 BW and VNNI.
        unsafe { all(block, write) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn avx2_tile<const N: usize>(weights: [&[i8]; 4], inputs: [&[i16]; N]) -> [[i32; 4]; N] {
        let mut sums = [[_mm256_setzero_si256(); 4]; N];
        let steps = weights[0].len() / 16;
        let weights = weights.map(|row| row.as_chunks::<16>().0);
        let inputs = inputs.map(|input| input.as_chunks::<16>().0);
        for step in 0..steps {
            let wide = weights.map(|row| {
                // SAFETY: the chunk holds 16 bytes; an unaligned load may read them anywhere.
                _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(row[step].as_ptr().cast()) })
            });
            for (sums, input) in sums.iter_mut().zip(&inputs) {
                // SAFETY: the chunk holds 16 numbers of 16 bits; an unaligned load may read them anywhere.
                let input = unsafe { _mm256_loadu_si256(input[step].as_ptr().cast()) };
                for (sum, wide) in sums.iter_mut().zip(wide) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(wide, input));
                }
            }
        }
        sums.map(|[a, b, c, d]| {
            let quads = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
            let low = _mm256_castsi256_si128(quads);
            let total = _mm_add_epi32(low, _mm256_extracti128_si256::<1>(quads));
            let mut out = [0i32; 4];
            // SAFETY: `out` holds the 16 bytes that an unaligned store writes.
            unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), total) };
            out
        })
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn vnni_tile<const N: usize>(weights: [&[i8]; 4], inputs: [&[i16]; N]) -> [[i32; 4]; N] {
        let mut sums = [[_mm512_setzero_si512(); 4]; N];
        let steps = weights[0].len() / 32;
        let weights = weights.map(|row| row.as_chunks::<32>().0);
        let inputs = inputs.map(|input| input.as_chunks::<32>().0);
        for step in 0..steps {
            let wide = weights.map(|row| {
                // SAFETY: the chunk holds 32 bytes; an unaligned load may read them anywhere.
                _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(row[step].as_ptr().cast()) })
            });
            for (sums, input) in sums.iter_mut().zip(&inputs) {
                // SAFETY: the chunk holds 32 numbers of 16 bits; an unaligned load may read them anywhere.
                let input = unsafe { _mm512_loadu_si512(input[step].as_ptr().cast()) };
                for (sum, wide) in sums.iter_mut().zip(wide) {
                    *sum = _mm512_dpwssd_epi32(*sum, wide, input);
                }
            }
        }
        sums.map(|sums| sums.map(|sum| _mm512_reduce_add_epi32(sum)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, generator};

    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let values = Init::Normal { std: 1.0 }.draw(count, &mut generator(seed, "x", 0));
        values.into_iter().map(|x| x as f32).collect()
    }

    /// Rows and vectors that fill no tile, and columns that fill no step.
    const SIZES: [(usize, usize, usize); 5] = [
        (1, 1, 1),
        (3, 7, 40),
        (5, 2, 64),
        (9, 33, 100),
        (1030, 3, 31),
    ];

    #[test]
    fn every_instruction_set_gives_the_integers_of_the_portable_loop() {
        for (rows, vectors, columns) in SIZES {
            let matrix = Int8Matrix::new(&numbers(1, rows * columns), rows, columns);
            let mut x = Quantised::default();
            x.fill(&numbers(2, vectors * columns), columns);
            let block = Block {
                weights: &matrix.weights,
                inputs: &x.numbers,
                stride: matrix.stride,
            };
            let mut fast = vec![0i32; rows * vectors];
            block.products(|row, vector, sum| fast[row * vectors + vector] = sum);
            let mut slow = vec![0i32; rows * vectors];
            block.tiles(portable, portable, |row, vector, sum| {
                slow[row * vectors + vector] = sum;
            });
            assert_eq!(
                fast, slow,
                "{rows} rows, {vectors} vectors, {columns} columns"
            );
        }
    }

    #[test]
    fn products_are_those_of_the_numbers_up_to_rounding() {
        for (rows, vectors, columns) in SIZES {
            let weights = numbers(1, rows * columns);
            let matrix = Int8Matrix::new(&weights, rows, columns);
            let inputs = numbers(2, vectors * columns);
            let mut x = Quantised::default();
            // Buffers of an earlier, larger call must not shine through.
            x.fill(&vec![7.0; 3 * vectors * columns], columns);
            x.fill(&inputs, columns);
            let mut out = vec![0f32; vectors * rows];
            matrix.multiply(&x, &mut vec![0f32; vectors * rows], &mut out);
            for (vector, input) in inputs.chunks_exact(columns).enumerate() {
                for (row, weights) in weights.chunks_exact(columns).enumerate() {
                    let exact: f32 = weights.iter().zip(input).map(|(w, x)| w * x).sum();
                    let largest = weights.iter().fold(0f32, |m, w| m.max(w.abs()));
                    let size: f32 = input.iter().map(|x| x.abs()).sum();
                    // Half a step of each weight, and the inputs' smaller rounding.
                    let bound = size * largest / 127.0 * 0.52 + 1e-6;
                    let got = out[vector * rows + row];
                    assert!((got - exact).abs() <= bound, "{got} is not {exact}");
                }
            }
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        let columns = 40_000;
        let matrix = Int8Matrix::new(&vec![-1.0; columns], 1, columns);
        let mut x = Quantised::default();
        x.fill(&vec![3.0; columns], columns);
        let mut out = [0f32];
        matrix.multiply(&x, &mut [0.0], &mut out);
        assert!((out[0] + 120_000.0).abs() < 1.0, "{}", out[0]);
        let mut nothing = Quantised::default();
        nothing.fill(&vec![0.0; columns], columns);
        matrix.multiply(&nothing, &mut [0.0], &mut out);
        assert_eq!(out[0].to_bits() & 0x7fff_ffff, 0);
    }
}

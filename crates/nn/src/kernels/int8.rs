//! Matrices of 8-bit weights with a scale a row, and their products with vectors.

use std::ops::Range;

use rayon::prelude::*;

/// Rows of a panel: the sums that one step adds to, side by side in a register or two.
const PANEL: usize = 16;

/// Vectors that a panel is multiplied with at once: as many as there are registers for their sums.
const TILE: usize = 4;

/// Products of one task of the thread pool, at least; waking a thread takes as long as some hundred thousand of them.
const TASK: usize = 1 << 19;

/// The largest quantised input. Inputs have 14 bits where the weights have 8: on processors without byte products that
/// costs nothing, because the weights are widened to 16 bits anyway, and it leaves the weights' rounding as the one error.
const MOST: usize = 8191;

/// Weights [O, I] as w ≈ scaleₒ · q with q in −127 … 127; scaleₒ = max |wₒ| / 127.
///
/// Products with quantised inputs are sums of integers, hence the same on every processor and in every order.
///
/// The weights lie in panels of 16 rows, a pair of columns after the other: [O / 16, I / 2, 16, 2]. A step widens the 32
/// weights of a pair, multiplies them by the two inputs, which are the same for all rows, and adds each row's two products to
/// its sum. Nothing is left to be added up across a register, and the sums of neighbouring rows are written together.
///
/// Source: row-wise symmetric quantisation as in Dettmers et al., "`LLM.int8()`: 8-bit Matrix Multiplication for Transformers
/// at Scale", 2022; panels as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008. How this
/// differs from the papers: inputs keep 14 bits, so that no outliers need another path; panels are packed once.
#[derive(Debug, Clone)]
pub(crate) struct Int8Matrix {
    rows: usize,
    columns: usize,
    /// One [16, 2] a panel and pair of columns; what is missing at the end is zero.
    weights: Vec<Step>,
    /// One a row, padded as the panels.
    scales: Vec<f32>,
}

/// The weights of a panel in two neighbouring columns: row, column.
type Step = [i8; 2 * PANEL];

/// Vectors as x ≈ scale · q, one scale a vector, padded to whole pairs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quantised {
    /// [N, I / 2].
    pairs: Vec<[i16; 2]>,
    scales: Vec<f32>,
}

impl Int8Matrix {
    /// Quantises a matrix of finite numbers.
    pub(crate) fn new(weights: &[f32], rows: usize, columns: usize) -> Self {
        let (panels, pairs) = (rows.div_ceil(PANEL), columns.div_ceil(2));
        let mut quantised = vec![[0; 2 * PANEL]; panels * pairs];
        let mut scales = vec![0.0; panels * PANEL];
        for (row, line) in weights.chunks_exact(columns).enumerate() {
            let scale = scale_of(line);
            scales[row] = scale;
            let panel = &mut quantised[row / PANEL * pairs..][..pairs];
            for (column, w) in line.iter().enumerate() {
                panel[column / 2][row % PANEL * 2 + column % 2] = rounded(*w, scale) as i8;
            }
        }
        Self {
            rows,
            columns,
            weights: quantised,
            scales,
        }
    }

    /// A row as numbers.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let pairs = self.columns.div_ceil(2);
        let panel = &self.weights[row / PANEL * pairs..][..pairs];
        for (column, out) in out.iter_mut().enumerate() {
            let q = panel[column / 2][row % PANEL * 2 + column % 2];
            *out = f32::from(q) * self.scales[row];
        }
    }

    /// out = x Wᵀ for x [N, I], already quantised → out [N, O]; `scratch` is as long as `out`.
    pub(crate) fn multiply(&self, x: &Quantised, scratch: &mut [f32], out: &mut [f32]) {
        let (count, panels) = (x.scales.len(), self.scales.len() / PANEL);
        let products = self.rows * self.columns * count;
        let tasks = (products / TASK).clamp(1, rayon::current_num_threads());
        if tasks == 1 {
            return self.panels(0..panels, x, self.rows, out);
        }
        // A task has some panels and writes [N, its rows], which then go to their places.
        let each = panels.div_ceil(tasks);
        let rows = each * PANEL;
        let parts = scratch.par_chunks_mut(rows * count).enumerate();
        parts.for_each(|(task, part)| {
            let last = ((task + 1) * each).min(panels);
            self.panels(task * each..last, x, part.len() / count, part);
        });
        for (task, part) in scratch.chunks(rows * count).enumerate() {
            let own = part.len() / count;
            let lines = part.chunks_exact(own).zip(out.chunks_exact_mut(self.rows));
            for (part, out) in lines {
                out[task * rows..task * rows + own].copy_from_slice(part);
            }
        }
    }

    /// The products of some panels with all vectors, [N, rows], where `rows` are those of the panels that are rows of the
    /// matrix.
    fn panels(&self, panels: Range<usize>, x: &Quantised, rows: usize, out: &mut [f32]) {
        let pairs = self.columns.div_ceil(2);
        let block = Block {
            weights: &self.weights[panels.start * pairs..panels.end * pairs],
            scales: &self.scales[panels.start * PANEL..panels.end * PANEL],
            x,
            pairs,
            rows,
        };
        block.products(out);
    }
}

impl Quantised {
    /// Quantises vectors [N, I] of finite numbers for a matrix of I columns, into the buffers of the last call.
    pub(crate) fn fill(&mut self, x: &[f32], columns: usize) {
        let pairs = columns.div_ceil(2);
        let count = x.len() / columns;
        // Sums stay within 32 bits: I · 127 · most < 2³¹.
        let most = (i32::MAX as usize / 127 / (2 * pairs)).min(MOST) as f32;
        self.pairs.resize(count * pairs, [0; 2]);
        self.scales.resize(count, 0.0);
        let lines = self.pairs.chunks_exact_mut(pairs).zip(&mut self.scales);
        for ((line, scale), x) in lines.zip(x.chunks_exact(columns)) {
            let line = line.as_flattened_mut();
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

/// Panels of weights and the vectors that they are multiplied with.
struct Block<'a> {
    weights: &'a [Step],
    scales: &'a [f32],
    x: &'a Quantised,
    /// Steps of a panel.
    pairs: usize,
    /// Rows that are written; the last panel may be longer.
    rows: usize,
}

/// Σ w x of a panel's rows for each of a tile's vectors.
type Sums<const N: usize> = [[i32; PANEL]; N];

/// The loop over a panel's steps, for one instruction set and any number of vectors.
trait Multiply: Copy {
    fn sums<const N: usize>(self, weights: &[Step], inputs: [&[[i16; 2]]; N]) -> Sums<N>;
}

impl Block<'_> {
    /// Writes w x · scales, [N, rows].
    fn products(&self, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw") {
                return x86::vnni(self, out);
            }
            if is_x86_feature_detected!("avx2") {
                return x86::avx2(self, out);
            }
        }
        self.walk(Portable, out);
    }

    /// Walks over the panels; each stays in the first-level cache while all vectors pass.
    #[inline(always)]
    fn walk(&self, kernel: impl Multiply, out: &mut [f32]) {
        let count = self.x.scales.len();
        let panels = self.weights.chunks_exact(self.pairs);
        for (panel, (weights, scales)) in panels.zip(self.scales.chunks_exact(PANEL)).enumerate() {
            let rows = panel * PANEL..self.rows.min((panel + 1) * PANEL);
            let mut vector = 0;
            while vector < count {
                vector += match count - vector {
                    1 => self.tile::<1>(kernel, weights, scales, vector, rows.clone(), out),
                    2 => self.tile::<2>(kernel, weights, scales, vector, rows.clone(), out),
                    3 => self.tile::<3>(kernel, weights, scales, vector, rows.clone(), out),
                    _ => self.tile::<TILE>(kernel, weights, scales, vector, rows.clone(), out),
                };
            }
        }
    }

    /// One panel with N vectors, the first of them `vector`; returns N.
    #[inline(always)]
    fn tile<const N: usize>(
        &self,
        kernel: impl Multiply,
        weights: &[Step],
        scales: &[f32],
        vector: usize,
        rows: Range<usize>,
        out: &mut [f32],
    ) -> usize {
        let input = |n: usize| &self.x.pairs[(vector + n) * self.pairs..][..self.pairs];
        let sums = kernel.sums(weights, std::array::from_fn::<_, N, _>(input));
        for (vector, sums) in (vector..).zip(sums) {
            let place = vector * self.rows;
            let line = &mut out[place + rows.start..place + rows.end];
            let of_vector = self.x.scales[vector];
            for ((out, sum), scale) in line.iter_mut().zip(sums).zip(scales) {
                *out = sum as f32 * (scale * of_vector);
            }
        }
        N
    }
}

/// For processors without the instructions below.
#[derive(Clone, Copy)]
struct Portable;

impl Multiply for Portable {
    #[inline(always)]
    fn sums<const N: usize>(self, weights: &[Step], inputs: [&[[i16; 2]]; N]) -> Sums<N> {
        inputs.map(|input| {
            let mut sums = [0; PANEL];
            for (step, [x0, x1]) in weights.iter().zip(input) {
                for (sum, [w0, w1]) in sums.iter_mut().zip(step.as_chunks::<2>().0) {
                    *sum += i32::from(*w0) * i32::from(*x0) + i32::from(*w1) * i32::from(*x1);
                }
            }
            sums
        })
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "instructions that the compiler may not assume, behind a test that the processor has them"
)]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16,
        _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
        _mm256_storeu_si256, _mm512_cvtepi8_epi16, _mm512_dpwssd_epi32, _mm512_set1_epi32,
        _mm512_setzero_si512, _mm512_storeu_si512,
    };

    use super::{Block, Multiply, PANEL, Step, Sums};

    /// The products with AVX2: 16 weights widened, multiplied in pairs and added.
    pub(super) fn avx2(block: &Block<'_>, out: &mut [f32]) {
        #[target_feature(enable = "avx2")]
        fn all(block: &Block<'_>, out: &mut [f32]) {
            block.walk(Avx2, out);
        }
        // SAFETY: the caller found that the processor has AVX2.
        unsafe { all(block, out) }
    }

    /// The products with AVX-512 VNNI: 32 weights widened, multiplied in pairs and added at once.
    pub(super) fn vnni(block: &Block<'_>, out: &mut [f32]) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
        fn all(block: &Block<'_>, out: &mut [f32]) {
            block.walk(Vnni, out);
        }
        // SAFETY: the caller found that the processor has AVX-512 BW and VNNI.
        unsafe { all(block, out) }
    }

    /// Used by [`avx2`] alone, into whose function it is inlined.
    #[derive(Clone, Copy)]
    struct Avx2;

    /// Used by [`vnni`] alone, into whose function it is inlined.
    #[derive(Clone, Copy)]
    struct Vnni;

    /// The inputs of a step as the 32 bits that go to every row: one load that also spreads them.
    ///
    /// # Safety
    /// There must be so many steps.
    #[inline(always)]
    unsafe fn both(input: &[[i16; 2]], step: usize) -> i32 {
        // SAFETY: the step exists, says the caller, and holds 4 bytes; an unaligned read may find them anywhere.
        unsafe { input.as_ptr().add(step).cast::<i32>().read_unaligned() }
    }

    impl Multiply for Avx2 {
        #[inline(always)]
        fn sums<const N: usize>(self, weights: &[Step], inputs: [&[[i16; 2]]; N]) -> Sums<N> {
            // SAFETY: `avx2` found that the processor has AVX2.
            unsafe { avx2_sums(weights, inputs) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn avx2_sums<const N: usize>(weights: &[Step], inputs: [&[[i16; 2]]; N]) -> Sums<N> {
        let mut sums = [[_mm256_setzero_si256(); 2]; N];
        let inputs = inputs.map(|input| &input[..weights.len()]);
        for (step, weights) in weights.iter().enumerate() {
            let (halves, _) = weights.as_chunks::<PANEL>();
            let wide: [__m256i; 2] = std::array::from_fn(|half| {
                // SAFETY: the half holds 16 bytes; an unaligned load may read them anywhere.
                let bytes: __m128i = unsafe { _mm_loadu_si128(halves[half].as_ptr().cast()) };
                _mm256_cvtepi8_epi16(bytes)
            });
            for (sums, input) in sums.iter_mut().zip(&inputs) {
                // SAFETY: each input was cut to the number of steps.
                let input = _mm256_set1_epi32(unsafe { both(input, step) });
                for (sum, wide) in sums.iter_mut().zip(wide) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(wide, input));
                }
            }
        }
        sums.map(|halves| {
            let mut out = [0i32; PANEL];
            for (out, half) in out.as_chunks_mut::<8>().0.iter_mut().zip(halves) {
                // SAFETY: `out` holds the 32 bytes that an unaligned store writes.
                unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), half) };
            }
            out
        })
    }

    impl Multiply for Vnni {
        #[inline(always)]
        fn sums<const N: usize>(self, weights: &[Step], inputs: [&[[i16; 2]]; N]) -> Sums<N> {
            // SAFETY: `vnni` found that the processor has AVX-512 BW and VNNI.
            unsafe { vnni_sums(weights, inputs) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn vnni_sums<const N: usize>(weights: &[Step], inputs: [&[[i16; 2]]; N]) -> Sums<N> {
        let mut sums = [_mm512_setzero_si512(); N];
        let inputs = inputs.map(|input| &input[..weights.len()]);
        for (step, weights) in weights.iter().enumerate() {
            // SAFETY: the step holds 32 bytes; an unaligned load may read them anywhere.
            let wide = _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) });
            for (sum, input) in sums.iter_mut().zip(&inputs) {
                // SAFETY: each input was cut to the number of steps.
                let input = _mm512_set1_epi32(unsafe { both(input, step) });
                *sum = _mm512_dpwssd_epi32(*sum, wide, input);
            }
        }
        sums.map(|sums| {
            let mut out = [0i32; PANEL];
            // SAFETY: `out` holds the 64 bytes that an unaligned store writes.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sums) };
            out
        })
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
                scales: &matrix.scales,
                x: &x,
                pairs: columns.div_ceil(2),
                rows,
            };
            let (mut fast, mut slow) = (vec![0f32; rows * vectors], vec![0f32; rows * vectors]);
            block.products(&mut fast);
            block.walk(Portable, &mut slow);
            let bits =
                |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            let (fast, slow) = (bits(fast), bits(slow));
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

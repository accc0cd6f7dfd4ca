use std::sync::Arc;

use candle_core::{D, DType, Device, Tensor};

use crate::kernels::attention::Angles;
use crate::kernels::turn::Turn;
use crate::{NnError, RotaryScaling};

/// Rotary position embedding in the half-split layout of Llama checkpoints.
///
/// With angles a = p · base^(−2j / d) for position p and pair j, the halves (x₁, x₂) of a head turn to
/// (x₁ cos a − x₂ sin a, x₂ cos a + x₁ sin a), so that a query and a key meet by their distance alone.
///
/// Source: Su et al., "`RoFormer`: Enhanced Transformer with Rotary Position Embedding", 2021. How this differs from
/// the paper: pairs are (j, j + d/2) instead of (2j, 2j + 1), as in the checkpoints of the Hugging Face layout.
#[derive(Debug, Clone)]
pub struct Rotary {
    cos: Tensor,
    sin: Tensor,
    /// The same numbers for the fused attention, which converts them itself.
    pub(crate) table: (Arc<[f64]>, Arc<[f64]>),
    positions: usize,
}

impl Rotary {
    /// Computes the angles of `positions` positions for heads of an even width.
    ///
    /// # Errors
    /// [`NnError::Config`] for an odd width.
    pub fn new(
        head_width: usize,
        positions: usize,
        base: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, NnError> {
        let scaling = RotaryScaling::Unscaled;
        Self::scaled(head_width, positions, base, scaling, dtype, device)
    }

    /// As [`Rotary::new`], of frequencies that are slowed for longer sequences.
    ///
    /// # Errors
    /// As [`Rotary::new`].
    pub fn scaled(
        head_width: usize,
        positions: usize,
        base: f64,
        scaling: RotaryScaling,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, NnError> {
        if head_width == 0 || head_width % 2 == 1 {
            return Err(NnError::Config {
                field: "head_width",
                value: head_width.to_string(),
                expected: "an even number above 0 for rotary positions",
            });
        }
        let half = head_width / 2;
        let frequencies: Vec<f64> = (0..half)
            .map(|pair| scaling.apply(base.powf(-2.0 * pair as f64 / head_width as f64)))
            .collect();
        let angles: Vec<f64> = (0..positions * half)
            .map(|index| (index / half) as f64 * frequencies[index % half])
            .collect();
        let cos: Vec<f64> = angles.iter().map(|angle| angle.cos()).collect();
        let sin: Vec<f64> = angles.iter().map(|angle| angle.sin()).collect();
        let tensor = |numbers: &[f64]| {
            Tensor::from_slice(numbers, (positions, half), device)?.to_dtype(dtype)
        };
        Ok(Self {
            cos: tensor(&cos)?,
            sin: tensor(&sin)?,
            table: (cos.into(), sin.into()),
            positions,
        })
    }

    /// The number of positions whose angles are known.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// The angles of a batch's positions, for the fused attention.
    ///
    /// # Errors
    /// [`NnError::Shape`] where a position is not below the number of positions.
    pub(crate) fn angles(&self, time: usize, at: Option<&Tensor>) -> Result<Angles, NnError> {
        let at: Option<Vec<u32>> = at.map(|at| at.flatten_all()?.to_vec1()).transpose()?;
        let last = match &at {
            None => time,
            Some(at) => at.iter().max().map_or(0, |last| *last as usize + 1),
        };
        if last > self.positions {
            return Err(NnError::Shape {
                operation: "rotary positions",
                expected: format!("positions below {}", self.positions),
                got: format!("position {}", last - 1),
            });
        }
        Ok(Angles {
            cos: Arc::clone(&self.table.0),
            sin: Arc::clone(&self.table.1),
            at: at.map(Into::into),
        })
    }

    /// Turns queries or keys whose positions are 0, 1, 2, ….
    ///
    /// # Shapes
    /// [B, H, T, D/H] → the same.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where T exceeds the number of positions.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.apply_from(x, 0)
    }

    /// Turns queries or keys whose positions are `first`, `first` + 1, …, as when decoding with a cache.
    ///
    /// # Shapes
    /// [B, H, T, D/H] → the same.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where `first` + T exceeds the number of positions.
    pub fn apply_from(&self, x: &Tensor, first: usize) -> Result<Tensor, NnError> {
        let time = x.dim(2)?;
        let cos = self.cos.narrow(0, first, time)?;
        let sin = self.sin.narrow(0, first, time)?;
        turn(x, &cos, &sin)
    }

    /// Turns queries or keys whose positions are given one by one.
    ///
    /// # Shapes
    /// x [B, H, T, D/H], positions [B, T] in `u32` → as x.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where a position is not below the number of positions.
    pub fn apply_at(&self, x: &Tensor, positions: &Tensor) -> Result<Tensor, NnError> {
        let (batch, time) = positions.dims2()?;
        let pick = |table: &Tensor| {
            let rows = table.index_select(&positions.flatten_all()?, 0)?;
            // [B·T, D/2H] → [B, 1, T, D/2H]
            rows.reshape((batch, 1, time, ()))
        };
        turn(x, &pick(&self.cos)?, &pick(&self.sin)?)
    }
}

fn turn(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor, NnError> {
    if x.device().is_cpu() {
        let turn = Turn::of(x, cos)?;
        let (cos, sin) = (cos.contiguous()?, sin.contiguous()?);
        return Ok(x.contiguous()?.apply_op3(&cos, &sin, turn)?);
    }
    composed(x, cos, sin)
}

/// The same of candle's own operations, for other devices.
fn composed(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor, NnError> {
    let half = x.dim(D::Minus1)? / 2;
    let first = x.narrow(D::Minus1, 0, half)?;
    let second = x.narrow(D::Minus1, half, half)?;
    let turned_first = (first.broadcast_mul(cos)? - second.broadcast_mul(sin)?)?;
    let turned_second = (second.broadcast_mul(cos)? + first.broadcast_mul(sin)?)?;
    Ok(Tensor::cat(&[turned_first, turned_second], D::Minus1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;

    #[test]
    fn equals_the_reference() {
        let Some(golden) = reference() else { return };
        let rope = &golden["rope"];
        let q = tensor(&rope["q"]);
        let (time, width) = q.dims2().expect("a matrix");
        let rotary =
            Rotary::new(width, time + 3, 10_000.0, DType::F64, &Device::Cpu).expect("even");
        let q = q.reshape((1, 1, time, width)).expect("fits");
        assert_close(&rotary.apply(&q).expect("fits"), &rope["half_split"], 1e-6);
        let positions = Tensor::arange(0, time as u32, &Device::Cpu)
            .and_then(|p| p.reshape((1, time)))
            .expect("fits");
        let at = rotary.apply_at(&q, &positions).expect("fits");
        assert_close(&at, &rope["half_split"], 1e-6);
    }

    #[test]
    fn the_fused_operation_equals_the_composed_one() {
        let numbers = |count: u32, step: f64| -> Vec<f64> {
            (0..count).map(|i| (f64::from(i) * step).sin()).collect()
        };
        let x = Tensor::from_vec(numbers(144, 0.7), (2, 3, 4, 6), &Device::Cpu).expect("fits");
        let x = candle_core::Var::from_tensor(&x).expect("floats");
        for (shape, count) in [(vec![4, 3], 12), (vec![2, 1, 4, 3], 24)] {
            let angles = Tensor::from_vec(numbers(count, 1.1), shape, &Device::Cpu);
            let angles = angles.expect("fits");
            let (cos, sin) = (angles.cos().expect("floats"), angles.sin().expect("floats"));
            let gradient = |y: Result<Tensor, NnError>| -> Vec<f64> {
                let loss = y.and_then(|y| Ok(y.exp()?.sum_all()?)).expect("fits");
                let backward = loss.backward().expect("differentiable");
                let gradient = backward.get(&x).expect("depends on it");
                gradient
                    .flatten_all()
                    .and_then(|g| g.to_vec1())
                    .expect("f64")
            };
            let whole = gradient(composed(&x, &cos, &sin));
            for (a, b) in gradient(turn(&x, &cos, &sin)).iter().zip(whole) {
                assert!((a - b).abs() < 1e-12, "{a} is not {b}");
            }
        }
    }

    #[test]
    fn scores_depend_on_the_distance_alone() {
        let rotary = Rotary::new(4, 32, 100.0, DType::F64, &Device::Cpu).expect("even");
        let vector = |values: [f64; 4]| {
            Tensor::new(&values, &Device::Cpu)
                .and_then(|t| t.reshape((1, 1, 1, 4)))
                .expect("fits")
        };
        let (q, k) = (vector([0.3, -1.0, 0.8, 0.2]), vector([1.0, 0.5, -0.4, 0.9]));
        let score = |query_at, key_at| {
            let q = rotary.apply_from(&q, query_at).expect("in range");
            let k = rotary.apply_from(&k, key_at).expect("in range");
            let product = (q * k).and_then(|p| p.sum_all()).expect("fits");
            product.to_scalar::<f64>().expect("f64")
        };
        assert!((score(5, 2) - score(25, 22)).abs() < 1e-12);
        assert!((score(5, 2) - score(5, 4)).abs() > 1e-3);
    }

    #[test]
    fn the_gradient_matches_finite_differences_and_odd_heads_are_refused() {
        let rotary = Rotary::new(4, 8, 10_000.0, DType::F64, &Device::Cpu).expect("even");
        check_gradient(
            &[0.3, -1.0, 2.0, 0.1, 0.4, -0.5, 0.7, 1.1],
            &[1, 1, 2, 4],
            |x| {
                let turned = rotary.apply_from(x, 3)?;
                Ok((turned.sqr()? * 0.5)?.narrow(3, 0, 3)?.sum_all()?)
            },
        );
        assert!(Rotary::new(3, 8, 10_000.0, DType::F64, &Device::Cpu).is_err());
    }
}

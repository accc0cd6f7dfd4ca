use candle_core::Tensor;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::NnError;

/// Whether a forward pass learns or answers, with the generator that a learning pass draws from.
#[derive(Debug)]
pub enum Pass<'a> {
    /// The parameters will be moved by this pass; dropout is active.
    Train(&'a mut ChaCha8Rng),
    /// The result is used as it is; nothing random happens.
    Infer,
}

/// Sets each element to zero with probability `rate` while training and scales the rest by 1 / (1 − rate).
///
/// Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014, in the
/// inverted form that leaves inference untouched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    rate: f64,
}

impl Dropout {
    /// Makes the layer for a rate in [0, 1).
    ///
    /// # Errors
    /// [`NnError::Config`] for a rate outside.
    pub fn new(rate: f64) -> Result<Self, NnError> {
        if (0.0..1.0).contains(&rate) {
            Ok(Self { rate })
        } else {
            Err(NnError::Config {
                field: "dropout",
                value: rate.to_string(),
                expected: "0 or more and below 1",
            })
        }
    }

    /// Whether a pass drops anything.
    pub fn is_active(&self, pass: &Pass<'_>) -> bool {
        self.rate > 0.0 && matches!(pass, Pass::Train(_))
    }

    /// Applies the mask of a learning pass; an answering pass returns `x` as it is.
    ///
    /// # Shapes
    /// any → the same.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn forward(&self, x: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor, NnError> {
        let Pass::Train(rng) = pass else {
            return Ok(x.clone());
        };
        if self.rate == 0.0 {
            return Ok(x.clone());
        }
        let threshold = (self.rate * 65_536.0) as u64;
        let keep = 1.0 / (1.0 - self.rate) as f32;
        // Each 64-bit draw decides four elements, 16 bits apiece.
        let mut bits = 0u64;
        let mask: Vec<f32> = (0..x.elem_count())
            .map(|index| {
                bits = if index % 4 == 0 {
                    rng.next_u64()
                } else {
                    bits >> 16
                };
                if bits & 0xffff < threshold { 0.0 } else { keep }
            })
            .collect();
        let mask = Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?;
        Ok((x * mask)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;
    use candle_core::{DType, Device};

    #[test]
    fn keeps_the_mean_and_drops_the_stated_share() {
        let x = Tensor::ones(40_000, DType::F32, &Device::Cpu).expect("small");
        let layer = Dropout::new(0.25).expect("in range");
        let mut rng = generator(1, "dropout", 0);
        let y = layer.forward(&x, &mut Pass::Train(&mut rng)).expect("fits");
        let y: Vec<f32> = y.to_vec1().expect("f32");
        let dropped = y.iter().filter(|v| **v == 0.0).count() as f64 / 40_000.0;
        assert!((dropped - 0.25).abs() < 0.01, "dropped {dropped}");
        assert!(y.iter().all(|v| *v == 0.0 || (v - 4.0 / 3.0).abs() < 1e-6));
        let same = layer.forward(&x, &mut Pass::Infer).expect("fits");
        assert_eq!(same.to_vec1::<f32>().expect("f32"), vec![1.0; 40_000]);
    }

    #[test]
    fn the_same_generator_gives_the_same_mask_and_a_bad_rate_is_refused() {
        let x = Tensor::ones(64, DType::F32, &Device::Cpu).expect("small");
        let layer = Dropout::new(0.5).expect("in range");
        let draw = |position| {
            let mut rng = generator(1, "dropout", position);
            let y = layer.forward(&x, &mut Pass::Train(&mut rng)).expect("fits");
            y.to_vec1::<f32>().expect("f32")
        };
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
        assert_eq!(
            Dropout::new(1.0).expect_err("all gone").to_string(),
            "`dropout` is 1; expected 0 or more and below 1"
        );
    }
}

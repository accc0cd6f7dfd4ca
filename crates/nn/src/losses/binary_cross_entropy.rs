use candle_core::Tensor;

use crate::NnError;

/// Binary cross-entropy on logits, averaged over all elements.
///
/// L = mean of max(z, 0) − z y + log(1 + exp(−|z|)), which is −y log σ(z) − (1 − y) log(1 − σ(z)) without overflow.
///
/// # Shapes
/// logits and targets of one shape, targets in [0, 1] → scalar.
///
/// # Errors
/// [`NnError::Tensor`] where the shapes differ.
pub fn binary_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor, NnError> {
    let log_term = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    let loss = ((logits.relu()? - (logits * targets)?)? + log_term)?;
    Ok(loss.mean_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::reference;
    use crate::gradients::check_gradient;
    use candle_core::Device;

    #[test]
    fn equals_the_definition_and_the_reference() {
        let y = [1.0, 0.0, 1.0, 0.0];
        let targets = Tensor::new(&y, &Device::Cpu).expect("fits");
        let z = [0.3, -1.2, -40.0, 2.0];
        let logits = Tensor::new(&z, &Device::Cpu).expect("fits");
        let loss = binary_cross_entropy(&logits, &targets).expect("one shape");
        let loss = loss.to_scalar::<f64>().expect("a scalar");
        let by_hand = z.iter().zip(y).map(|(z, y): (&f64, f64)| {
            let p = 1.0 / (1.0 + (-z).exp());
            -y * p.ln() - (1.0 - y) * (1.0 - p).ln()
        });
        assert!((loss - by_hand.sum::<f64>() / 4.0).abs() < 1e-12);
        let Some(golden) = reference() else { return };
        // One positive and three negatives a row: the reference sums over four terms and averages over two rows.
        let z = [1.2, 0.1, -1.0, 0.5, -0.3, 0.7, 0.2, -0.4];
        let y = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        let loss = binary_cross_entropy(
            &Tensor::new(&z, &Device::Cpu).expect("fits"),
            &Tensor::new(&y, &Device::Cpu).expect("fits"),
        );
        let loss = loss
            .and_then(|l| Ok(l.to_scalar::<f64>()?))
            .expect("a scalar")
            * 4.0;
        let expected = golden["losses"]["sasrec_bce_mean(-logsig(pos)-sum logsig(-neg))"].as_f64();
        assert!((loss - expected.expect("a number")).abs() < 1e-7);
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let targets = Tensor::new(&[1.0f64, 0.0, 0.3], &Device::Cpu).expect("fits");
        check_gradient(&[0.4, -2.0, 3.0], &[3], |z| {
            binary_cross_entropy(z, &targets)
        });
    }
}

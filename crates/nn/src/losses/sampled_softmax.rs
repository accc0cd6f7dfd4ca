//! Softmax over the positive and a few sampled negatives instead of the whole catalogue.

use candle_core::Tensor;

use super::negatives::pair;
use crate::{NnError, log_sum_exp};

/// How logits make up for the proposal q from which the negatives were drawn.
///
/// Without a correction, an item that is drawn often is pushed down often, and the model learns the ratio of relevance
/// and popularity. Each slice of log q holds one number for each negative of each row, N · K in row-major order, or K
/// numbers where all rows share their negatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Correction<'a> {
    /// Logits are used as they are: the loss of SASRec-like models with uniform negatives.
    Off,
    /// Negatives become z − log(K q), the positive stays as it is.
    ///
    /// With accidental hits masked, exp(z⁺) + Σ exp(z⁻ − log(K q)) is an unbiased estimate of the sum over the whole
    /// catalogue, so the loss tends to full cross-entropy as K grows. Source: Bengio and Senécal, "Adaptive Importance
    /// Sampling to Accelerate Training of a Neural Probabilistic Language Model", 2008.
    Negatives {
        /// log q of the negatives.
        log_q: &'a [f32],
    },
    /// Positive and negatives alike become z − log q.
    ///
    /// For in-batch negatives, where the positive of a row was drawn as the negatives were. Source: Yi et al.,
    /// "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", 2019.
    All {
        /// log q of the positives, N numbers.
        positive_log_q: &'a [f32],
        /// log q of the negatives.
        log_q: &'a [f32],
    },
}

/// Cross-entropy of the positive against sampled negatives, averaged over the rows.
///
/// L = mean of −log( exp(s⁺) / (exp(s⁺) + Σₖ exp(s⁻ₖ)) ), where s are the logits z after the [`Correction`]. A negative
/// that is the positive itself must not count: `hits` are the (row, negative) places to leave out, see
/// [`accidental_hits`](super::accidental_hits).
///
/// How this differs: the papers let an accidental hit count twice; here it counts once, as the positive.
///
/// # Shapes
/// positive [N], negatives [N, K] → scalar.
///
/// # Errors
/// [`NnError::Shape`] where logits, log q or hits do not fit together or there is no row or no negative,
/// [`NnError::Config`] where a log q is not finite.
pub fn sampled_softmax(
    positive: &Tensor,
    negatives: &Tensor,
    correction: Correction<'_>,
    hits: &[(u32, u32)],
) -> Result<Tensor, NnError> {
    let (rows, count) = pair("sampled softmax", positive, negatives)?;
    let (positive_shift, mut shifts) = match correction {
        Correction::Off => (vec![0.0; rows], vec![0.0; rows * count]),
        Correction::Negatives { log_q } => {
            let log_count = (count as f32).ln();
            let shifts = per_negative(log_q, rows, count)?;
            let shifts = shifts.map(|log_q| -log_count - log_q).collect();
            (vec![0.0; rows], shifts)
        }
        Correction::All {
            positive_log_q,
            log_q,
        } => {
            if positive_log_q.len() != rows {
                let got = format!("{} of the positives", positive_log_q.len());
                return Err(mismatch(&format!("{rows} log q of the positives"), got));
            }
            finite(positive_log_q)?;
            let shifts = per_negative(log_q, rows, count)?.map(|log_q| -log_q);
            (
                positive_log_q.iter().map(|q| -q).collect(),
                shifts.collect(),
            )
        }
    };
    for (row, negative) in hits {
        let place = *row as usize * count + *negative as usize;
        if *row as usize >= rows || *negative as usize >= count {
            let got = format!("a hit at row {row}, negative {negative}");
            return Err(mismatch(&format!("hits within [{rows}, {count}]"), got));
        }
        // exp(−∞) is exactly 0: a hit adds neither to the sum nor to the gradient.
        shifts[place] = f32::NEG_INFINITY;
    }
    let (device, dtype) = (positive.device(), positive.dtype());
    let shift = Tensor::from_vec(positive_shift, rows, device)?.to_dtype(dtype)?;
    let positive = (positive + shift)?;
    let shifts = Tensor::from_vec(shifts, (rows, count), device)?.to_dtype(dtype)?;
    let negatives = (negatives + shifts)?;
    // [N, 1] and [N, K] → [N, 1 + K]
    let all = Tensor::cat(&[&positive.unsqueeze(1)?, &negatives], 1)?;
    Ok((log_sum_exp(&all)? - positive)?.mean_all()?)
}

/// The log q of every negative of every row, repeated where the rows share them.
fn per_negative(
    log_q: &[f32],
    rows: usize,
    count: usize,
) -> Result<impl Iterator<Item = f32>, NnError> {
    if log_q.len() != count && log_q.len() != rows * count {
        let expected = format!("{count} or {} log q of the negatives", rows * count);
        return Err(mismatch(&expected, format!("{}", log_q.len())));
    }
    finite(log_q)?;
    Ok(log_q.iter().copied().cycle().take(rows * count))
}

fn finite(log_q: &[f32]) -> Result<(), NnError> {
    match log_q.iter().position(|q| !q.is_finite()) {
        None => Ok(()),
        Some(index) => Err(NnError::Config {
            field: "log_q",
            value: format!("{} at {index}", log_q[index]),
            expected: "finite numbers: the proposal must be able to draw every item that it scores",
        }),
    }
}

fn mismatch(expected: &str, got: String) -> NnError {
    NnError::Shape {
        operation: "sampled softmax",
        expected: expected.to_owned(),
        got,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use crate::losses::{NegativeSampler, accidental_hits, cross_entropy};
    use crate::random::generator;
    use candle_core::Device;

    fn new(values: &[f64], shape: &[usize]) -> Tensor {
        Tensor::from_slice(values, shape, &Device::Cpu).expect("fits")
    }

    fn value(loss: Result<Tensor, NnError>) -> f64 {
        let loss = loss.expect("fits");
        loss.to_scalar().expect("a scalar")
    }

    #[test]
    fn equals_the_reference() {
        let Some(golden) = reference() else { return };
        let losses = &golden["losses"];
        let (positive, negatives) = (tensor(&losses["pos"]), tensor(&losses["neg"]));
        let loss = sampled_softmax(&positive, &negatives, Correction::Off, &[]);
        assert_close(&loss.expect("fits"), &losses["sampled_softmax"], 1e-7);
    }

    #[test]
    fn corrections_are_what_they_say() {
        let (positive, negatives) = (new(&[0.5, -1.0], &[2]), new(&[1., 2., 0., -1.], &[2, 2]));
        let [q, p]: [[f32; 2]; 2] = [[0.2, 0.6], [0.1, 0.3]];
        let by_hand = |s: [[f64; 3]; 2]| {
            let row = |s: [f64; 3]| s.iter().map(|s| s.exp()).sum::<f64>().ln() - s[0];
            f64::midpoint(row(s[0]), row(s[1]))
        };
        let ln = |x: f32| f64::from(x).ln();
        let log_q = &q.map(f32::ln);
        let loss = value(sampled_softmax(
            &positive,
            &negatives,
            Correction::Negatives { log_q },
            &[],
        ));
        let [a, b] = [ln(2.0 * q[0]), ln(2.0 * q[1])];
        let expected = by_hand([[0.5, 1.0 - a, 2.0 - b], [-1.0, -a, -1.0 - b]]);
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
        let correction = Correction::All {
            positive_log_q: &p.map(f32::ln),
            log_q,
        };
        let loss = value(sampled_softmax(&positive, &negatives, correction, &[]));
        let [a, b] = [ln(q[0]), ln(q[1])];
        let expected = by_hand([
            [0.5 - ln(p[0]), 1.0 - a, 2.0 - b],
            [-1.0 - ln(p[1]), -a, -1.0 - b],
        ]);
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
        // A masked negative counts as if it were not there, and repeating the shared log q changes nothing.
        let each = [log_q.as_slice(), log_q].concat();
        let hits = [(0, 1), (1, 1)];
        let masked = sampled_softmax(
            &positive,
            &negatives,
            Correction::All {
                positive_log_q: &p.map(f32::ln),
                log_q: &each,
            },
            &hits,
        );
        let narrow = sampled_softmax(
            &positive,
            &new(&[1.0, 0.0], &[2, 1]),
            Correction::All {
                positive_log_q: &p.map(f32::ln),
                log_q: &log_q[..1],
            },
            &[],
        );
        assert!((value(masked) - value(narrow)).abs() < 1e-12);
    }

    #[test]
    fn many_corrected_negatives_tend_to_full_cross_entropy() {
        let logits = [1.0, -0.5, 2.0, 0.3, -1.2];
        let full = value(cross_entropy(&new(&logits, &[1, 5]), &[2], 0.0));
        let sampler = NegativeSampler::popularity(&[50, 1, 10, 3, 8], 0.75).expect("counts");
        let count = 200_000;
        let drawn = sampler.draw(count, &mut generator(5, "negatives", 0));
        let chosen: Vec<f64> = drawn.ids.iter().map(|id| logits[*id as usize]).collect();
        let loss = value(sampled_softmax(
            &new(&[2.0], &[1]),
            &new(&chosen, &[1, count]),
            Correction::Negatives {
                log_q: &drawn.log_q,
            },
            &accidental_hits(&[2], &drawn.ids, count).expect("fits"),
        ));
        assert!((loss - full).abs() < 0.01, "{loss} is not {full}");
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let correction = Correction::All {
            positive_log_q: &[-1.0, -2.0],
            log_q: &[-0.5, -3.0, -1.5],
        };
        let (positive, negatives) = ([0.4, -2.0], [0.3, 1.0, -1.0, 0.2, 0.0, 2.5]);
        let fixed = new(&negatives, &[2, 3]);
        check_gradient(&positive, &[2], |z| {
            sampled_softmax(z, &fixed, correction, &[(1, 2)])
        });
        let fixed = new(&positive, &[2]);
        check_gradient(&negatives, &[2, 3], |z| {
            sampled_softmax(&fixed, z, correction, &[(1, 2)])
        });
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |rows, negatives: &[usize], correction, hits: &[(u32, u32)]| {
            let count = negatives.iter().product();
            let positive = new(&vec![0.0; rows], &[rows]);
            let negatives = new(&vec![0.0; count], negatives);
            let error = sampled_softmax(&positive, &negatives, correction, hits);
            error.expect_err("does not fit").to_string()
        };
        let log_q = |log_q| Correction::Negatives { log_q };
        let all = |positive_log_q| Correction::All {
            positive_log_q,
            log_q: &[0.0; 3],
        };
        let cases = [
            (
                message(2, &[3, 4], Correction::Off, &[]),
                "sampled softmax: expected positives [N] and negatives [N, K] with N and K above 0, got [2] and [3, 4]; check the sizes given to the layer",
            ),
            (
                message(2, &[2, 3], log_q(&[0.0; 4]), &[]),
                "sampled softmax: expected 3 or 6 log q of the negatives, got 4; check the sizes given to the layer",
            ),
            (
                message(2, &[2, 3], all(&[0.0; 3]), &[]),
                "sampled softmax: expected 2 log q of the positives, got 3 of the positives; check the sizes given to the layer",
            ),
            (
                message(2, &[2, 3], Correction::Off, &[(0, 0), (2, 0)]),
                "sampled softmax: expected hits within [2, 3], got a hit at row 2, negative 0; check the sizes given to the layer",
            ),
            (
                message(2, &[2, 3], log_q(&[0.0, f32::NEG_INFINITY, 0.0]), &[]),
                "`log_q` is -inf at 1; expected finite numbers: the proposal must be able to draw every item that it scores",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }
}

//! Seeded nucleus sampling.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::config::DecodingConfig;

/// A drawn token and its log-probability under the model, as if every token had been allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drawn {
    pub(super) token: u32,
    pub(super) log_probability: f64,
}

/// Draws one of the allowed tokens from the nucleus of their distribution; nothing where none is allowed.
///
/// `log_probabilities` are the model's for all tokens.
///
/// The nucleus is the smallest set of the likeliest tokens whose probability reaches `top_p`. Source: Holtzman et al.,
/// "The Curious Case of Neural Text Degeneration", 2020. How this differs from the paper: the distribution is first
/// limited to the allowed tokens and then cooled by the temperature.
pub(super) fn draw(
    log_probabilities: &[f32],
    allowed: &[u32],
    decoding: &DecodingConfig,
    rng: &mut ChaCha8Rng,
) -> Option<Drawn> {
    let best = allowed
        .iter()
        .map(|token| log_probabilities[*token as usize]);
    let best = best.fold(f32::NEG_INFINITY, f32::max);
    let weight = |token: &u32| {
        let above = f64::from(log_probabilities[*token as usize] - best);
        (*token, (above / decoding.temperature).exp())
    };
    let mut weights: Vec<(u32, f64)> = allowed.iter().map(weight).collect();
    // The order of equal weights is that of the ids: the sort is stable.
    weights.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut nucleus = 0.0;
    let mut length = 0;
    for (_, weight) in &weights {
        if nucleus >= decoding.top_p * total {
            break;
        }
        nucleus += weight;
        length += 1;
    }
    let mut left = rng.random::<f64>() * nucleus;
    let chosen = weights[..length].iter().find(|(_, weight)| {
        left -= weight;
        left < 0.0
    });
    // Rounding may leave a hair over the last one.
    let (token, _) = *chosen.or(weights[..length].last())?;
    Some(Drawn {
        token,
        log_probability: f64::from(log_probabilities[token as usize]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(decoding: DecodingConfig, allowed: &[u32]) -> Vec<usize> {
        let probabilities = [0.5f32, 0.3, 0.15, 0.05];
        let logits = probabilities.map(f32::ln);
        let mut rng = nn::generator(1, "sample", 0);
        let mut counts = vec![0; 4];
        for _ in 0..10_000 {
            let drawn = draw(&logits, allowed, &decoding, &mut rng).expect("one is allowed");
            let expected = f64::from(probabilities[drawn.token as usize].ln());
            assert!((drawn.log_probability - expected).abs() < 1e-6);
            counts[drawn.token as usize] += 1;
        }
        counts
    }

    #[test]
    fn the_nucleus_is_drawn_in_proportion() {
        let open = DecodingConfig {
            temperature: 1.0,
            top_p: 1.0,
            ..DecodingConfig::default()
        };
        let all = counts(open, &[0, 1, 2, 3]);
        for (count, expected) in all.iter().zip([5_000, 3_000, 1_500, 500]) {
            assert!(count.abs_diff(expected) < 150, "{all:?}");
        }
        let narrow = DecodingConfig { top_p: 0.8, ..open };
        let two = counts(narrow, &[0, 1, 2, 3]);
        assert!(
            two[0].abs_diff(6_250) < 150 && two[2] + two[3] == 0,
            "{two:?}"
        );
        let fenced = counts(narrow, &[2, 3]);
        assert_eq!(
            (fenced[0], fenced[1], fenced[3]),
            (0, 0, 2_500.min(fenced[3]))
        );
        let cold = DecodingConfig {
            temperature: 0.01,
            ..open
        };
        assert_eq!(counts(cold, &[1, 3]), [0, 10_000, 0, 0]);
        let mut rng = nn::generator(1, "sample", 0);
        assert_eq!(draw(&[0.0; 4], &[], &open, &mut rng), None);
    }
}

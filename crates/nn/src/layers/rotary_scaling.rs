/// How the frequencies of rotary positions are slowed, so that a model reads sequences longer than those it was first
/// trained on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum RotaryScaling {
    /// The frequencies stay.
    #[default]
    Unscaled,
    /// Every frequency is divided by the factor.
    ///
    /// Source: Chen et al., "Extending Context Window of Large Language Models via Positional Interpolation", 2023.
    Linear {
        /// How much longer sequences may be, 1 or more.
        factor: f64,
    },
    /// Slow frequencies are divided by the factor, fast ones stay, and those between are mixed.
    ///
    /// Source: `apply_scaling` in Meta's `llama-models`, with Grattafiori et al., "The Llama 3 Herd of Models", 2024.
    Llama3 {
        /// How much longer sequences may be, 1 or more.
        factor: f64,
        /// A frequency that turns fewer times than this within `original_positions` is divided.
        slow_turns: f64,
        /// A frequency that turns more times than this within `original_positions` stays; above `slow_turns`.
        fast_turns: f64,
        /// The positions of the sequences that the model was first trained on.
        original_positions: usize,
    },
}

impl RotaryScaling {
    /// The frequency that is used in the place of one, both in radians a position.
    pub fn apply(self, frequency: f64) -> f64 {
        match self {
            Self::Unscaled => frequency,
            Self::Linear { factor } => frequency / factor,
            Self::Llama3 {
                factor,
                slow_turns,
                fast_turns,
                original_positions,
            } => {
                let turns = original_positions as f64 * frequency / std::f64::consts::TAU;
                let kept = ((turns - slow_turns) / (fast_turns - slow_turns)).clamp(0.0, 1.0);
                kept * frequency + (1.0 - kept) * frequency / factor
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn slow_frequencies_are_divided_and_fast_ones_stay() {
        let llama3 = RotaryScaling::Llama3 {
            factor: 8.0,
            slow_turns: 1.0,
            fast_turns: 4.0,
            original_positions: 64,
        };
        // A wave of L positions turns 64 / L times: 32 → 2 turns, a third of the way from 1 to 4.
        let cases = [
            (16.0, 1.0),
            (8.0, 1.0),
            (64.0, 0.125),
            (500.0, 0.125),
            (32.0, 1.0 / 3.0 + 2.0 / 3.0 / 8.0),
        ];
        for (wave, ratio) in cases {
            let scaled = llama3.apply(TAU / wave) / (TAU / wave);
            assert!((scaled - ratio).abs() < 1e-12, "{wave}: {scaled}");
        }
        let (unscaled, linear) = (
            RotaryScaling::Unscaled,
            RotaryScaling::Linear { factor: 4.0 },
        );
        assert_eq!((unscaled.apply(0.5), linear.apply(0.5)), (0.5, 0.125));
    }
}

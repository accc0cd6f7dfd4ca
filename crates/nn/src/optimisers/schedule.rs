use std::f64::consts::PI;

/// Learning rate that rises linearly, then falls along half a cosine to a floor.
///
/// η(t) = peak · (t + 1) / warm-up while t < warm-up, then floor + (peak − floor) · (1 + cos(π · progress)) / 2 with
/// progress from 0 at the end of the warm-up to 1 at the last step.
///
/// Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, without restarts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmupCosine {
    /// The highest rate.
    pub peak: f64,
    /// The rate at the end.
    pub floor: f64,
    /// Steps of the rise.
    pub warmup_steps: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
}

impl WarmupCosine {
    /// The learning rate of a step, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return self.peak * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let falling = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = ((step - self.warmup_steps) as f64 / falling as f64).min(1.0);
        self.floor + (self.peak - self.floor) * (1.0 + (PI * progress).cos()) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_falls_and_stays_at_the_floor() {
        let schedule = WarmupCosine {
            peak: 1.0,
            floor: 0.1,
            warmup_steps: 4,
            total_steps: 14,
        };
        let expected = [
            (0, 0.25),
            (3, 1.0),
            (4, 1.0),
            (9, 0.55),
            (14, 0.1),
            (99, 0.1),
        ];
        for (step, rate) in expected {
            assert!((schedule.at(step) - rate).abs() < 1e-12, "step {step}");
        }
    }

    #[test]
    fn no_warm_up_starts_at_the_peak() {
        let schedule = WarmupCosine {
            peak: 0.5,
            floor: 0.0,
            warmup_steps: 0,
            total_steps: 10,
        };
        assert!((schedule.at(0) - 0.5).abs() < 1e-12);
    }
}

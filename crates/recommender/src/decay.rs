use crate::RecommenderError;

const DAY_S: f64 = 86_400.0;

/// The weight of something `age_s` seconds old: 2^(−age / half-life); 1 for an infinite half-life or no age.
pub(crate) fn decay(age_s: i64, half_life_days: f64) -> f64 {
    (-(age_s.max(0) as f64) / (half_life_days * DAY_S)).exp2()
}

/// Verifies that a half-life is above 0; infinity stands for no forgetting.
pub(crate) fn check_half_life(
    field: &'static str,
    half_life_days: f64,
) -> Result<(), RecommenderError> {
    if half_life_days > 0.0 {
        return Ok(());
    }
    Err(RecommenderError::Setting {
        field,
        value: half_life_days.to_string(),
        expected: "a number of days above 0, or inf",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weight_halves_with_each_half_life() {
        assert!((decay(86_400 * 20, 10.0) - 0.25).abs() < 1e-12);
        assert!((decay(0, 10.0) - 1.0).abs() < 1e-12);
        assert!((decay(-5, 10.0) - 1.0).abs() < 1e-12);
        assert!((decay(1 << 40, f64::INFINITY) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_half_life_of_nothing_is_refused() {
        assert!(check_half_life("half_life_days", f64::INFINITY).is_ok());
        for bad in [0.0, -1.0, f64::NAN] {
            let error = check_half_life("half_life_days", bad).expect_err("bad");
            assert_eq!(
                error.to_string(),
                format!("`half_life_days` is {bad}; expected a number of days above 0, or inf")
            );
        }
    }
}

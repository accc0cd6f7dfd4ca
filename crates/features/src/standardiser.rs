use serde::{Deserialize, Serialize};

use crate::FeatureError;

/// Brings each column to mean 0 and standard deviation 1: `z = (x − mean) / std`.
///
/// It is fitted on the rows of the training window alone and saved with the model. The parameters are kept in single
/// precision, so that every JSON reader gives the same bits back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standardiser {
    mean: Vec<f32>,
    std: Vec<f32>,
}

/// Standard deviations below this part of the column's size are rounding: the column is constant.
const CONSTANT_BELOW: f64 = 1e-9;

impl Standardiser {
    /// Takes the mean and the population standard deviation of each column; a constant column gets 1, so that it
    /// becomes 0.
    ///
    /// # Shapes
    /// `rows`: N rows of the same width.
    ///
    /// # Errors
    /// [`FeatureError::NoRows`], [`FeatureError::Width`] for a row of another width than the first, and
    /// [`FeatureError::NotFinite`].
    pub fn fit<R: AsRef<[f64]>>(rows: &[R]) -> Result<Self, FeatureError> {
        let width = check_rows(rows)?;
        let count = rows.len() as f64;
        let column = |column: usize| rows.iter().map(move |row| row.as_ref()[column]);
        let mut standardiser = Self {
            mean: Vec::with_capacity(width),
            std: Vec::with_capacity(width),
        };
        for index in 0..width {
            let mean = column(index).sum::<f64>() / count;
            let variance = column(index).map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let std = variance.sqrt();
            let is_constant = std <= CONSTANT_BELOW * mean.abs().max(1.0);
            standardiser.mean.push(mean as f32);
            standardiser
                .std
                .push(if is_constant { 1.0 } else { std as f32 });
        }
        Ok(standardiser)
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// Standardises one row.
    ///
    /// # Shapes
    /// `row`: as wide as the rows it was fitted on; the result is as wide.
    ///
    /// # Errors
    /// [`FeatureError::Width`] for a row of another width.
    pub fn apply(&self, row: &[f64]) -> Result<Vec<f32>, FeatureError> {
        if row.len() != self.width() {
            return Err(FeatureError::Width {
                row: 0,
                found: row.len(),
                expected: self.width(),
            });
        }
        Ok(row
            .iter()
            .zip(self.mean.iter().zip(&self.std))
            .map(|(x, (mean, std))| ((x - f64::from(*mean)) / f64::from(*std)) as f32)
            .collect())
    }
}

/// Confirms that there are rows, of one width and of finite values, and returns the width.
pub(crate) fn check_rows<R: AsRef<[f64]>>(rows: &[R]) -> Result<usize, FeatureError> {
    let expected = rows.first().ok_or(FeatureError::NoRows)?.as_ref().len();
    for (row, values) in rows.iter().enumerate() {
        let values = values.as_ref();
        if values.len() != expected {
            return Err(FeatureError::Width {
                row,
                found: values.len(),
                expected,
            });
        }
        if let Some(column) = values.iter().position(|value| !value.is_finite()) {
            return Err(FeatureError::NotFinite {
                row,
                column,
                value: values[column],
            });
        }
    }
    Ok(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_to_mean_zero_and_deviation_one() {
        // Column 0: mean 5, population deviation 2; column 1 is constant up to rounding.
        let rows: Vec<[f64; 2]> = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
            .iter()
            .map(|x| [*x, 0.1 + 0.2 - 0.3 * (x / x)])
            .collect();
        let standardiser = Standardiser::fit(&rows).expect("fits");
        let z = |x: f64| standardiser.apply(&[x, 0.0]).expect("same width")[0];
        assert_eq!((z(9.0) * 1e6).round() as i64, 2_000_000);
        assert_eq!((z(5.0) * 1e6).round() as i64, 0);
        let constant = standardiser.apply(&rows[0]).expect("same width")[1];
        assert!(constant.abs() < 1e-6, "{constant}");
    }

    #[test]
    fn it_is_saved_bit_for_bit() {
        let rows: Vec<Vec<f64>> = (0..50)
            .map(|i| {
                (0..20)
                    .map(|j| (f64::from(i * 31 + j * 17) * 0.37).sin() * 1e3)
                    .collect()
            })
            .collect();
        let standardiser = Standardiser::fit(&rows).expect("fits");
        let json = serde_json::to_string(&standardiser).expect("serialises");
        let back: Standardiser = serde_json::from_str(&json).expect("parses");
        assert_eq!(back, standardiser);
    }

    #[test]
    fn bad_rows_are_named() {
        let none: [[f64; 1]; 0] = [];
        assert_eq!(Standardiser::fit(&none), Err(FeatureError::NoRows));
        assert_eq!(
            Standardiser::fit(&[vec![1.0, 2.0], vec![1.0]])
                .expect_err("ragged")
                .to_string(),
            "row 1 has 1 columns where 2 are expected; build every row with the same version of the features"
        );
        assert_eq!(
            Standardiser::fit(&[[1.0], [f64::INFINITY]])
                .expect_err("infinite")
                .to_string(),
            "row 1, column 0 is inf; repair the row before it is used"
        );
        let fitted = Standardiser::fit(&[[1.0], [2.0]]).expect("fits");
        assert!(fitted.apply(&[1.0, 2.0]).is_err());
    }
}

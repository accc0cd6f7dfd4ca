//! Outliers by the modified z-score (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", ASQC 1993):
//! `z = 0.6745 · (x − median) / MAD`, MAD being the median of `|x − median|`.
//!
//! How this differs from the paper: where more than half of a column is one value, so that MAD is 0, the mean absolute
//! deviation takes its place, `z = (x − median) / (1.2533 · mean|x − median|)`, as SPSS does. Both factors make `z` the
//! ordinary z-score of a normal column.

use crate::{FeatureError, decayed::median, standardiser::check_rows};

/// A value far from the middle of its column.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlier {
    /// Number of the row, from 0.
    pub row: usize,
    /// Name of the column.
    pub feature: String,
    /// The value.
    pub value: f64,
    /// The modified z-score, negative below the median.
    pub robust_z: f64,
}

/// Finds the values whose modified z-score exceeds `threshold` (3.5 in the paper) in size, largest first.
///
/// # Shapes
/// `rows`: N rows as wide as `names`.
///
/// # Errors
/// [`FeatureError::NoRows`], [`FeatureError::Width`] for a row of another width than `names`, and
/// [`FeatureError::NotFinite`].
pub fn outliers<R: AsRef<[f64]>>(
    rows: &[R],
    names: &[&str],
    threshold: f64,
) -> Result<Vec<Outlier>, FeatureError> {
    let width = check_rows(rows)?;
    if width != names.len() {
        return Err(FeatureError::Width {
            row: 0,
            found: width,
            expected: names.len(),
        });
    }
    let mut found = Vec::new();
    for (column, name) in names.iter().enumerate() {
        let values: Vec<f64> = rows.iter().map(|row| row.as_ref()[column]).collect();
        let Some((middle, scale)) = middle_and_scale(&values) else {
            continue;
        };
        for (row, value) in values.into_iter().enumerate() {
            let robust_z = (value - middle) / scale;
            if robust_z.abs() > threshold {
                found.push(Outlier {
                    row,
                    feature: (*name).to_owned(),
                    value,
                    robust_z,
                });
            }
        }
    }
    found.sort_by(|a, b| b.robust_z.abs().total_cmp(&a.robust_z.abs()));
    Ok(found)
}

/// The median of a column and the scale of its z-scores; `None` for a constant column.
fn middle_and_scale(values: &[f64]) -> Option<(f64, f64)> {
    let middle = median(values.to_vec())?;
    let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let mean_deviation = deviations.iter().sum::<f64>() / deviations.len() as f64;
    let mad = median(deviations)?;
    let scale = if mad > 0.0 {
        mad / 0.674_489_750_196_081_7
    } else {
        mean_deviation * (std::f64::consts::PI / 2.0).sqrt()
    };
    (scale > 0.0).then_some((middle, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_eighty_thousand_pieces_is_named_first() {
        let pieces = [12.0, 10.0, 11.0, 9.0, 13.0, 80_995.0, 74_215.0, 14.0, 8.0];
        let rows: Vec<[f64; 2]> = pieces.iter().map(|x| [1.0, *x]).collect();
        let found = outliers(&rows, &["orders", "pieces"], 3.5).expect("rows");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].row, found[0].feature.as_str()), (5, "pieces"));
        assert_eq!(found[1].row, 6);
        // Median 12; the deviations 0 1 1 2 2 3 4 … have the median 2.
        let expected = 0.674_489_750_196_081_7 * (80_995.0 - 12.0) / 2.0;
        assert!((found[0].robust_z - expected).abs() < 1e-6);
    }

    #[test]
    fn a_column_that_is_mostly_zero_still_has_outliers() {
        let rows: Vec<[f64; 1]> = (0..20).map(|i| [if i == 7 { -5.0 } else { 0.0 }]).collect();
        let found = outliers(&rows, &["refunds"], 3.5).expect("rows");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].row, 7);
        // Mean absolute deviation 5 / 20.
        let expected = -5.0 / (0.25 * (std::f64::consts::PI / 2.0).sqrt());
        assert!((found[0].robust_z - expected).abs() < 1e-12);
    }

    #[test]
    fn names_and_rows_must_agree() {
        let error = outliers(&[[1.0, 2.0]], &["one"], 3.5).expect_err("one name");
        assert!(matches!(
            error,
            FeatureError::Width {
                found: 2,
                expected: 1,
                ..
            }
        ));
    }
}

//! Public sets of reviews: who wrote what about which item, and when.

use serde::Deserialize;

use crate::DatasetError;

/// A shopper's words about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who wrote it.
    pub shopper: String,
    /// What it is about.
    pub item: String,
    /// Stars, 1 to 5.
    pub rating: u8,
    /// Its headline; may be empty.
    pub headline: String,
    /// Its text; may be empty.
    pub text: String,
    /// When, in Unix seconds; sets of Amazon's know the day alone.
    pub at_s: i64,
}

/// Reviews in the order of their time; those of one moment are in the order of the file.
///
/// ```
/// use datasets::ReviewSet;
///
/// let line = r#"{"reviewerID": "A", "asin": "B", "overall": 5.0, "summary": "Fine", "reviewText": "It works.",
///     "unixReviewTime": 1393545600}"#.replace('\n', "");
/// assert_eq!(ReviewSet::amazon(&line)?.reviews[0].text, "It works.");
/// # Ok::<(), datasets::DatasetError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewSet {
    /// The reviews.
    pub reviews: Vec<Review>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(rename = "reviewerID")]
    reviewer_id: String,
    asin: String,
    overall: f64,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    review_text: String,
    unix_review_time: i64,
}

impl ReviewSet {
    /// Reads the JSON lines in which Amazon's reviews are handed round.
    ///
    /// Source: `McAuley` et al., "Image-based Recommendations on Styles and Substitutes", 2015.
    ///
    /// # Errors
    /// [`DatasetError::Line`] for the first line that cannot be read, and for a file without one.
    pub fn amazon(lines: &str) -> Result<Self, DatasetError> {
        let fault = |line: usize, what: String| DatasetError::Line {
            file: "reviews",
            line,
            what,
        };
        let mut reviews = Vec::new();
        let rows = (1..).zip(lines.lines());
        for (line, text) in rows.filter(|(_, text)| !text.trim().is_empty()) {
            let row: Row =
                serde_json::from_str(text).map_err(|error| fault(line, error.to_string()))?;
            if !(1.0..=5.0).contains(&row.overall) {
                let what = format!("`overall` is {}, not 1 to 5", row.overall);
                return Err(fault(line, what));
            }
            reviews.push(Review {
                shopper: row.reviewer_id,
                item: row.asin,
                rating: row.overall.round() as u8,
                headline: row.summary.trim().to_owned(),
                text: row.review_text.trim().to_owned(),
                at_s: row.unix_review_time,
            });
        }
        if reviews.is_empty() {
            return Err(fault(1, "there is no review".to_owned()));
        }
        reviews.sort_by_key(|review| review.at_s);
        Ok(Self { reviews })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(shopper: &str, rating: f64, at_s: i64) -> String {
        format!(
            r#"{{"reviewerID": "{shopper}", "asin": "B", "overall": {rating}, "reviewText": " It works. ", "helpful": [0, 0], "unixReviewTime": {at_s}}}"#
        )
    }

    #[test]
    fn reviews_come_in_the_order_of_their_time() {
        let lines = [line("a", 5.0, 20), line("b", 1.0, 10), line("c", 2.0, 20)];
        let set = ReviewSet::amazon(&lines.join("\n")).expect("well formed");
        let shoppers: Vec<&str> = set.reviews.iter().map(|r| r.shopper.as_str()).collect();
        assert_eq!(shoppers, ["b", "a", "c"]);
        let first = &set.reviews[0];
        assert_eq!((first.rating, first.text.as_str()), (1, "It works."));
        assert_eq!(first.headline, "");
    }

    #[test]
    fn a_bad_line_is_named() {
        for (lines, message) in [
            (
                "\n".to_owned(),
                "line 1 of the reviews: there is no review; `hawker evaluate --help` shows the forms that are read",
            ),
            (
                format!("{}\n{}", line("a", 5.0, 1), line("a", 9.0, 1)),
                "line 2 of the reviews: `overall` is 9, not 1 to 5; `hawker evaluate --help` shows the forms that are read",
            ),
        ] {
            let error = ReviewSet::amazon(&lines).expect_err(message);
            assert_eq!(error.to_string(), message);
        }
    }
}

//! Recency, frequency and monetary value in quintiles (Hughes, "Strategic Database Marketing", 1994).
//!
//! How this differs from the book: equal values always get equal scores. A score is `1 + ⌊5 · below / N⌋`, `below` being
//! the number of shoppers who are strictly worse; the book sorts and cuts, which tells shoppers with one order each apart
//! by their place in the file.

use events::Timestamp;

use crate::{Profile, vector::position};

/// One shopper's scores, each 1 (lowest fifth) to 5 (best fifth).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RfmScore {
    /// How recent the last order is.
    pub recency: u8,
    /// How many orders there are.
    pub frequency: u8,
    /// How much was spent.
    pub monetary: u8,
}

/// The scores of all shoppers with an order, for an overview.
#[derive(Debug, Clone, PartialEq)]
pub struct RfmTable {
    scores: Vec<Option<RfmScore>>,
}

/// A cell of the overview.
#[derive(Debug, Clone, PartialEq)]
pub struct RfmGroup {
    /// What marketers call the group.
    pub name: &'static str,
    /// Shoppers in it.
    pub shoppers: usize,
}

impl RfmTable {
    /// Scores the profiles at `now`, in their order; a shopper without an order gets no score.
    pub fn new<'a>(profiles: impl IntoIterator<Item = &'a Profile>, now: Timestamp) -> Self {
        let columns = ["recency_days", "orders", "spend"].map(position);
        let rows: Vec<Option<[f64; 3]>> = profiles
            .into_iter()
            .map(|profile| {
                let raw = profile.features(now).raw;
                let [days, orders, spend] = columns.map(|column| column.map_or(0.0, |i| raw[i]));
                // The fewer days the better.
                (orders > 0.0).then_some([-days, orders, spend])
            })
            .collect();
        let known: Vec<[f64; 3]> = rows.iter().flatten().copied().collect();
        let sorted = [0, 1, 2].map(|column| {
            let mut values: Vec<f64> = known.iter().map(|row| row[column]).collect();
            values.sort_by(f64::total_cmp);
            values
        });
        let score = |row: &[f64; 3]| {
            let [recency, frequency, monetary] =
                [0, 1, 2].map(|column| quintile(&sorted[column], row[column]));
            RfmScore {
                recency,
                frequency,
                monetary,
            }
        };
        Self {
            scores: rows.iter().map(|row| row.as_ref().map(score)).collect(),
        }
    }

    /// The scores in the order of the profiles; `None` for a shopper without an order.
    pub fn scores(&self) -> &[Option<RfmScore>] {
        &self.scores
    }

    /// The number of shoppers by recency (row 0 is score 5) and frequency (column 0 is score 1).
    pub fn grid(&self) -> [[usize; 5]; 5] {
        let mut grid = [[0; 5]; 5];
        for score in self.scores.iter().flatten() {
            grid[5 - usize::from(score.recency)][usize::from(score.frequency) - 1] += 1;
        }
        grid
    }

    /// The number of shoppers by group, in a fixed order; shoppers without an order come last.
    pub fn groups(&self) -> Vec<RfmGroup> {
        let names = [
            "champions",
            "loyal",
            "new",
            "promising",
            "at risk",
            "asleep",
            "no order",
        ];
        names
            .iter()
            .map(|name| RfmGroup {
                name,
                shoppers: self
                    .scores
                    .iter()
                    .filter(|score| group(**score) == *name)
                    .count(),
            })
            .collect()
    }
}

/// The group of a score: frequency and spend are read together, as their mean.
fn group(score: Option<RfmScore>) -> &'static str {
    let Some(score) = score else {
        return "no order";
    };
    let value = u16::from(score.frequency) + u16::from(score.monetary);
    match (score.recency, value) {
        (4.., 9..) => "champions",
        (3.., 7..) => "loyal",
        (4.., ..=4) => "new",
        (3.., _) => "promising",
        (_, 7..) => "at risk",
        _ => "asleep",
    }
}

fn quintile(sorted: &[f64], value: f64) -> u8 {
    let below = sorted.partition_point(|other| *other < value);
    1 + (5 * below / sorted.len()) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, index, order};

    #[test]
    fn ten_shoppers_fall_two_to_a_fifth() {
        let index = index();
        // Shopper k orders k times, last on day k, and pays 100 a piece.
        let profiles: Vec<Profile> = (1..=10)
            .map(|k| {
                let events: Vec<_> = (0..k)
                    .map(|day| order(&format!("{k}-{day}"), day + 1, &[("mug", 1, 100)]))
                    .collect();
                Profile::fold(&events, &index, at(11))
            })
            .chain([Profile::default()])
            .collect();
        let table = RfmTable::new(&profiles, at(11));
        let fives: Vec<_> = table
            .scores()
            .iter()
            .flatten()
            .map(|s| s.frequency)
            .collect();
        assert_eq!(fives, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!(
            table.scores()[9],
            Some(RfmScore {
                recency: 5,
                frequency: 5,
                monetary: 5
            })
        );
        assert_eq!(table.scores()[10], None);
        assert_eq!(table.grid()[0][4], 2);
        let groups = table.groups();
        assert_eq!((groups[0].name, groups[0].shoppers), ("champions", 2));
        assert_eq!(groups.iter().map(|g| g.shoppers).sum::<usize>(), 11);
    }

    #[test]
    fn equal_shoppers_score_alike() {
        let index = index();
        let profiles = vec![Profile::fold([&order("1", 1, &[("mug", 1, 100)])], &index, at(2)); 7];
        let table = RfmTable::new(&profiles, at(2));
        assert!(table.scores().windows(2).all(|pair| pair[0] == pair[1]));
    }
}

use serde::{Deserialize, Serialize};

/// Price bands 1 (cheapest) to 5: the quintiles of a catalogue's prices.
///
/// The boundaries are part of a trained model and are saved with it; a catalogue that changes its prices later is
/// still read with the boundaries the model has learnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBands {
    /// The highest price, in minor units, of bands 1 to 4; a dearer product is of band 5.
    pub boundaries_minor: [i64; 4],
}

impl PriceBands {
    /// Number of bands.
    pub const COUNT: usize = 5;

    /// Takes the 20th, 40th, 60th and 80th percentile (nearest rank) of the prices above zero; `None` without any.
    pub fn of_prices(prices_minor: impl IntoIterator<Item = i64>) -> Option<Self> {
        let mut prices: Vec<i64> = prices_minor
            .into_iter()
            .filter(|price| *price > 0)
            .collect();
        if prices.is_empty() {
            return None;
        }
        prices.sort_unstable();
        let nearest_rank = |fifth: usize| prices[(fifth * prices.len()).div_ceil(5) - 1];
        Some(Self {
            boundaries_minor: [1, 2, 3, 4].map(nearest_rank),
        })
    }

    /// The band of a price: one more than the number of boundaries below it.
    pub fn band(&self, price_minor: i64) -> u8 {
        1 + self
            .boundaries_minor
            .iter()
            .filter(|boundary| price_minor > **boundary)
            .count() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_prices_fall_two_to_a_band() {
        let bands = PriceBands::of_prices((1..=10).map(|n| n * 100)).expect("prices");
        assert_eq!(bands.boundaries_minor, [200, 400, 600, 800]);
        let of = |price| bands.band(price);
        assert_eq!(
            [1, 200, 201, 400, 800, 801, 99_999].map(of),
            [1, 1, 2, 2, 4, 5, 5]
        );
    }

    #[test]
    fn few_or_no_prices_are_no_fault() {
        assert_eq!(PriceBands::of_prices([]), None);
        assert_eq!(PriceBands::of_prices([0, -5]), None);
        let one = PriceBands::of_prices([300]).expect("a price");
        assert_eq!((one.band(300), one.band(301)), (1, 5));
    }
}

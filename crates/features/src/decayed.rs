use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An exponentially decayed sum: an addition of `w` at time `t` is worth `w · 2^(−(now − t) / half_life)` at `now`.
///
/// The sum is kept as its value at the time of the last addition, so it takes 24 bytes however many additions it has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decayed {
    #[serde(with = "crate::exact")]
    value: f64,
    at: Timestamp,
}

impl Decayed {
    /// Adds a weight; one that comes late has decayed since its own time.
    pub(crate) fn add(&mut self, weight: f64, at: Timestamp, half_life_days: f64) {
        if self.value == 0.0 || at >= self.at {
            self.value = self.value_at(at, half_life_days) + weight;
            self.at = at;
        } else {
            self.value += weight * (-days_between(at, self.at) / half_life_days).exp2();
        }
    }

    /// The sum's worth at `now`; a `now` before the last addition reads as that addition's time.
    pub(crate) fn value_at(&self, now: Timestamp, half_life_days: f64) -> f64 {
        if self.value == 0.0 {
            return 0.0;
        }
        self.value * (-days_between(self.at, now).max(0.0) / half_life_days).exp2()
    }
}

/// Days from `earlier` to `later`, to the millisecond; negative where they are swapped.
pub(crate) fn days_between(earlier: Timestamp, later: Timestamp) -> f64 {
    (later.as_millisecond() - earlier.as_millisecond()) as f64 / 86_400_000.0
}

/// The median of the values, the mean of the middle two where their number is even; `None` for no values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 {
        upper
    } else {
        f64::midpoint(values[middle - 1], upper)
    })
}

/// Median days between visits. Times less than half a day apart are one visit: shops split an order over several invoices.
pub(crate) fn median_gap_days(times: impl Iterator<Item = Timestamp>) -> Option<f64> {
    let mut visits: Vec<Timestamp> = times.collect();
    visits.sort_unstable();
    visits.dedup_by(|later, earlier| days_between(*earlier, *later) < SAME_VISIT_DAYS);
    median(
        visits
            .windows(2)
            .map(|pair| days_between(pair[0], pair[1]))
            .collect(),
    )
}

const SAME_VISIT_DAYS: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> Timestamp {
        Timestamp::from_second(n * 86_400).expect("in range")
    }

    #[test]
    fn a_weight_halves_every_half_life() {
        let mut sum = Decayed::default();
        sum.add(8.0, day(100), 10.0);
        assert!((sum.value_at(day(110), 10.0) - 4.0).abs() < 1e-12);
        sum.add(1.0, day(120), 10.0);
        assert!((sum.value_at(day(120), 10.0) - 3.0).abs() < 1e-12);
        assert!((sum.value_at(day(90), 10.0) - 3.0).abs() < 1e-12);
        // A late addition of 4 is worth 1 two half-lives on.
        sum.add(4.0, day(100), 10.0);
        assert!((sum.value_at(day(120), 10.0) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_state_reads_back_to_the_same_bits() {
        let mut sum = Decayed::default();
        for step in 1..200 {
            sum.add(1.0 / f64::from(step as u32), day(step), 7.3);
            let json = serde_json::to_string(&sum).expect("serialises");
            let back: Decayed = serde_json::from_str(&json).expect("parses");
            assert_eq!(back.value.to_bits(), sum.value.to_bits());
        }
    }

    #[test]
    fn medians_are_those_of_the_textbook() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn orders_of_one_visit_make_no_gap() {
        let hour = |h: i64| Timestamp::from_second(h * 3600).expect("in range");
        let times = [0, 1, 48, 50, 24 * 12].map(hour);
        assert_eq!(median_gap_days(times.into_iter()), Some(6.0));
        assert_eq!(median_gap_days([hour(0), hour(1)].into_iter()), None);
    }
}

use events::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// When a shopper is active: acts by hour of the day and by weekday, in local time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rhythm {
    hours: [u32; 24],
    weekdays: [u32; 7],
}

impl Rhythm {
    pub(crate) fn add(&mut self, at: Timestamp, time_zone: &TimeZone) {
        let local = time_zone.to_datetime(at);
        self.hours[local.hour() as usize] += 1;
        self.weekdays[local.weekday().to_monday_zero_offset() as usize] += 1;
    }

    /// Acts by hour.
    pub(crate) fn hours(&self) -> &[u32; 24] {
        &self.hours
    }

    /// Acts by weekday, Monday first.
    pub(crate) fn weekdays(&self) -> &[u32; 7] {
        &self.weekdays
    }

    /// The hour with the most acts, the earliest of equals; `None` without any.
    pub(crate) fn top_hour(&self) -> Option<u8> {
        let most = *self.hours.iter().max()?;
        (most > 0)
            .then(|| self.hours.iter().position(|count| *count == most))
            .flatten()
            .map(|hour| hour as u8)
    }

    /// The mean of the unit vectors (sine, cosine) of the hours: its direction is the mean time of day, its length how
    /// closely the acts keep to it. Both are 0 without any.
    pub(crate) fn hour_vector(&self) -> (f64, f64) {
        let total = self.total();
        if total == 0.0 {
            return (0.0, 0.0);
        }
        let sum = self
            .hours
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |sum, (hour, count)| {
                // The middle of the hour stands for the acts within it.
                let angle = (hour as f64 + 0.5) / 24.0 * std::f64::consts::TAU;
                let count = f64::from(*count);
                (sum.0 + count * angle.sin(), sum.1 + count * angle.cos())
            });
        (sum.0 / total, sum.1 / total)
    }

    /// The entropy of the hours over its largest possible value: 0 when all acts fall in one hour, 1 when all are equal.
    pub(crate) fn hour_entropy(&self) -> f64 {
        let total = self.total();
        let entropy = self
            .hours
            .iter()
            .filter(|count| **count > 0)
            .map(|count| {
                let share = f64::from(*count) / total;
                -share * share.ln()
            })
            .sum::<f64>();
        // The sum of nothing is the negative zero, as is that of one hour alone; adding zero makes it positive.
        (entropy + 0.0) / 24f64.ln()
    }

    /// The share of acts on Saturday and Sunday; 0 without any.
    pub(crate) fn weekend_share(&self) -> f64 {
        let total = self.total();
        if total == 0.0 {
            return 0.0;
        }
        f64::from(self.weekdays[5] + self.weekdays[6]) / total
    }

    fn total(&self) -> f64 {
        self.hours.iter().map(|count| f64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    fn rhythm(times: &[&str], time_zone: &TimeZone) -> Rhythm {
        let mut rhythm = Rhythm::default();
        for time in times {
            rhythm.add(time.parse().expect("valid"), time_zone);
        }
        rhythm
    }

    #[test]
    fn hours_are_counted_in_local_time() {
        let shanghai = TimeZone::fixed(Offset::constant(8));
        // A Sunday in UTC, a Monday in Shanghai.
        let rhythm = rhythm(&["2026-05-03T20:30:00Z"], &shanghai);
        assert_eq!(rhythm.top_hour(), Some(4));
        assert_eq!(rhythm.weekdays()[0], 1);
        assert!(rhythm.weekend_share().abs() < 1e-12);
    }

    #[test]
    fn entropy_and_vector_have_their_extremes() {
        let one = rhythm(
            &["2026-05-02T05:30:00Z", "2026-05-03T05:10:00Z"],
            &TimeZone::UTC,
        );
        assert!(one.hour_entropy().abs() < 1e-12);
        assert!((one.weekend_share() - 1.0).abs() < 1e-12);
        let (sin, cos) = one.hour_vector();
        assert!((sin.hypot(cos) - 1.0).abs() < 1e-12);
        let all = Rhythm {
            hours: [3; 24],
            weekdays: [0; 7],
        };
        assert!((all.hour_entropy() - 1.0).abs() < 1e-12);
        assert!(all.hour_vector().0.hypot(all.hour_vector().1) < 1e-12);
        assert_eq!(Rhythm::default().top_hour(), None);
    }
}

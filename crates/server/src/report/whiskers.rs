//! Estimates with their intervals on one scale, drawn with nothing but markup and style.

use askama::Template;

use super::chart::Tone;
use super::data::Estimate;

/// Rows of a dot with its interval, on a common scale with ticks.
#[derive(Debug, Template)]
#[template(path = "report/whiskers.html")]
pub(super) struct Whiskers {
    /// What the picture shows, for the caption and for screen readers.
    title: String,
    rows: Vec<Row>,
    ticks: Vec<Tick>,
    /// Where zero is, in per cent of the width, if it is on the scale.
    zero: Option<String>,
    /// Whether any row has a true value to compare with.
    has_truth: bool,
}

/// One estimate to draw.
#[derive(Debug, Default)]
pub(super) struct Point<'a> {
    /// Its name.
    pub(super) label: &'a str,
    /// The estimate.
    pub(super) estimate: Estimate,
    /// The true value, where it is known.
    pub(super) truth: Option<f64>,
    /// Whether to bring it out.
    pub(super) strong: bool,
}

#[derive(Debug)]
struct Row {
    label: String,
    text: String,
    dot: String,
    /// Left end and width of the interval.
    interval: Option<(String, String)>,
    truth: Option<(String, String)>,
    tone: &'static str,
}

#[derive(Debug)]
struct Tick {
    at: String,
    text: String,
}

/// A linear scale from values to per cent of the width.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// The smallest scale that holds all points with a margin.
    fn over(points: &[Point<'_>], with_zero: bool) -> Option<Self> {
        let ends = points.iter().flat_map(|point| {
            let Estimate { value, low, high } = point.estimate;
            [Some(value), low, high, point.truth]
        });
        let zero = with_zero.then_some(0.0);
        let values = ends.flatten().chain(zero).filter(|value| value.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return None;
        }
        let margin = match (high - low) * 0.04 {
            0.0 => high.abs().max(1.0) * 0.1,
            margin => margin,
        };
        Some(Self {
            low: low - margin,
            high: high + margin,
        })
    }

    fn place(&self, value: f64) -> f64 {
        100.0 * (value - self.low) / (self.high - self.low)
    }

    fn percent(&self, value: f64) -> String {
        format!("{:.2}%", self.place(value).clamp(0.0, 100.0))
    }

    /// Round values within the scale, three to six of them.
    fn ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

impl Whiskers {
    /// Draws the points in their order; nothing where there are none. `text` writes a value.
    pub(super) fn new(
        title: &str,
        points: &[Point<'_>],
        with_zero: bool,
        text: impl Fn(&f64) -> String,
    ) -> Option<Self> {
        let scale = Scale::over(points, with_zero)?;
        let row = |point: &Point<'_>| {
            let Estimate { value, low, high } = point.estimate;
            let ends = low.zip(high);
            Row {
                label: point.label.to_owned(),
                text: match ends {
                    Some((low, high)) => {
                        format!("{} [{}, {}]", text(&value), text(&low), text(&high))
                    }
                    None => text(&value),
                },
                dot: scale.percent(value),
                interval: ends.map(|(low, high)| {
                    let width = (scale.place(high) - scale.place(low)).max(0.0);
                    (scale.percent(low), format!("{width:.2}%"))
                }),
                truth: point
                    .truth
                    .map(|truth| (scale.percent(truth), text(&truth))),
                tone: if point.strong {
                    Tone::Accent
                } else {
                    Tone::Muted
                }
                .name(),
            }
        };
        Some(Self {
            title: title.to_owned(),
            rows: points.iter().map(row).collect(),
            ticks: scale
                .ticks()
                .into_iter()
                .map(|tick| Tick {
                    at: scale.percent(tick),
                    text: plain(&text(&tick)),
                })
                .collect(),
            zero: (scale.low < 0.0 && scale.high > 0.0).then(|| scale.percent(0.0)),
            has_truth: points.iter().any(|point| point.truth.is_some()),
        })
    }
}

/// A tick's text without the decimals that say nothing: `0.5000` becomes `0.5`.
fn plain(text: &str) -> String {
    let (number, unit) = match text.strip_suffix('%') {
        Some(number) => (number, "%"),
        None => (text, ""),
    };
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::decimal;

    fn point(value: f64, half: f64) -> Point<'static> {
        Point {
            label: "m",
            estimate: Estimate {
                value,
                low: Some(value - half),
                high: Some(value + half),
            },
            ..Point::default()
        }
    }

    #[test]
    fn places_are_within_the_width() {
        let drawn =
            Whiskers::new("t", &[point(0.1, 0.1), point(0.9, 0.1)], false, decimal).expect("drawn");
        // The scale runs from −0.04 to 1.04, so 0.1 lies at 0.14 / 1.08 of the width.
        assert_eq!(drawn.rows[0].dot, "12.96%");
        assert_eq!(
            drawn.rows[0].interval,
            Some(("3.70%".to_owned(), "18.52%".to_owned()))
        );
        assert_eq!(drawn.rows[1].text, "0.9000 [0.8000, 1.0000]");
        let ticks: Vec<&str> = drawn.ticks.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(ticks, ["0", "0.5", "1"]);
    }

    #[test]
    fn one_value_has_a_scale_too() {
        let alone = Point {
            label: "m",
            ..Point::default()
        };
        let drawn = Whiskers::new("t", &[alone], true, decimal).expect("drawn");
        assert_eq!(drawn.rows[0].dot, "50.00%");
        assert_eq!(drawn.rows[0].interval, None);
        assert!(Whiskers::new("t", &[], false, decimal).is_none());
    }
}

//! Charts over a common axis, drawn by the vendored library in the browser and repeated as a table beside.

use askama::Template;
use serde::Serialize;

use super::format::{self, Formats};

/// What a chart shows and how it is named.
#[derive(Debug, Template)]
#[template(path = "report/chart.html")]
pub(super) struct Chart {
    /// The chart's title.
    title: String,
    /// What to see in it, in a sentence; may be empty.
    note: String,
    /// What the positions along the axis are, such as `month`.
    axis: String,
    /// The names of the positions.
    positions: Vec<String>,
    /// What is drawn over them.
    series: Vec<Series>,
    /// How the values are written.
    unit: Unit,
    /// A position to mark, with its label.
    mark: Option<(usize, String)>,
    /// The currency's sign and the rest of the formats.
    formats: Formats,
}

/// One line, row of bars or cloud of points.
#[derive(Debug, Serialize)]
pub(super) struct Series {
    /// Its name in the legend.
    pub(super) name: String,
    /// How it is drawn.
    pub(super) shape: Shape,
    /// Its colour.
    pub(super) tone: Tone,
    /// One value a position.
    pub(super) values: Vec<Option<f64>>,
    /// Positions to draw paler, because they are incomplete.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) pale: Vec<usize>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Shape {
    /// Bars from zero.
    Bar,
    /// A line through the values.
    Line,
    /// A dashed line, for what is only compared with.
    Dashed,
    /// Single points, for noisy observations.
    Points,
}

/// A colour of the page, by its role; light and dark have their own shades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tone {
    /// The thing itself.
    Accent,
    /// What it is compared with.
    Second,
    /// The best that is possible.
    Third,
    /// The background.
    Muted,
}

impl Tone {
    /// The tone's name in the style sheet.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accent => "accent",
            Self::Second => "second",
            Self::Third => "third",
            Self::Muted => "muted",
        }
    }
}

/// How the values of a chart are written.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    /// Whole numbers.
    Count,
    /// Amounts of the report's currency.
    Money,
    /// Shares of one, shown in per cent.
    Percent,
    /// Numbers with decimals.
    Decimal,
}

/// What the script needs to draw a chart.
#[derive(Serialize)]
struct Drawing<'a> {
    axis: &'a str,
    positions: &'a [String],
    series: &'a [Series],
    unit: Unit,
    sign: &'a str,
    mark: Option<&'a (usize, String)>,
}

impl Chart {
    /// A chart of `series` over `positions`.
    pub(super) fn new(title: &str, axis: &str, unit: Unit, formats: &Formats) -> Self {
        Self {
            title: title.to_owned(),
            note: String::new(),
            axis: axis.to_owned(),
            positions: Vec::new(),
            series: Vec::new(),
            unit,
            mark: None,
            formats: formats.clone(),
        }
    }

    /// Says what to see in the chart.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Names the positions along the axis.
    pub(super) fn over(mut self, positions: impl IntoIterator<Item = String>) -> Self {
        self.positions = positions.into_iter().collect();
        self
    }

    /// Adds a series, unless it has no value at all.
    pub(super) fn series(
        mut self,
        name: &str,
        shape: Shape,
        tone: Tone,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        let values: Vec<Option<f64>> = values
            .into_iter()
            .map(|value| value.filter(|value| value.is_finite()))
            .collect();
        if values.iter().any(Option::is_some) {
            self.series.push(Series {
                name: name.to_owned(),
                shape,
                tone,
                values,
                pale: Vec::new(),
            });
        }
        self
    }

    /// Draws some positions of every series paler.
    pub(super) fn pale(mut self, positions: &[usize]) -> Self {
        for series in &mut self.series {
            series.pale = positions.to_vec();
        }
        self
    }

    /// Marks a position.
    pub(super) fn mark(mut self, position: Option<usize>, label: &str) -> Self {
        self.mark = position
            .filter(|position| *position < self.positions.len())
            .map(|position| (position, label.to_owned()));
        self
    }

    /// The chart, if there is anything to draw.
    pub(super) fn if_any(self) -> Option<Self> {
        (!self.series.is_empty() && !self.positions.is_empty()).then_some(self)
    }

    /// What a screen reader says instead of the drawing.
    fn label(&self) -> String {
        let names: Vec<&str> = self
            .series
            .iter()
            .map(|series| series.name.as_str())
            .collect();
        format!(
            "{}: chart of {} over {} positions ({}), from {} to {}. The same values follow as a table.",
            self.title,
            names.join(", "),
            self.positions.len(),
            self.axis,
            self.positions.first().map_or("", String::as_str),
            self.positions.last().map_or("", String::as_str),
        )
    }

    /// One value as the table shows it.
    fn value(&self, value: Option<&f64>) -> String {
        let Some(value) = value else {
            return "–".to_owned();
        };
        match self.unit {
            Unit::Count => format::number(&value.round()),
            Unit::Money => self.formats.money(value),
            Unit::Percent => format::percent(value),
            Unit::Decimal if value.abs() < 10.0 => format::decimal(value),
            Unit::Decimal => format::number(value),
        }
    }

    /// The rows of the table: the name of the position and the values of all series.
    fn rows(&self) -> Vec<(&str, Vec<String>)> {
        let row = |(i, name)| {
            let values = self.series.iter().map(|series: &Series| {
                let value = series.values.get(i).and_then(Option::as_ref);
                self.value(value)
            });
            (name, values.collect())
        };
        let names = self.positions.iter().map(String::as_str);
        names.enumerate().map(row).collect()
    }

    /// The drawing as JSON that may stand inside a `script` element.
    fn json(&self) -> askama::Result<String> {
        let drawing = Drawing {
            axis: &self.axis,
            positions: &self.positions,
            series: &self.series,
            unit: self.unit,
            sign: &self.formats.sign,
            mark: self.mark.as_ref(),
        };
        let text =
            serde_json::to_string(&drawing).map_err(|error| askama::Error::Custom(error.into()))?;
        Ok(script_safe(&text))
    }
}

/// Escapes what could end a `script` element or open a comment in it; JSON reads the escapes as the same characters.
fn script_safe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        Chart::new(
            "Clicks </script>",
            "round",
            Unit::Percent,
            &Formats::new("GBP"),
        )
        .over(["1".to_owned(), "<b>2".to_owned()])
        .series("policy", Shape::Line, Tone::Accent, [Some(0.02), None])
        .series("nobody", Shape::Line, Tone::Muted, [None, Some(f64::NAN)])
    }

    #[test]
    fn the_json_cannot_leave_its_element() {
        let json = chart().mark(Some(0), "</script>").json().expect("json");
        assert!(!json.contains('<'), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).expect("still JSON");
        assert_eq!(read["mark"][1], "</script>");
        assert_eq!(read["positions"][1], "<b>2");
    }

    #[test]
    fn the_table_repeats_the_drawing() {
        let chart = chart();
        assert_eq!(chart.series.len(), 1, "a series without values is left out");
        assert_eq!(chart.rows()[0], ("1", vec!["2.0%".to_owned()]));
        assert_eq!(chart.rows()[1], ("<b>2", vec!["–".to_owned()]));
    }

    #[test]
    fn nothing_to_draw_is_no_chart() {
        let empty = Chart::new("t", "a", Unit::Count, &Formats::new("GBP"));
        assert!(empty.if_any().is_none());
        assert!(chart().mark(Some(9), "gone").mark.is_none());
    }
}

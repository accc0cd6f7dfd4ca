//! A picture of two axes as SVG that loads nothing.

use std::fmt::Write;

/// Space around the area between the axes: for the legend above, for ticks and words below and at the left.
const MARGIN: f64 = 60.0;
const LEFT: f64 = 80.0;
/// Entries of the legend side by side.
const LEGEND_COLUMNS: usize = 3;
/// Colours that are told apart by those who do not see red from green (Okabe and Ito 2008).
pub(crate) const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];
/// A colour for what stands behind.
pub(crate) const GREY: &str = "#bbbbbb";

/// One axis: what it says and the values at its ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis<'a> {
    pub(crate) label: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Digits behind the point of a tick's number.
    pub(crate) digits: usize,
}

/// A picture in the making.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    x: Axis<'a>,
    y: Axis<'a>,
    width: f64,
    height: f64,
    svg: String,
    legend: usize,
}

impl<'a> Plot<'a> {
    /// Width and height are those of the area between the axes, which have `ticks` steps each.
    pub(crate) fn new(
        title: &str,
        (width, height): (f64, f64),
        x: Axis<'a>,
        y: Axis<'a>,
        ticks: u32,
    ) -> Self {
        let (whole_width, whole_height) = (LEFT + width + MARGIN, height + 2.0 * MARGIN);
        let mut plot = Self {
            x,
            y,
            width,
            height,
            svg: format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole_width} {whole_height}\" \
                 width=\"{whole_width}\" height=\"{whole_height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
                 <title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<rect x=\"{LEFT}\" \
                 y=\"{MARGIN}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#999\"/>\n"
            ),
            legend: 0,
        };
        plot.axes(ticks);
        plot
    }

    fn axes(&mut self, ticks: u32) {
        let (left, bottom) = (LEFT, MARGIN + self.height);
        for tick in 0..=ticks {
            let share = f64::from(tick) / f64::from(ticks);
            let value = |axis: Axis<'_>| axis.from + share * (axis.to - axis.from);
            let (x, y) = self.at(value(self.x), value(self.y));
            let _ = write!(
                self.svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.*}</text>\n<text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{:.*}</text>\n",
                bottom + 18.0,
                self.x.digits,
                value(self.x),
                left - 8.0,
                y + 4.0,
                self.y.digits,
                value(self.y),
            );
        }
        let (across, up) = (LEFT + self.width / 2.0, MARGIN + self.height / 2.0);
        let _ = write!(
            self.svg,
            "<text x=\"{across}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n<text x=\"16\" y=\"{up}\" \
             text-anchor=\"middle\" transform=\"rotate(-90 16 {up})\">{}</text>\n",
            bottom + 42.0,
            self.x.label,
            self.y.label,
        );
    }

    /// Where a pair of values lies.
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |value: f64, axis: Axis<'_>| {
            let length = axis.to - axis.from;
            if length == 0.0 {
                0.5
            } else {
                (value - axis.from) / length
            }
        };
        (
            LEFT + share(x, self.x) * self.width,
            MARGIN + (1.0 - share(y, self.y)) * self.height,
        )
    }

    /// A line through points.
    pub(crate) fn line(&mut self, points: &[(f64, f64)], colour: &str, width: f64) {
        let mut text = String::new();
        for (x, y) in points.iter().map(|(x, y)| self.at(*x, *y)) {
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
        let _ = writeln!(
            self.svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
            text.trim_end()
        );
    }

    /// A dashed line between two points.
    pub(crate) fn dashes(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (self.at(from.0, from.1), self.at(to.0, to.1));
        let _ = writeln!(
            self.svg,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>"
        );
    }

    /// A disc that says something under the pointer.
    pub(crate) fn disc(&mut self, point: (f64, f64), radius: f64, colour: &str, says: &str) {
        let (x, y) = self.at(point.0, point.1);
        let _ = writeln!(
            self.svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{colour}\" \
             fill-opacity=\"0.5\"><title>{says}</title></circle>"
        );
    }

    /// An entry of the legend, above the area.
    pub(crate) fn legend(&mut self, text: &str, colour: &str) {
        let (row, column) = (self.legend / LEGEND_COLUMNS, self.legend % LEGEND_COLUMNS);
        self.legend += 1;
        let _ = writeln!(
            self.svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{text}</text>",
            LEFT + column as f64 * self.width / LEGEND_COLUMNS as f64,
            24.0 + 20.0 * row as f64
        );
    }

    /// The picture.
    pub(crate) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_between_the_ends_of_their_axes() {
        let axis = |from, to| Axis {
            label: "of it",
            from,
            to,
            digits: 1,
        };
        let mut plot = Plot::new("It", (400.0, 200.0), axis(0.0, 10.0), axis(0.5, 1.0), 5);
        plot.line(&[(0.0, 0.5), (5.0, 1.0)], "#000", 1.0);
        plot.disc((10.0, 0.75), 2.0, GREY, "the end");
        let svg = plot.finish();
        for part in [
            "points=\"80.0,260.0 280.0,60.0\"",
            "cx=\"480.0\" cy=\"160.0\"",
            ">10.0</text>",
            ">0.6</text>",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        // A figure that never moved lies in the middle.
        let flat = Plot::new("It", (400.0, 200.0), axis(0.0, 10.0), axis(0.5, 0.5), 5);
        assert!((flat.at(0.0, 0.5).1 - 160.0).abs() < 1e-9);
    }
}

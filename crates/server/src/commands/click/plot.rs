//! The reliability plot: what was predicted against what happened, bin by bin, as a picture that loads nothing.

use std::fmt::Write;

use engine::{ClickFit, ReliabilityBin};

/// Side of the square in which the curves lie.
const SIDE: f64 = 400.0;
/// Space around it, for axes and words.
const MARGIN: f64 = 60.0;
/// One colour a model, told apart by those who do not see red from green (Okabe and Ito 2008).
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#009e73"];

/// Draws the models' bins: mean probability across, share of clicks up, a disc's area the share of examples.
pub(super) fn reliability(models: &[ClickFit]) -> String {
    let (width, height) = (SIDE + 2.0 * MARGIN, SIDE + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<title>Reliability of predicted clicks</title>\n<rect \
         width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let largest = models.iter().flat_map(|fit| &fit.figures.reliability);
    let largest = largest.filter(|bin| bin.examples > 0);
    let largest = largest.map(|bin| bin.mean_probability.max(bin.positive_share));
    // The axes end at the next tenth, since few shops have a rate of clicks near 1.
    let end = (largest.fold(0.0, f64::max) * 10.0).ceil().clamp(1.0, 10.0) / 10.0;
    svg.push_str(&axes(end));
    for (place, (fit, colour)) in models.iter().zip(COLOURS.iter().cycle()).enumerate() {
        svg.push_str(&curve(&fit.figures.reliability, end, colour));
        let y = MARGIN + 20.0 * (place as f64 + 1.0);
        svg.extend([format!(
            "<text x=\"{}\" y=\"{y}\" fill=\"{colour}\">{}: ECE {:.4}</text>\n",
            MARGIN + 12.0,
            fit.model.name(),
            fit.figures.calibration_error
        )]);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where a probability lies across and a share up.
fn at(probability: f64, share: f64, end: f64) -> (f64, f64) {
    (
        MARGIN + probability / end * SIDE,
        MARGIN + (1.0 - share / end) * SIDE,
    )
}

/// The square, five ticks a side, and the diagonal on which predictions are right.
fn axes(end: f64) -> String {
    let ((left, bottom), (right, top)) = (at(0.0, 0.0, end), at(end, end, end));
    let mut svg = format!(
        "<rect x=\"{left}\" y=\"{top}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#999\"/>\n<line \
         x1=\"{left}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{top}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n"
    );
    for tick in 0..=5 {
        let value = end * f64::from(tick) / 5.0;
        let (x, y) = at(value, value, end);
        let (under, before) = (bottom + 18.0, left - 8.0);
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{under}\" text-anchor=\"middle\">{value:.2}</text>\n<text x=\"{before}\" \
             y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>\n",
            y + 4.0
        );
    }
    let middle = MARGIN + SIDE / 2.0;
    let _ = write!(
        svg,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">mean predicted probability</text>\n<text x=\"16\" \
         y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {middle})\">share of clicks</text>\n",
        bottom + 42.0
    );
    svg
}

/// A line through the bins that hold examples, with a disc at each.
fn curve(bins: &[ReliabilityBin], end: f64, colour: &str) -> String {
    let filled: Vec<&ReliabilityBin> = bins.iter().filter(|bin| bin.examples > 0).collect();
    let examples: u64 = filled.iter().map(|bin| bin.examples).sum();
    let mut points = String::new();
    let mut discs = String::new();
    for bin in filled {
        let (x, y) = at(bin.mean_probability, bin.positive_share, end);
        let radius = 2.0 + 12.0 * (bin.examples as f64 / examples as f64).sqrt();
        let _ = write!(points, "{x:.1},{y:.1} ");
        let _ = writeln!(
            discs,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{colour}\" fill-opacity=\"0.5\"><title>{} \
             examples, {:.3} predicted, {:.3} clicked</title></circle>",
            bin.examples, bin.mean_probability, bin.positive_share
        );
    }
    format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n{discs}",
        points.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_lies_where_it_was_predicted_and_where_it_was_clicked() {
        let bin = |mean_probability, positive_share, examples| ReliabilityBin {
            above: 0.0,
            up_to: 1.0,
            examples,
            mean_probability,
            positive_share,
        };
        let bins = [bin(0.25, 0.5, 25), bin(0.0, 0.0, 0), bin(0.5, 0.25, 75)];
        let svg = curve(&bins, 0.5, "#000");
        assert!(svg.contains("points=\"260.0,60.0 460.0,260.0\""), "{svg}");
        // A quarter of the examples: 2 + 12 · √¼.
        assert!(svg.contains("r=\"8.0\""), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
    }
}

//! The reliability plot: what was predicted against what happened, bin by bin.

use engine::{ClickFit, ReliabilityBin};

use crate::svg::{Axis, COLOURS, Plot};

/// Side of the square in which the curves lie.
const SIDE: f64 = 400.0;

/// Draws the models' bins: mean probability across, share of clicks up, a disc's area the share of examples.
pub(super) fn reliability(models: &[ClickFit]) -> String {
    let largest = models.iter().flat_map(|fit| &fit.figures.reliability);
    let largest = largest.filter(|bin| bin.examples > 0);
    let largest = largest.map(|bin| bin.mean_probability.max(bin.positive_share));
    // The axes end at the next tenth, since few shops have a rate of clicks near 1.
    let end = (largest.fold(0.0, f64::max) * 10.0).ceil().clamp(1.0, 10.0) / 10.0;
    let mut plot = square(end);
    for (fit, colour) in models.iter().zip(COLOURS.iter().cycle()) {
        curve(&mut plot, &fit.figures.reliability, colour);
        let (name, error) = (fit.model.name(), fit.figures.calibration_error);
        plot.legend(&format!("{name}: ECE {error:.4}"), colour);
    }
    plot.finish()
}

/// The square, with the diagonal on which predictions are right.
fn square(end: f64) -> Plot<'static> {
    let axis = |label| Axis {
        label,
        from: 0.0,
        to: end,
        digits: 2,
    };
    let (x, y) = (axis("mean predicted probability"), axis("share of clicks"));
    let mut plot = Plot::new("Reliability of predicted clicks", (SIDE, SIDE), x, y, 5);
    plot.dashes((0.0, 0.0), (end, end));
    plot
}

/// A line through the bins that hold examples, with a disc at each.
fn curve(plot: &mut Plot<'_>, bins: &[ReliabilityBin], colour: &str) {
    let filled: Vec<&ReliabilityBin> = bins.iter().filter(|bin| bin.examples > 0).collect();
    let examples: u64 = filled.iter().map(|bin| bin.examples).sum();
    let place = |bin: &ReliabilityBin| (bin.mean_probability, bin.positive_share);
    let points: Vec<(f64, f64)> = filled.iter().map(|bin| place(bin)).collect();
    plot.line(&points, colour, 1.5);
    for bin in filled {
        let radius = 2.0 + 12.0 * (bin.examples as f64 / examples as f64).sqrt();
        let says = format!(
            "{} examples, {:.3} predicted, {:.3} clicked",
            bin.examples, bin.mean_probability, bin.positive_share
        );
        plot.disc(place(bin), radius, colour, &says);
    }
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
        let mut plot = square(0.5);
        curve(&mut plot, &bins, "#000");
        let svg = plot.finish();
        assert!(svg.contains("points=\"280.0,60.0 480.0,260.0\""), "{svg}");
        // A quarter of the examples: 2 + 12 · √¼.
        assert!(svg.contains("r=\"8.0\""), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
    }
}

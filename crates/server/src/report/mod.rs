//! The report: one self-contained HTML page made of what was measured.
//!
//! [`data::Report`] goes in, a page comes out. Style, script and the chart library are inside the page, so that it opens
//! anywhere and loads nothing. Never computes a figure of its own: what is not in the report is not on the page; only
//! shares, orders of rows and lengths of bars are derived from it.

mod chart;
pub(crate) mod data;
#[cfg(test)]
mod fixture;
mod format;
mod section;
#[cfg(test)]
mod tests;
mod whiskers;

use askama::Template;

use data::{Header, Report};
use format::Formats;
use section::Section;

/// The whole page.
#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    header: &'a Header,
    figures: Vec<Figure>,
    sections: Vec<Section>,
    style: &'static str,
    script: &'static str,
    library: &'static str,
}

/// One figure of the headline.
struct Figure {
    name: String,
    value: String,
    detail: String,
}

/// Renders the report as one HTML page that loads nothing from anywhere.
///
/// # Errors
/// When a template cannot be filled, which no report does by what it says.
pub(crate) fn render(report: &Report) -> Result<String, askama::Error> {
    let formats = Formats::new(&report.header.currency);
    Page {
        header: &report.header,
        figures: figures(&report.header),
        sections: section::all(report, &formats)?,
        style: include_str!("../../templates/report/report.css"),
        script: include_str!("../../templates/report/report.js"),
        library: include_str!("../../vendor/echarts.min.js"),
    }
    .render()
}

/// The figures of the headline that are known.
fn figures(header: &Header) -> Vec<Figure> {
    let counted = [
        ("Rows read", header.rows_read),
        ("Shoppers", header.shoppers),
        ("Products", header.products),
        ("Messages", header.messages),
    ];
    let counted = counted.into_iter().filter_map(|(name, value)| {
        value.map(|value| Figure {
            name: name.to_owned(),
            value: format::count(&value),
            detail: String::new(),
        })
    });
    let lift = header.lift.as_ref().map(|lift| {
        let text = |value| section::lift_text(lift.form, value);
        let interval = lift.estimate.low.zip(lift.estimate.high);
        Figure {
            name: format!("Lift in {}", lift.outcome),
            value: text(lift.estimate.value),
            detail: interval.map_or_else(String::new, |(low, high)| {
                format!("{} to {}", text(low), text(high))
            }),
        }
    });
    counted.chain(lift).collect()
}

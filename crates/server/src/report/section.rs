//! The sections of the page, each made of one part of the report.

mod campaign;
mod cleaning;
mod evaluation;
mod feedback;
mod learning;
mod message;
mod refusals;
mod shop;
mod shoppers;

use askama::Template;

use super::data::Report;
use super::format::{self, Formats};

pub(super) use feedback::lift_text;

/// One section of the page, ready to be placed.
#[derive(Debug)]
pub(super) struct Section {
    /// Anchor of the section, and its class.
    pub(super) id: &'static str,
    /// Its heading, and its name in the contents.
    pub(super) title: &'static str,
    /// Its markup, escaped already.
    pub(super) html: String,
}

impl Section {
    fn of(id: &'static str, title: &'static str, view: &impl Template) -> askama::Result<Self> {
        view.render().map(|html| Self { id, title, html })
    }
}

/// The notes at the end of the page.
#[derive(Template)]
#[template(path = "report/notes.html")]
struct Notes<'a> {
    notes: &'a [String],
}

/// The sections for which the report has data, in reading order.
///
/// # Errors
/// When a template cannot be filled.
pub(super) fn all(report: &Report, formats: &Formats) -> askama::Result<Vec<Section>> {
    let cleaning = report.cleaning.as_ref();
    let shop = report.shop.as_ref();
    let evaluation = report.evaluation.as_ref();
    let refusals = report.refusals.as_ref();
    let examples = message::Messages::of(report);
    let notes = Some(&report.notes).filter(|notes| !notes.is_empty());
    let sections = [
        cleaning.map(|part| Section::of("cleaning", "Cleaning", &cleaning::view(part))),
        shop.map(|part| Section::of("shop", "The shop", &shop::view(part, formats))),
        learning::view(&report.trainings, formats)
            .map(|view| Section::of("learning", "Learning", &view)),
        evaluation.map(|part| Section::of("evaluation", "Evaluation", &evaluation::view(part))),
        shoppers::view(&report.shoppers, formats)
            .map(|view| Section::of("shoppers", "Shoppers", &view)),
        campaign::view(&report.campaigns, formats)
            .map(|view| Section::of("campaigns", "Campaigns", &view)),
        examples.map(|view| Section::of("messages", "Messages", &view)),
        refusals.map(|part| Section::of("refusals", "Refused", &refusals::view(part))),
        feedback::view(&report.feedback, formats)
            .map(|view| Section::of("feedback", "Lift and feedback", &view)),
        notes.map(|notes| Section::of("notes", "Notes", &Notes { notes })),
    ];
    sections.into_iter().flatten().collect()
}

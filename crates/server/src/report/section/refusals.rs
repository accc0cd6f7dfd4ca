use askama::Template;

use crate::report::data::campaign::{RefusalReason, Refusals};
use crate::report::format::{self, share};

/// The texts that the guard refused.
#[derive(Template)]
#[template(path = "report/refusals.html")]
pub(super) struct RefusalsView<'a> {
    refusals: &'a Refusals,
    /// The share of the checked texts that was refused.
    rate: Option<f64>,
    reasons: Vec<Reason<'a>>,
}

struct Reason<'a> {
    of: &'a RefusalReason,
    width: String,
}

/// Prepares the section; reasons come largest first.
pub(super) fn view(refusals: &Refusals) -> RefusalsView<'_> {
    let mut reasons: Vec<&RefusalReason> = refusals.reasons.iter().collect();
    reasons.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    let most = reasons.first().map_or(0, |reason| reason.count);
    RefusalsView {
        refusals,
        rate: refusals
            .checked
            .map(|checked| share(refusals.refused, checked)),
        reasons: reasons
            .into_iter()
            .map(|reason| Reason {
                of: reason,
                width: format::width(reason.count as f64, most as f64),
            })
            .collect(),
    }
}

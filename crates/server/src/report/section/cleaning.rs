use askama::Template;

use crate::report::data::cleaning::{Cleaning, CleaningReason, RowFate};
use crate::report::format::{self, share};

/// What became of the rows that were read.
#[derive(Template)]
#[template(path = "report/cleaning.html")]
pub(super) struct CleaningView<'a> {
    cleaning: &'a Cleaning,
    /// What the three fates add up to; the page says so where it is not all rows.
    sum: u64,
    fates: Vec<Fate>,
    reasons: Vec<Reason<'a>>,
}

/// One of the three things that become of a row.
struct Fate {
    name: &'static str,
    meaning: &'static str,
    class: &'static str,
    rows: u64,
    share: f64,
}

struct Reason<'a> {
    of: &'a CleaningReason,
    fate: &'static str,
    width: String,
    share: f64,
}

/// Prepares the section; reasons come largest first.
pub(super) fn view(cleaning: &Cleaning) -> CleaningView<'_> {
    let fate = |name, meaning, class, rows| Fate {
        name,
        meaning,
        class,
        rows,
        share: share(rows, cleaning.rows_read),
    };
    let mut reasons: Vec<&CleaningReason> = cleaning.reasons.iter().collect();
    reasons.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.reason.cmp(&b.reason)));
    let most = reasons.first().map_or(0, |reason| reason.rows);
    CleaningView {
        cleaning,
        sum: cleaning.kept + cleaning.merged + cleaning.quarantined,
        fates: vec![
            fate("Kept", "became events of their own", "kept", cleaning.kept),
            fate(
                "Merged",
                "say what another row says",
                "merged",
                cleaning.merged,
            ),
            fate(
                "Quarantined",
                "set aside, encrypted, for repair",
                "quarantined",
                cleaning.quarantined,
            ),
        ],
        reasons: reasons
            .into_iter()
            .map(|reason| Reason {
                of: reason,
                fate: match reason.fate {
                    RowFate::Merged => "merged",
                    RowFate::Quarantined => "quarantined",
                },
                width: format::width(reason.rows as f64, most as f64),
                share: share(reason.rows, cleaning.rows_read),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_come_largest_first() {
        let reason = |name: &str, rows| CleaningReason {
            reason: name.to_owned(),
            rows,
            ..CleaningReason::default()
        };
        let cleaning = Cleaning {
            rows_read: 200,
            kept: 150,
            quarantined: 50,
            reasons: vec![reason("b", 10), reason("c", 30), reason("a", 10)],
            ..Cleaning::default()
        };
        let view = view(&cleaning);
        let names: Vec<&str> = view
            .reasons
            .iter()
            .map(|row| row.of.reason.as_str())
            .collect();
        assert_eq!(names, ["c", "a", "b"]);
        assert_eq!(view.reasons[1].width, "33.33%");
        assert!((view.fates[0].share - 0.75).abs() < 1e-12);
    }
}

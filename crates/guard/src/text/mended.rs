//! A text as it reads once it is mended.

use std::cmp::Reverse;
use std::ops::Range;

use super::{Draft, MAX_FINDINGS};

/// A text with fixes in the place of what is at fault; of two that overlap, the longer.
pub(super) struct Mended {
    pub(super) text: String,
    /// For each fix in reading order: the bytes that it replaces, and those that it has.
    fixes: Vec<(Range<usize>, Range<usize>)>,
}

impl Mended {
    pub(super) fn new(text: &str, drafts: &[&Draft]) -> Self {
        let mut fixable: Vec<(&Range<usize>, &str)> = drafts
            .iter()
            .filter_map(|draft| Some((&draft.bytes, draft.fix.as_deref()?)))
            .collect();
        fixable.sort_by_key(|(bytes, _)| bytes.start);
        fixable.truncate(MAX_FINDINGS);
        fixable.sort_by_key(|(bytes, _)| (Reverse(bytes.len()), bytes.start));
        let mut kept: Vec<(&Range<usize>, &str)> = Vec::new();
        for (bytes, fix) in fixable {
            if kept
                .iter()
                .all(|(other, _)| other.end <= bytes.start || bytes.end <= other.start)
            {
                kept.push((bytes, fix));
            }
        }
        kept.sort_by_key(|(bytes, _)| bytes.start);
        let mut mended = Self {
            text: String::with_capacity(text.len()),
            fixes: Vec::with_capacity(kept.len()),
        };
        let mut copied = 0;
        for (bytes, fix) in kept {
            mended.text.push_str(&text[copied..bytes.start]);
            let from = mended.text.len();
            mended.text.push_str(fix);
            mended.fixes.push((bytes.clone(), from..mended.text.len()));
            copied = bytes.end;
        }
        mended.text.push_str(&text[copied..]);
        mended
    }

    /// Where bytes of the text stand in the mended one, with the fixes that share some of them whole.
    pub(super) fn after(&self, bytes: &Range<usize>) -> Range<usize> {
        moved(bytes, self.fixes.iter().map(|(old, new)| (old, new)))
    }

    /// Where bytes of the mended text stood in the text, what was fixed whole.
    pub(super) fn before(&self, bytes: &Range<usize>) -> Range<usize> {
        moved(bytes, self.fixes.iter().map(|(old, new)| (new, old)))
    }
}

/// Where bytes stand once each range is replaced by its other one.
fn moved<'r>(
    bytes: &Range<usize>,
    replaced: impl DoubleEndedIterator<Item = (&'r Range<usize>, &'r Range<usize>)> + Clone,
) -> Range<usize> {
    let start = match replaced
        .clone()
        .rev()
        .find(|(from, _)| from.start <= bytes.start)
    {
        Some((from, to)) if bytes.start < from.end => to.start,
        Some((from, to)) => bytes.start - from.end + to.end,
        None => bytes.start,
    };
    let end = match replaced.rev().find(|(from, _)| from.start < bytes.end) {
        Some((from, to)) if bytes.end <= from.end => to.end,
        Some((from, to)) => bytes.end - from.end + to.end,
        None => bytes.end,
    };
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    fn draft(bytes: Range<usize>, fix: Option<&str>) -> Draft {
        Draft {
            is_offer: false,
            rule: String::new(),
            severity: Severity::Error,
            bytes,
            reason: String::new(),
            fix: fix.map(str::to_owned),
        }
    }

    #[test]
    fn bytes_are_found_before_and_after() {
        let text = "the best mug ever, trust me";
        let drafts = [
            draft(0..8, Some("a fine")),
            draft(4..8, Some("good")),
            draft(12..17, Some("")),
            draft(0..27, None),
        ];
        let mended = Mended::new(text, &drafts.iter().collect::<Vec<_>>());
        assert_eq!(mended.text, "a fine mug, trust me");
        for (before, after) in [(9..12, 7..10), (19..24, 12..17)] {
            assert_eq!(mended.after(&before), after, "{before:?}");
            assert_eq!(mended.before(&after), before, "{after:?}");
        }
        assert_eq!(mended.after(&(4..12)), 0..10);
        assert_eq!(mended.before(&(2..10)), 0..12);
        assert_eq!(mended.before(&(0..20)), 0..27);
        assert_eq!(mended.before(&(0..6)), 0..8);
    }
}

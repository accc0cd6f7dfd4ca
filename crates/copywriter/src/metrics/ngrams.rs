use std::collections::BTreeMap;

/// How often each n-gram occurs in one text. Sorted, because sums of floats over it reach outputs.
pub(super) type Counts<'a> = BTreeMap<&'a [String], usize>;

/// Counts the n-grams of a text; a text shorter than `n` has none.
pub(super) fn counts(tokens: &[String], n: usize) -> Counts<'_> {
    let mut counts = Counts::new();
    for ngram in tokens.windows(n) {
        *counts.entry(ngram).or_insert(0) += 1;
    }
    counts
}

/// The highest count of each n-gram in any of the texts.
pub(super) fn max_counts(texts: &[Vec<String>], n: usize) -> Counts<'_> {
    let mut highest = Counts::new();
    for text in texts {
        for (ngram, count) in counts(text, n) {
            let entry = highest.entry(ngram).or_insert(0);
            *entry = count.max(*entry);
        }
    }
    highest
}

use std::collections::HashSet;

/// The places of `count` texts that are good and unlike each other, the best first, out of texts that are ordered from the best
/// on.
///
/// By turns the text is taken with the most of (1 − d) · relevance − d · likeness, where relevance falls evenly from 1 for the
/// first text to 0 after the last, likeness is to the most similar text that was taken, and d is `difference`, in [0, 1]: with 0
/// the first ones are taken. Two texts are alike by the share of their tokens and pairs of tokens that both have, 2 |A ∩ B| /
/// (|A| + |B|).
///
/// Sources: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking", 1998; Dice, 1945.
pub fn different(texts: &[&[u32]], count: usize, difference: f64) -> Vec<usize> {
    let grams: Vec<HashSet<&[u32]>> = texts.iter().map(|text| grams(text)).collect();
    let relevance = |at: usize| 1.0 - at as f64 / texts.len() as f64;
    let mut likeness = vec![0.0f64; texts.len()];
    let mut taken = Vec::new();
    let mut left: Vec<usize> = (0..texts.len()).collect();
    while taken.len() < count {
        let worth = |at: usize| (1.0 - difference) * relevance(at) - difference * likeness[at];
        let best = left
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| worth(**a).total_cmp(&worth(**b)).then(b.cmp(a)));
        let Some((place, _)) = best else {
            break;
        };
        let at = left.remove(place);
        for other in &left {
            likeness[*other] = likeness[*other].max(dice(&grams[at], &grams[*other]));
        }
        taken.push(at);
    }
    taken
}

/// The tokens and pairs of tokens of a text.
fn grams(text: &[u32]) -> HashSet<&[u32]> {
    text.windows(1).chain(text.windows(2)).collect()
}

fn dice(a: &HashSet<&[u32]>, b: &HashSet<&[u32]>) -> f64 {
    let both = a.intersection(b).count() as f64;
    2.0 * both / ((a.len() + b.len()) as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_that_are_good_and_unlike() {
        let texts: [&[u32]; 4] = [&[1, 2, 3], &[1, 2, 4], &[7, 8], &[9]];
        assert_eq!(different(&texts, 2, 0.0), [0, 1]);
        // Of 1 2 3 and 1 2 4 three of five are common: 1, 2 and the pair.
        assert!((dice(&grams(texts[0]), &grams(texts[1])) - 0.6).abs() < 1e-12);
        // 0.7 · 0.75 − 0.3 · 0.6 = 0.345 against 0.7 · 0.5 = 0.35.
        assert_eq!(different(&texts, 3, 0.3), [0, 2, 1]);
        assert_eq!(different(&texts, 9, 0.9).len(), 4);
        assert!(different(&[], 2, 0.5).is_empty());
    }
}

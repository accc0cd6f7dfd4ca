use super::sequence::separator;
use super::text::ProductText;
use super::vocabulary::Vocabulary;

/// Clauses that are quoted together at most.
const TOGETHER: usize = 3;
/// Clauses of a description that are considered.
const CONSIDERED: usize = 12;

/// What may be quoted of a description: one to three clauses, in their order.
pub(super) fn quotable(text: &ProductText) -> Vec<String> {
    let clauses = &text.clauses[..text.clauses.len().min(CONSIDERED)];
    let mut quotable: Vec<Vec<&str>> = Vec::new();
    for clause in clauses {
        let longer: Vec<Vec<&str>> = quotable
            .iter()
            .filter(|quoted| quoted.len() < TOGETHER)
            .map(|quoted| quoted.iter().copied().chain([clause.as_str()]).collect())
            .collect();
        quotable.extend(longer);
        quotable.push(vec![clause]);
    }
    let between = separator(text.language);
    quotable.iter().map(|quoted| quoted.join(between)).collect()
}

/// The same as tokens.
pub(super) fn quotes(text: &ProductText, vocabulary: &Vocabulary) -> Vec<Vec<u32>> {
    let encode = |quoted: String| {
        let mut ids = Vec::new();
        vocabulary.encode(&quoted, &mut ids);
        ids
    };
    quotable(text).into_iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Language;

    #[test]
    fn clauses_keep_their_order() {
        let text = ProductText {
            id: "p".to_owned(),
            language: Language::En,
            words: Vec::new(),
            clauses: ["a", "b", "c", "d"].map(str::to_owned).into(),
        };
        let quotable = quotable(&text);
        assert_eq!(quotable.len(), 4 + 6 + 4);
        assert!(quotable.contains(&"a, c, d".to_owned()));
        assert!(!quotable.contains(&"b, a".to_owned()));
    }
}

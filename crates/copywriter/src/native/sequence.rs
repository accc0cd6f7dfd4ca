//! Prompts and texts as tokens.

use events::{Channel, Language, Strategy};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::control::{self, Control};
use super::evidence::Evidence;
use super::text::{Field, ProductText, StyleText};
use super::vocabulary::Vocabulary;
use crate::network::Sequence;

/// Share of the clauses that a product text keeps, so that the model learns to begin anywhere.
const KEPT_CLAUSES: f64 = 0.7;

/// What a text is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompt<'a> {
    pub(super) language: Language,
    /// None asks for the shop's own description.
    pub(super) target: Option<(Channel, Strategy, Evidence)>,
    pub(super) words: &'a [String],
}

impl Prompt<'_> {
    /// `<begin> language channel strategy evidence words… <write>`
    pub(super) fn encode(&self, vocabulary: &Vocabulary, max_words: usize) -> Vec<u32> {
        let channel = self.target.map(|(channel, ..)| channel);
        let mut ids = vec![
            Control::Begin as u32,
            control::language(self.language),
            control::channel(channel),
        ];
        if let Some((_, strategy, evidence)) = self.target {
            ids.extend([control::strategy(strategy), control::evidence(evidence)]);
        }
        for word in self.words.iter().take(max_words) {
            vocabulary.encode(&format!(" {word}"), &mut ids);
        }
        ids.push(Control::Write as u32);
        ids
    }
}

impl Sequence {
    /// `prompt field text field text … <end>`
    pub(super) fn of_style(
        text: &StyleText,
        words: &[String],
        vocabulary: &Vocabulary,
        max_words: usize,
    ) -> Self {
        let prompt = Prompt {
            language: text.language,
            target: Some((text.channel, text.strategy, text.evidence)),
            words,
        };
        let mut tokens = prompt.encode(vocabulary, max_words);
        let prompt = tokens.len();
        for (field, text) in &text.fields {
            tokens.push(control::field(*field));
            encode_marked(text, vocabulary, &mut tokens);
        }
        tokens.push(Control::End as u32);
        Self {
            tokens,
            prompt,
            user_state: text.user_state.clone(),
        }
    }

    /// The clauses of a description after the words of the title, or the words of the title alone.
    ///
    /// A learning pass draws which clauses are there; without a generator all are.
    pub(super) fn of_product(
        text: &ProductText,
        vocabulary: &Vocabulary,
        max_words: usize,
        rng: Option<&mut ChaCha8Rng>,
    ) -> Self {
        let described = !text.clauses.is_empty();
        let prompt = Prompt {
            language: text.language,
            target: None,
            words: if described { &text.words } else { &[] },
        };
        let mut tokens = prompt.encode(vocabulary, max_words);
        let prompt = tokens.len();
        tokens.push(control::field(Field::Body));
        let mut clauses: Vec<&str> = text.clauses.iter().map(String::as_str).collect();
        if let Some(rng) = rng
            && described
        {
            let first = clauses[rng.random_range(0..clauses.len())];
            clauses.retain(|_| rng.random::<f64>() < KEPT_CLAUSES);
            if clauses.is_empty() {
                clauses.push(first);
            }
        }
        let spoken = if described {
            clauses.join(separator(text.language))
        } else {
            text.words.join(" ")
        };
        vocabulary.encode(&spoken, &mut tokens);
        tokens.push(Control::End as u32);
        Self {
            tokens,
            prompt,
            user_state: None,
        }
    }
}

/// What stands between two clauses.
pub(super) fn separator(language: Language) -> &'static str {
    match language {
        Language::En => ", ",
        Language::Zh => "，",
    }
}

/// The marks of a quoted clause in a text, as the clause bank writes them.
pub(super) const QUOTES: [&str; 2] = ["\u{2}", "\u{3}"];

/// Encodes a text in which quoted clauses are marked.
fn encode_marked(text: &str, vocabulary: &Vocabulary, tokens: &mut Vec<u32>) {
    match text.split_once(QUOTES[0]) {
        None => vocabulary.encode(text, tokens),
        Some((before, rest)) => {
            let (quoted, after) = rest.split_once(QUOTES[1]).unwrap_or((rest, ""));
            vocabulary.encode(before, tokens);
            tokens.push(Control::Quote as u32);
            vocabulary.encode(quoted, tokens);
            tokens.push(Control::EndQuote as u32);
            encode_marked(after, vocabulary, tokens);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::TrainingTexts;
    use super::*;

    #[test]
    fn a_style_text_is_prompt_and_fields() {
        let texts = TrainingTexts::from_library().expect("valid");
        let vocabulary = Vocabulary::new(Vocabulary::texts_of(&texts), 2_000);
        let text = StyleText::new(
            "x".to_owned(),
            Language::En,
            Channel::Push,
            Strategy::Value,
            vec![
                (Field::Title, "{{ price }}".to_owned()),
                (Field::Body, "\u{2}look\u{3}.".to_owned()),
            ],
        );
        let sequence = Sequence::of_style(&text, &["mug".to_owned()], &vocabulary, 4);
        let tail = &sequence.tokens[sequence.prompt..];
        assert_eq!(tail[0], control::field(Field::Title));
        assert_eq!(vocabulary.text(tail[1]), "{{ price }}");
        assert_eq!(tail[2], control::field(Field::Body));
        assert_eq!(tail[3], Control::Quote as u32);
        assert_eq!(tail[tail.len() - 3], Control::EndQuote as u32);
        assert_eq!(tail[tail.len() - 1], Control::End as u32);
        assert_eq!(sequence.tokens[sequence.prompt - 1], Control::Write as u32);
    }
}

//! Which pieces were read after which: the fence within which the model writes.

use std::collections::HashMap;

use events::{Channel, Language, Strategy};
use nn::generator;

use super::compose::compose_for;
use super::control::Control;
use super::evidence::Evidence;
use super::text::StyleText;
use super::vocabulary::Vocabulary;
use crate::network::Sequence;

/// Composed texts that each kind of text is read in.
const COMPOSED: usize = 300;

/// What a text is for: texts of one kind lend each other their turns of phrase, texts of two kinds do not, so that a
/// claim stays with the evidence that makes it true and a public post never speaks of one shopper.
pub(super) type Kind = (Language, Channel, Strategy, Evidence);

/// The tokens that follow each beginning of a sentence in the texts of one kind, and each run of tokens across the end
/// of one: sentences are whole, and meet where some two sentences with such ends met.
#[derive(Debug)]
pub(super) struct Attested {
    context: usize,
    /// Whether a sentence ends with each token.
    ends: Vec<bool>,
    followers: HashMap<u64, Vec<u32>>,
}

impl Attested {
    /// Reads the style texts of a kind, and texts composed for it.
    pub(super) fn new(
        kind: Kind,
        styles: &[StyleText],
        vocabulary: &Vocabulary,
        context: usize,
    ) -> Self {
        let mut attested = Self {
            context,
            ends: (0..vocabulary.len() as u32)
                .map(|id| ends_sentence(id, vocabulary))
                .collect(),
            followers: HashMap::new(),
        };
        // The fence is the same for every seed of training and sampling.
        let mut rng = generator(0, "attested", 0);
        let composed = compose_for(kind, COMPOSED, &mut rng);
        let of_kind = |text: &&StyleText| text.kind() == kind;
        for text in styles.iter().filter(of_kind).chain(&composed) {
            attested.read(text, vocabulary);
        }
        for follower in attested.followers.values_mut() {
            follower.sort_unstable();
            follower.dedup();
        }
        attested
    }

    fn read(&mut self, text: &StyleText, vocabulary: &Vocabulary) {
        let sequence = Sequence::of_style(text, &[], vocabulary, 0);
        let tokens = &sequence.tokens[sequence.prompt..];
        let mut quoted = false;
        for (at, token) in tokens.iter().enumerate() {
            // What is quoted comes from the product at hand, not from the texts that were read.
            if !quoted {
                let key = key(&tokens[..at], self.context, &self.ends);
                self.followers.entry(key).or_default().push(*token);
            }
            quoted =
                (quoted || *token == Control::Quote as u32) && *token != Control::EndQuote as u32;
        }
    }

    /// Whether nothing is fenced in.
    pub(super) fn is_free(&self) -> bool {
        self.context == 0
    }

    /// The tokens that may follow a text, in ascending order; none where its end was never read.
    pub(super) fn after(&self, written: &[u32]) -> &[u32] {
        let followers = self.followers.get(&key(written, self.context, &self.ends));
        followers.map_or(&[], Vec::as_slice)
    }
}

/// Names the sentence in progress from its beginning, or the last `context` tokens where it is shorter.
///
/// A quoted clause is passed over: which one it is says nothing about what follows.
fn key(written: &[u32], context: usize, ends: &[bool]) -> u64 {
    let mut read = 0;
    let mut quoted = false;
    let mut crossed = false;
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for token in written.iter().rev() {
        let is_end = ends.get(*token as usize).is_some_and(|is_end| *is_end);
        if read >= context && (crossed || is_end) {
            break;
        }
        crossed |= is_end;
        quoted &= *token != Control::Quote as u32;
        if !quoted {
            read += 1;
            // FNV-1a over the tokens, as `nn::name_seed` does over bytes.
            hash = (hash ^ u64::from(*token + 1)).wrapping_mul(0x0100_0000_01b3);
        }
        quoted |= *token == Control::EndQuote as u32;
    }
    hash
}

/// Whether a sentence is over after a token: at its full stop, at a line's end and where a field begins.
fn ends_sentence(id: u32, vocabulary: &Vocabulary) -> bool {
    let is_mark = |c| matches!(c, '.' | '?' | '!' | '。' | '？' | '！' | '\n');
    let quotes = [Control::Quote as u32, Control::EndQuote as u32];
    if vocabulary.is_control(id) {
        !quotes.contains(&id)
    } else {
        vocabulary.text(id).ends_with(is_mark)
    }
}

#[cfg(test)]
mod tests {
    use super::super::control;
    use super::super::text::{Field, TrainingTexts};
    use super::*;

    #[test]
    fn a_quoted_clause_is_passed_over() {
        let (open, close) = (Control::Quote as u32, Control::EndQuote as u32);
        let mut ends = vec![false; 100];
        ends[99] = true;
        let key = |written: &[u32]| key(written, 2, &ends);
        assert_eq!(
            key(&[99, open, 60, 61, close, 70]),
            key(&[99, open, 80, close, 70])
        );
        assert_ne!(key(&[50, open, 60]), key(&[50, open, 80]));
        // A sentence counts from its beginning, a short one with what is before it.
        assert_eq!(key(&[40, 99, 50, 60, 70]), key(&[41, 99, 50, 60, 70]));
        assert_ne!(key(&[99, 50, 60, 70]), key(&[99, 51, 60, 70]));
        assert_eq!(key(&[40, 41, 99]), key(&[30, 41, 99]));
        assert_ne!(key(&[41, 99]), key(&[42, 99]));
        assert_eq!(key(&[41, 99, 50]), key(&[42, 99, 50]));
    }

    #[test]
    fn only_what_was_read_may_follow() {
        let texts = TrainingTexts::from_library().expect("valid");
        let vocabulary = Vocabulary::of_training(&texts, 2_000);
        let kind = (Language::En, Channel::Push, Strategy::Value, Evidence::Sale);
        let attested = Attested::new(kind, &texts.styles, &vocabulary, 4);
        let begin = attested.after(&[]);
        assert_eq!(begin, [control::field(Field::Title)]);
        let first = attested.after(begin).iter();
        let first: Vec<&str> = first.map(|token| vocabulary.text(*token)).collect();
        assert!(
            first.contains(&"Now") && !first.contains(&"New"),
            "{first:?}"
        );
        assert!(attested.after(&[7, 7, 7]).is_empty());
        assert!(!attested.is_free());
    }
}

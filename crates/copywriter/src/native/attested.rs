//! Which pieces were read after which: the fence within which the model writes.

use std::collections::{BTreeMap, HashMap};

use events::{Channel, Language, Strategy};
use nn::generator;

use super::compose::compose_for;
use super::config::NativeConfig;
use super::control::Control;
use super::evidence::Evidence;
use super::sequence::Sequence;
use super::text::StyleText;
use super::vocabulary::Vocabulary;

/// Composed texts that each kind of text is read in.
const COMPOSED: usize = 60;

/// What a text is for: texts of one kind lend each other their turns of phrase, texts of two kinds do not, so that a
/// claim stays with the evidence that makes it true and a public post never speaks of one shopper.
pub(super) type Kind = (Language, Channel, Strategy, Evidence);

/// For each kind, the tokens that follow each run of tokens in the texts of that kind.
#[derive(Debug)]
pub(super) struct Attested {
    context: usize,
    kinds: BTreeMap<Kind, HashMap<u64, Vec<u32>>>,
}

impl Attested {
    pub(super) fn new(
        styles: &[StyleText],
        vocabulary: &Vocabulary,
        config: &NativeConfig,
    ) -> Self {
        let mut attested = Self {
            context: config.decoding.context,
            kinds: BTreeMap::new(),
        };
        for text in styles {
            attested.read(text, vocabulary);
        }
        for language in [Language::En, Language::Zh] {
            for channel in Channel::ALL {
                for strategy in Strategy::ALL {
                    for evidence in Evidence::ALL.into_iter().filter(|e| e.fits(strategy)) {
                        let kind = (language, channel, strategy, evidence);
                        let mut rng = generator(config.seed, "attested", 0);
                        for text in compose_for(kind, COMPOSED, &mut rng) {
                            attested.read(&text, vocabulary);
                        }
                    }
                }
            }
        }
        for follower in attested.kinds.values_mut().flat_map(HashMap::values_mut) {
            follower.sort_unstable();
            follower.dedup();
        }
        attested
    }

    fn read(&mut self, text: &StyleText, vocabulary: &Vocabulary) {
        let kind = (text.language, text.channel, text.strategy, text.evidence);
        let followers = self.kinds.entry(kind).or_default();
        let sequence = Sequence::of_style(text, &[], vocabulary, 0);
        let tokens = &sequence.tokens[sequence.prompt..];
        let mut quoted = false;
        for (at, token) in tokens.iter().enumerate() {
            // What is quoted comes from the product at hand, not from the texts that were read.
            if !quoted {
                let key = key(&tokens[..at], self.context);
                followers.entry(key).or_default().push(*token);
            }
            quoted =
                (quoted || *token == Control::Quote as u32) && *token != Control::EndQuote as u32;
        }
    }

    /// Whether nothing is fenced in.
    pub(super) fn is_free(&self) -> bool {
        self.context == 0
    }

    /// The kinds of a language, channel and strategy.
    pub(super) fn evidences(
        &self,
        language: Language,
        channel: Channel,
        strategy: Strategy,
    ) -> Vec<Evidence> {
        let wanted = |kind: &&Kind| (kind.0, kind.1, kind.2) == (language, channel, strategy);
        self.kinds
            .keys()
            .filter(wanted)
            .map(|kind| kind.3)
            .collect()
    }

    /// The tokens that may follow a text of a kind, in ascending order; empty where its end was never read.
    pub(super) fn after(&self, kind: Kind, written: &[u32]) -> &[u32] {
        let followers = self.kinds.get(&kind);
        followers
            .and_then(|followers| followers.get(&key(written, self.context)))
            .map_or(&[], Vec::as_slice)
    }
}

/// Names the last `context` tokens. A quoted clause is passed over: which one it is says nothing about what follows.
fn key(written: &[u32], context: usize) -> u64 {
    let mut left = context;
    let mut quoted = false;
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for token in written.iter().rev() {
        if left == 0 {
            break;
        }
        quoted &= *token != Control::Quote as u32;
        if !quoted {
            left -= 1;
            // FNV-1a over the tokens, as `nn::name_seed` does over bytes.
            hash = (hash ^ u64::from(*token + 1)).wrapping_mul(0x0100_0000_01b3);
        }
        quoted |= *token == Control::EndQuote as u32;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::super::control;
    use super::super::text::TrainingTexts;
    use super::*;

    #[test]
    fn a_quoted_clause_is_passed_over() {
        let (open, close) = (Control::Quote as u32, Control::EndQuote as u32);
        assert_eq!(
            key(&[50, open, 60, 61, close, 70], 4),
            key(&[50, open, 80, close, 70], 4)
        );
        assert_ne!(key(&[50, open, 60], 2), key(&[50, open, 80], 2));
        assert_ne!(key(&[50, 60], 2), key(&[60, 50], 2));
        assert_eq!(key(&[40, 50, 60], 2), key(&[41, 50, 60], 2));
    }

    #[test]
    fn only_what_was_read_may_follow() {
        let texts = TrainingTexts::from_library().expect("valid");
        let vocabulary = Vocabulary::of_training(&texts, 2_000);
        let config = NativeConfig::default();
        let attested = Attested::new(&texts.styles, &vocabulary, &config);
        let kind = (Language::En, Channel::Push, Strategy::Value, Evidence::Sale);
        let begin = attested.after(kind, &[]);
        assert_eq!(begin, [control::field(super::super::text::Field::Title)]);
        let first: Vec<&str> = attested
            .after(kind, begin)
            .iter()
            .map(|token| vocabulary.text(*token))
            .collect();
        assert!(first.contains(&"Now"), "{first:?}");
        assert!(attested.after(kind, &[7, 7, 7]).is_empty());
        let evidences = attested.evidences(Language::Zh, Channel::Sms, Strategy::Value);
        assert_eq!(evidences, [Evidence::Plain, Evidence::Sale]);
    }
}

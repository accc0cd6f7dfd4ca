//! The brand's voice: its tone, its words and texts that sound like it, turned into rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::GuardError;
use crate::pack::{Fix, PhraseKind, PhraseRule, RulePack, Severity};
use crate::pattern::{self, Lists};

/// Fewer sample texts than this say nothing about a manner.
const SAMPLES: usize = 3;
/// How much longer than the longest sample a sentence may be.
const LONGER: f64 = 1.5;

/// How a brand speaks. Words to avoid are errors, everything else a warning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voice {
    /// The tone.
    pub tone: Tone,
    /// Words with the ones to use in their place, such as `customers = "guests"`.
    #[serde(rename = "use")]
    pub preferred: BTreeMap<String, String>,
    /// Words that the brand never says, in the language of rule packs.
    pub avoid: Vec<String>,
    /// Texts that sound like the brand, three at least; a text that differs from all of them in manner is remarked on.
    pub samples: Vec<String>,
}

/// How formal a brand is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Whatever the writer likes.
    #[default]
    Any,
    /// 您 and `you`, whole words, no emoji, no slang.
    Formal,
    /// As one speaks to a neighbour: nothing official.
    Friendly,
}

/// What is measured of a text's manner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Manner {
    /// Columns of the longest sentence.
    sentence_columns: usize,
    emoji: usize,
    exclamations: usize,
}

impl Voice {
    /// The voice as a rule pack, to be merged behind the others.
    ///
    /// # Errors
    /// [`GuardError::Pack`] for words that cannot be read as a phrase, and for words that are to be avoided and used.
    pub fn pack(&self) -> Result<RulePack, GuardError> {
        let mut rules = Vec::new();
        if !self.avoid.is_empty() {
            rules.push(rule(
                "voice_avoid",
                Severity::Error,
                "the brand does not say it",
                self.avoid.clone(),
                Fix::default(),
            ));
        }
        if !self.preferred.is_empty() {
            let fix = Fix {
                of: self.preferred.clone(),
                ..Fix::default()
            };
            let phrases = self.preferred.keys().cloned().collect();
            rules.push(rule(
                "voice_use",
                Severity::Warning,
                "the brand has another word for it",
                phrases,
                fix,
            ));
        }
        rules.extend(self.tone.rules());
        for phrase in rules.iter().flat_map(|rule| &rule.phrases) {
            let fault = |problem: &str, remedy| GuardError::Pack {
                place: None,
                problem: format!("the voice has the words `{phrase}`: {problem}"),
                remedy,
            };
            if phrase.trim().is_empty() {
                return Err(fault("they are empty", "remove them"));
            }
            pattern::parse(phrase, &Lists::default())
                .map_err(|error| fault(error.problem, error.remedy))?;
            if self.avoid.contains(phrase) && self.preferred.contains_key(phrase) {
                return Err(fault(
                    "they are both to be avoided and replaced",
                    "keep one of the two",
                ));
            }
        }
        let marks = toml::to_string(self).unwrap_or_default();
        let hash = blake3::hash(marks.as_bytes()).to_hex();
        Ok(RulePack {
            version: if *self == Self::default() {
                String::new()
            } else {
                format!("voice-{}", &hash[..8])
            },
            rules,
            ..RulePack::default()
        })
    }

    /// The manner of the samples: the most of each measure; none where there are too few of them.
    pub(crate) fn manner(&self) -> Option<Manner> {
        let manners: Vec<Manner> = self
            .samples
            .iter()
            .map(|sample| Manner::of(sample))
            .collect();
        if manners.len() < SAMPLES {
            return None;
        }
        let most = |of: fn(&Manner) -> usize| manners.iter().map(of).max().unwrap_or(0);
        Some(Manner {
            sentence_columns: most(|manner| manner.sentence_columns),
            emoji: most(|manner| manner.emoji),
            exclamations: most(|manner| manner.exclamations),
        })
    }
}

impl Tone {
    fn rules(self) -> Vec<PhraseRule> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Any => Vec::new(),
            Self::Formal => vec![rule(
                "voice_formal",
                Severity::Warning,
                "too familiar for a formal tone",
                words(&[
                    "(hey|hiya|yo|guys|folks|y'all|gonna|wanna|gotta|ain't|awesome|super cute|omg|lol|btw|stuff|dude|bestie|yay|oops)",
                    "(宝子们|宝子|宝宝们|亲们|亲~|姐妹们|集美们|家人们|小伙伴们|老铁|绝绝子|yyds|种草|冲鸭|哇塞|哈喽|嘿|么么哒|安排上|盘它)",
                    "你们",
                    "你",
                ]),
                Fix {
                    of: BTreeMap::from([
                        ("你".to_owned(), "您".to_owned()),
                        ("你们".to_owned(), "各位".to_owned()),
                    ]),
                    ..Fix::default()
                },
            )],
            Self::Friendly => vec![rule(
                "voice_friendly",
                Severity::Warning,
                "too official for a friendly tone",
                words(&[
                    "(hereby|herewith|pursuant to|kindly note|please be advised|we regret to inform|esteemed|valued customer~|dear (sir|madam)|aforementioned|commence|utilise|utilize|purchase herewith)",
                    "(特此通知|敬请知悉|兹|谨此|贵客|尊敬的(客户|用户|顾客)|烦请|请知悉|望周知|鉴于|综上所述)",
                ]),
                Fix::default(),
            )],
        }
    }
}

impl Manner {
    pub(crate) fn of(text: &str) -> Self {
        let sentences = text.split(['.', '!', '?', '。', '！', '？', '\n']);
        let is_emoji = |c: char| matches!(u32::from(c), 0x1f300..=0x1faff | 0x2600..=0x27bf);
        Self {
            sentence_columns: sentences.map(crate::display_width).max().unwrap_or(0),
            emoji: text.chars().filter(|c| is_emoji(*c)).count(),
            exclamations: text.chars().filter(|c| matches!(c, '!' | '！')).count(),
        }
    }

    /// How a text differs from the samples whose manner this is, in words.
    pub(crate) fn differs(&self, text: &str) -> Option<String> {
        let manner = Self::of(text);
        let longer = manner.sentence_columns as f64 > LONGER * self.sentence_columns as f64;
        let mut words = Vec::new();
        if longer {
            words.push(format!(
                "a sentence of {} columns, where they have {} at most",
                manner.sentence_columns, self.sentence_columns
            ));
        }
        if manner.emoji > self.emoji {
            words.push(format!(
                "{} emoji, where they have {} at most",
                manner.emoji, self.emoji
            ));
        }
        if manner.exclamations > self.exclamations {
            words.push(format!(
                "{} exclamation marks, where they have {} at most",
                manner.exclamations, self.exclamations
            ));
        }
        (!words.is_empty())
            .then(|| format!("unlike the brand's sample texts: {}", words.join("; ")))
    }
}

fn rule(id: &str, severity: Severity, reason: &str, phrases: Vec<String>, fix: Fix) -> PhraseRule {
    PhraseRule {
        id: id.to_owned(),
        kind: PhraseKind::Forbidden,
        severity,
        language: None,
        reason: reason.to_owned(),
        phrases,
        except: Vec::new(),
        unless: vec![crate::Support::Name],
        ends_within_hours: None,
        stock_at_most: None,
        exclusive: false,
        by_context: false,
        fix,
        passes: Vec::new(),
        fails: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Guard, TextContext};

    fn rules(voice: &Voice, text: &str) -> Vec<(String, Option<String>)> {
        let pack = voice.pack().expect("valid");
        let guard = Guard::new(RulePack::merge([RulePack::built_in(), pack]).expect("fits"))
            .in_voice(voice);
        let findings = guard.check_text(text, &TextContext::default());
        findings
            .into_iter()
            .map(|finding| (finding.rule, finding.fix))
            .collect()
    }

    #[test]
    fn a_text_keeps_the_words_and_the_tone_of_the_brand() {
        let voice = Voice {
            tone: Tone::Formal,
            preferred: BTreeMap::from([("customers".to_owned(), "guests".to_owned())]),
            avoid: vec!["cheap~".to_owned()],
            samples: Vec::new(),
        };
        for (text, rule, fix) in [
            ("A cheaper mug", "voice_avoid", ""),
            ("Our customers wrote to us", "voice_use", "guests"),
            ("祝你早安", "voice_formal", "您"),
            ("Hey there", "voice_formal", ""),
        ] {
            assert_eq!(
                rules(&voice, text),
                [(rule.to_owned(), Some(fix.to_owned()))],
                "{text}"
            );
        }
        assert_eq!(rules(&voice, "Good morning to our guests"), []);
        let friendly = Voice {
            tone: Tone::Friendly,
            ..Voice::default()
        };
        assert_eq!(
            rules(&friendly, "特此通知：新品到店")[0].0,
            "voice_friendly"
        );
    }

    #[test]
    fn a_text_sounds_like_the_samples() {
        let samples = ["Tea, slowly.", "A mug for the window.", "Rain. Tea. Quiet."];
        let voice = Voice {
            samples: samples.map(str::to_owned).to_vec(),
            ..Voice::default()
        };
        assert_eq!(rules(&voice, "A cup for the garden."), []);
        let loud = "Grab this lovely cup for your garden table today and enjoy it all summer! 🎉";
        assert_eq!(rules(&voice, loud), [("voice_samples".to_owned(), None)]);
    }

    #[test]
    fn words_that_cannot_be_read_are_named() {
        let voice = Voice {
            avoid: vec!["(cheap".to_owned()],
            ..Voice::default()
        };
        assert_eq!(
            voice.pack().expect_err("broken").to_string(),
            "rule pack: the voice has the words `(cheap`: a `(` that is not closed; add `)`, or write `\\(`"
        );
        let both = Voice {
            avoid: vec!["cheap".to_owned()],
            preferred: BTreeMap::from([("cheap".to_owned(), "small".to_owned())]),
            ..Voice::default()
        };
        assert!(
            both.pack()
                .expect_err("both")
                .to_string()
                .contains("both to be avoided")
        );
    }
}

//! From a brief to judged variants.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use events::Generator;
use guard::Guard;
use nn::inference::{Engine, Session};
use nn::{Decoder, Device, ParameterStore, hugging_face};
use rand_chacha::ChaCha8Rng;

use super::config::CheckpointConfig;
use super::vocabulary::Vocabulary;
use crate::CopyError;
use crate::brief::{Brief, Judge, Prompt, Refused, Written, slots_with_evidence};
use crate::sampling::{draw, to_log_probabilities};

/// The name of this provider in [`events::Generator::provider`].
pub const PROVIDER: &str = "checkpoint";

/// Answers that are drawn side by side, which bounds the memory for keys and values.
const SIDE_BY_SIDE: usize = 8;

/// Tokens of a prompt between two looks at the clock.
const READ_AT_ONCE: usize = 64;

/// Writes copy with a language model on this machine.
pub struct Checkpoint {
    config: CheckpointConfig,
    engine: Engine,
    vocabulary: Vocabulary,
    positions: usize,
    /// The model and its adapter, as [`events::Generator::model`] names them.
    name: String,
    /// Time since the model was opened, for its time limit alone.
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
}

/// An answer that is being drawn.
struct Open {
    sequence: usize,
    tokens: Vec<u32>,
    rng: ChaCha8Rng,
}

impl Checkpoint {
    /// Reads a model, merges its adapter where there is one, and lays the weights out for answering.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first setting outside its range, [`CopyError::Checkpoint`] for a tokenizer that is
    /// missing, of another model or without a known conversation, [`CopyError::Nn`] for weights, sizes or an adapter that
    /// cannot be read or ask for what is not supported.
    pub fn open(config: CheckpointConfig) -> Result<Self, CopyError> {
        config.check()?;
        let (store, decoder, vocabulary) = load(&config)?;
        let adapter = config.adapter.as_deref();
        if let Some(adapter) = adapter {
            hugging_face::merge_adapter(adapter, &store)?;
        }
        let names = [Some(config.folder.as_path()), adapter];
        let names: Vec<String> = names.into_iter().flatten().map(file_name).collect();
        let start = Instant::now();
        Ok(Self {
            engine: Engine::new(&decoder, config.precision.into())?,
            positions: decoder.config().positions,
            vocabulary,
            name: names.join("+"),
            clock: Box::new(move || start.elapsed()),
            config,
        })
    }

    /// Tells the time in another way than by the system's clock, for tests and for a program that must be able to stop.
    #[must_use]
    pub fn timed_by(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            ..self
        }
    }

    /// Draws an answer for each variant that is asked for, and judges them.
    ///
    /// It never fails: whatever goes wrong is a [`Refused`] in [`Written::refused`], and no text gets by unchecked. The model
    /// is asked for one variant and answers as often as the brief counts, each time with randomness of its own, since small
    /// models repeat themselves within an answer.
    pub fn write(&self, brief: &Brief<'_>, guard: &Guard) -> Written {
        let slots = match slots_with_evidence(brief) {
            Ok(slots) => slots,
            Err(refused) => return Written::refusal(refused),
        };
        let single = Brief { count: 1, ..*brief };
        let prompt = Prompt::new(&single, &slots, guard);
        let judge = Judge {
            brief: &single,
            slots: &slots,
            guard,
            generator: Generator {
                provider: PROVIDER.to_owned(),
                model: self.name.clone(),
                prompt_hash: Some(prompt.hash()),
                seed: brief.seed,
            },
        };
        let mut written = Written::default();
        let until = (self.clock)() + Duration::from_millis(self.config.timeout_ms);
        for first in (0..brief.count).step_by(SIDE_BY_SIDE) {
            let numbers = first..brief.count.min(first + SIDE_BY_SIDE);
            let rngs = numbers.map(|number| nn::generator(brief.seed, "answer", number as u64));
            match self.answers(&prompt, rngs.collect(), until) {
                Err(refused) => {
                    written.refused.push(refused);
                    break;
                }
                Ok(answers) => {
                    for answer in answers {
                        match answer {
                            Ok(answer) => judge.judge(&answer, &mut written),
                            Err(refused) => written.refused.push(refused),
                        }
                    }
                }
            }
        }
        written
    }

    /// Draws an answer with each source of randomness.
    fn answers(
        &self,
        prompt: &Prompt,
        rngs: Vec<ChaCha8Rng>,
        until: Duration,
    ) -> Result<Vec<Result<String, Refused>>, Refused> {
        let told = self.vocabulary.prompt(prompt).map_err(fails)?;
        let count = rngs.len();
        let (answer, positions) = (self.config.max_tokens, self.positions);
        if told.is_empty() || told.len() + answer > positions {
            return Err(Refused::NoRoom {
                prompt: told.len(),
                answer,
                positions,
            });
        }
        let session = self.engine.session(count, told.len() + answer);
        let mut session = session.map_err(fails)?;
        let mut rows = self.read(&mut session, &told, until)?.repeat(count);
        for sequence in 1..count {
            session.copy(0, sequence);
        }
        let mut answers: Vec<Option<Vec<u32>>> = vec![None; count];
        let mut open: Vec<Open> = rngs
            .into_iter()
            .enumerate()
            .map(|(sequence, rng)| Open {
                sequence,
                tokens: Vec::new(),
                rng,
            })
            .collect();
        let mut unfinished = Refused::Truncated {
            max_tokens: u32::try_from(answer).unwrap_or(u32::MAX),
            setting: "checkpoint.max_tokens",
        };
        // The end of an answer is no part of it: one of the longest length still needs a draw for its end.
        for length in 0..=answer {
            open = self.next(open, &mut rows, &mut answers);
            if open.is_empty() || length == answer {
                break;
            }
            if (self.clock)() >= until {
                unfinished = self.timeout();
                break;
            }
            let last = open.iter().map(|one| (one.sequence, one.tokens.last()));
            let next: Vec<(usize, u32)> =
                last.filter_map(|(at, last)| Some((at, *last?))).collect();
            rows = session.step(&next).map_err(fails)?.to_vec();
        }
        let text = |tokens: Option<Vec<u32>>| match tokens {
            Some(tokens) => self.vocabulary.text(&tokens).map_err(fails),
            None => Err(unfinished.clone()),
        };
        Ok(answers.into_iter().map(text).collect())
    }

    /// Reads what the model is told, and returns the logits of the first token of an answer.
    fn read(
        &self,
        session: &mut Session<'_>,
        told: &[u32],
        until: Duration,
    ) -> Result<Vec<f32>, Refused> {
        let (before, last) = told.split_at((told.len() - 1) / READ_AT_ONCE * READ_AT_ONCE);
        for tokens in before.chunks(READ_AT_ONCE) {
            session.read_state(0, tokens).map_err(fails)?;
            if (self.clock)() >= until {
                return Err(self.timeout());
            }
        }
        Ok(session.read(0, last).map_err(fails)?.to_vec())
    }

    /// Draws a token for each open answer, rows [N, V]; those that end are put among the answers.
    fn next(
        &self,
        open: Vec<Open>,
        rows: &mut [f32],
        answers: &mut [Option<Vec<u32>>],
    ) -> Vec<Open> {
        let chance = self.config.chance();
        let mut going_on = Vec::with_capacity(open.len());
        let rows = rows.chunks_exact_mut(self.engine.vocabulary());
        for (mut one, row) in open.into_iter().zip(rows) {
            to_log_probabilities(row);
            let known = |token| self.vocabulary.knows(token);
            // Every token is as plausible as the model says: none is kept from ending.
            match draw(row, chance, u32::MAX, known, &mut one.rng) {
                Some(token) if !self.vocabulary.is_end(token) => {
                    one.tokens.push(token);
                    going_on.push(one);
                }
                _ => answers[one.sequence] = Some(one.tokens),
            }
        }
        going_on
    }

    fn timeout(&self) -> Refused {
        Refused::Timeout {
            setting: "checkpoint.timeout_ms",
            limit_ms: self.config.timeout_ms,
        }
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("config", &self.config)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The weights of a configured model, without its adapter, and its tokens.
pub(super) fn load(
    config: &CheckpointConfig,
) -> Result<(ParameterStore, Decoder, Vocabulary), CopyError> {
    let (store, decoder) = hugging_face::load(&config.folder, &Device::Cpu)?;
    let tokens = decoder.config().vocabulary;
    let vocabulary = Vocabulary::open(&config.folder, config.chat, tokens)?;
    Ok((store, decoder, vocabulary))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn fails(error: impl fmt::Display) -> Refused {
    Refused::ModelFails {
        detail: error.to_string(),
    }
}

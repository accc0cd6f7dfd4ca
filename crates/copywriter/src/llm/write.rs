//! From a brief to judged variants.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use events::Generator;
use guard::Guard;

use super::answer::Answer;
use super::config::LlmConfig;
use super::fault::Fault;
use super::http::{Access, Server};
use super::meter::{Meter, Spent, Ticket, Usage, estimate_tokens};
use super::request::{body, most};
use super::retry::Retry;
use crate::CopyError;
use crate::brief::{Brief, Judge, Prompt, Refused, Slot, Written, slots_with_evidence};

/// The name of this provider in [`events::Generator::provider`].
pub const PROVIDER: &str = "llm";

/// Writes copy with a language model on a server. One of them is shared by all threads of a run, since it counts their
/// requests and their cost.
pub struct Llm {
    config: LlmConfig,
    server: Server,
    meter: Meter,
    retry: Retry,
    /// Whether the server was found to know none but the plain fields.
    is_plain: AtomicBool,
    sleep: Box<dyn Fn(Duration) + Send + Sync>,
}

impl Llm {
    /// Prepares the provider; no connection is made yet.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first setting outside its range, [`CopyError::NoKey`] where the configuration names a
    /// key and there is none, [`CopyError::NoAuthorities`] where an `https://` server could not be checked.
    pub fn new(config: LlmConfig, access: Access) -> Result<Self, CopyError> {
        config.check()?;
        Ok(Self {
            server: Server::new(&config, access)?,
            meter: Meter::new(&config),
            retry: Retry::new(&config),
            is_plain: AtomicBool::new(false),
            sleep: Box::new(thread::sleep),
            config,
        })
    }

    /// Waits between attempts in another way than by sleeping, for tests and for a program that must be able to stop.
    #[must_use]
    pub fn waiting(self, sleep: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self {
            sleep: Box::new(sleep),
            ..self
        }
    }

    /// What was spent so far.
    pub fn spent(&self) -> Spent {
        self.meter.spent()
    }

    /// Asks for variants and judges them.
    ///
    /// It never fails: whatever goes wrong is a [`Refused`] in [`Written::refused`], and no text gets by unchecked. An
    /// argument for which the facts have no value is not even asked for.
    pub fn write(&self, brief: &Brief<'_>, guard: &Guard) -> Written {
        let slots = slots_with_evidence(brief);
        let written = slots.and_then(|slots| self.ask(brief, &slots, guard));
        written.unwrap_or_else(Written::refusal)
    }

    fn ask(&self, brief: &Brief<'_>, slots: &[Slot], guard: &Guard) -> Result<Written, Refused> {
        if brief.count == 0 {
            return Ok(Written::default());
        }
        let prompt = Prompt::new(brief, slots, guard);
        let answer = self.request(&prompt, brief.seed)?;
        self.check_end(&answer)?;
        let judge = Judge {
            brief,
            slots,
            guard,
            generator: Generator {
                provider: PROVIDER.to_owned(),
                model: self.config.model.clone(),
                prompt_hash: Some(prompt.hash()),
                seed: brief.seed,
            },
        };
        let mut written = Written::default();
        judge.judge(&answer.text, &mut written);
        Ok(written)
    }

    /// Asks until there is an answer or no further attempt is due.
    fn request(&self, prompt: &Prompt, seed: u64) -> Result<Answer, Refused> {
        let mut attempt = 1;
        let mut is_plain = self.is_plain.load(Ordering::Relaxed) || !self.has_more_than_plain();
        loop {
            let ticket = self.meter.begin(most(prompt, &self.config))?;
            let mut answer = Answer::default();
            let body = body(prompt, &self.config, seed, is_plain);
            let result = self.server.ask(&body, &mut answer);
            settle(
                ticket,
                most(prompt, &self.config),
                &answer,
                result.as_ref().err(),
            );
            let Err(fault) = result else {
                // Only a plain request that succeeds shows that the others failed for their fields.
                self.is_plain.fetch_or(is_plain, Ordering::Relaxed);
                return Ok(answer);
            };
            if fault.is_about_the_request() && !is_plain {
                is_plain = true;
                continue;
            }
            match self.retry.wait(&fault, attempt, seed) {
                Some(wait) => (self.sleep)(wait),
                None => return Err(fault.into_refused(attempt, &self.config)),
            }
            attempt += 1;
        }
    }

    /// Whether a request has fields that not every server knows.
    fn has_more_than_plain(&self) -> bool {
        self.config.structured || self.config.stream
    }

    fn check_end(&self, answer: &Answer) -> Result<(), Refused> {
        match answer.finish.as_deref() {
            Some("content_filter") => Err(Refused::ContentFilter),
            _ if answer.declined => Err(Refused::ContentFilter),
            Some("length") => Err(Refused::Truncated {
                max_tokens: self.config.max_tokens,
                setting: "llm.max_tokens",
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Llm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Llm")
            .field("config", &self.config)
            .field("spent", &self.spent())
            .finish_non_exhaustive()
    }
}

/// Notes what a request cost: as the server counted it, or by estimate. A refusal is free; an answer that broke off or took too
/// long was begun, and is charged for by as much of it as came.
fn settle(ticket: Ticket<'_>, most: Usage, answer: &Answer, fault: Option<&Fault>) {
    let is_begun = match fault {
        None | Some(Fault::Malformed { .. }) => true,
        Some(fault @ Fault::Timeout(_)) => !fault.is_passing(),
        Some(Fault::Connection { .. }) => !answer.text.is_empty(),
        Some(Fault::Status { .. } | Fault::Filtered | Fault::Untrusted { .. }) => false,
    };
    if !is_begun {
        return;
    }
    let estimate = Usage {
        input_tokens: most.input_tokens,
        output_tokens: estimate_tokens(&answer.text),
    };
    ticket.settle(answer.usage.unwrap_or(estimate), answer.usage.is_none());
}

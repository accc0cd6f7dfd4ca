//! What a run has cost, and how many requests it makes at the same time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::config::LlmConfig;
use crate::brief::Refused;

/// Tokens of a request and its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

/// What a run has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Requests that were made.
    pub requests: u64,
    /// Tokens that were sent.
    pub input_tokens: u64,
    /// Tokens that were answered.
    pub output_tokens: u64,
    /// What they cost, in the currency of the prices.
    pub cost: f64,
    /// Requests whose tokens were estimated, since the server did not count them.
    pub estimated: u64,
}

/// Lets requests through while there is money and a place.
#[derive(Debug)]
pub(super) struct Meter {
    concurrency: usize,
    budget: Option<f64>,
    prices: [f64; 2],
    state: Mutex<State>,
    freed: Condvar,
}

/// A request that was let through; dropping it gives its place back.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    meter: &'a Meter,
    reserved: f64,
}

#[derive(Debug, Default)]
struct State {
    spent: Spent,
    running: usize,
    reserved: f64,
}

impl Meter {
    pub(super) fn new(config: &LlmConfig) -> Self {
        Self {
            concurrency: config.concurrency,
            budget: config.budget,
            prices: [config.input_price_per_1000, config.output_price_per_1000],
            state: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Waits for a place. A request that could pass the budget together with those under way waits for their answers, so
    /// that the budget is overrun by one answer at most, however many threads ask.
    ///
    /// # Errors
    /// [`Refused::BudgetSpent`] as soon as nothing is left.
    pub(super) fn begin(&self, most: Usage) -> Result<Ticket<'_>, Refused> {
        let reserved = self.cost(most);
        let mut state = self.lock();
        loop {
            if let Some(budget) = self.budget
                && state.spent.cost >= budget
            {
                let spent = state.spent.cost;
                return Err(Refused::BudgetSpent { spent, budget });
            }
            let could_pass = |budget: f64| state.spent.cost + state.reserved >= budget;
            let waits = state.running > 0 && self.budget.is_some_and(could_pass);
            if state.running < self.concurrency && !waits {
                break;
            }
            let freed = self.freed.wait(state);
            state = freed.unwrap_or_else(PoisonError::into_inner);
        }
        state.running += 1;
        state.reserved += reserved;
        state.spent.requests += 1;
        Ok(Ticket {
            meter: self,
            reserved,
        })
    }

    pub(super) fn spent(&self) -> Spent {
        self.lock().spent
    }

    fn cost(&self, usage: Usage) -> f64 {
        let [input, output] = self.prices;
        (usage.input_tokens as f64 * input + usage.output_tokens as f64 * output) / 1_000.0
    }

    /// The counts are whole at every moment, so a thread that panicked elsewhere leaves them usable.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// Notes what the request cost and gives its place back.
    pub(super) fn settle(self, usage: Usage, is_estimated: bool) {
        let mut state = self.meter.lock();
        state.spent.input_tokens += usage.input_tokens;
        state.spent.output_tokens += usage.output_tokens;
        state.spent.cost += self.meter.cost(usage);
        state.spent.estimated += u64::from(is_estimated);
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.meter.lock();
        state.running -= 1;
        // Without requests nothing is reserved; a sum of differences would drift from that.
        state.reserved = if state.running == 0 {
            0.0
        } else {
            state.reserved - self.reserved
        };
        drop(state);
        self.meter.freed.notify_all();
    }
}

/// Estimates the tokens of a text: one for each character outside ASCII, one for each four others, rounded up.
///
/// It is a rule of thumb, used where the server does not count. Tokenisers of today take less for Chinese and about as much
/// for English, so the estimate errs on the side of the budget.
pub(super) fn estimate_tokens(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    let others = text.chars().filter(|c| !c.is_ascii()).count();
    (others + ascii.div_ceil(4)) as u64
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn meter(concurrency: usize, budget: f64) -> Meter {
        Meter::new(&LlmConfig {
            concurrency,
            budget: Some(budget),
            input_price_per_1000: 1.0,
            output_price_per_1000: 2.0,
            ..LlmConfig::default()
        })
    }

    const HALF: Usage = Usage {
        input_tokens: 100,
        output_tokens: 200,
    };

    #[test]
    fn the_answer_that_passes_the_budget_is_the_last() {
        // 100 · 1 / 1,000 + 200 · 2 / 1,000 = 0.5.
        let meter = meter(4, 0.75);
        for spent in [0.5, 1.0] {
            meter.begin(HALF).expect("money left").settle(HALF, false);
            assert!((meter.spent().cost - spent).abs() < 1e-12, "{spent}");
        }
        let refused = meter.begin(HALF).expect_err("nothing left");
        assert_eq!(
            refused,
            Refused::BudgetSpent {
                spent: 1.0,
                budget: 0.75
            }
        );
        assert_eq!(meter.spent().requests, 2);
    }

    #[test]
    fn a_request_that_could_pass_the_budget_waits_for_those_under_way() {
        let meter = meter(4, 0.75);
        let first = meter.begin(HALF).expect("money left");
        let second = meter.begin(HALF).expect("0.5 of 0.75 is reserved");
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| send.send(meter.begin(HALF).map(drop)).expect("received"));
            receive
                .recv_timeout(Duration::from_millis(50))
                .expect_err("1.0 of 0.75 is reserved");
            first.settle(Usage::default(), false);
            let third = receive.recv_timeout(Duration::from_secs(5));
            assert_eq!(third, Ok(Ok(())));
            drop(second);
        });
    }

    #[test]
    fn places_are_counted() {
        let meter = meter(1, 100.0);
        let first = meter.begin(HALF).expect("a place");
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| send.send(meter.begin(HALF).map(drop)).expect("received"));
            receive
                .recv_timeout(Duration::from_millis(50))
                .expect_err("the place is taken");
            drop(first);
            let second = receive.recv_timeout(Duration::from_secs(5));
            assert_eq!(second, Ok(Ok(())));
        });
    }

    #[test]
    fn tokens_are_estimated() {
        for (text, tokens) in [
            ("", 0),
            ("four", 1),
            ("fiver", 2),
            ("红色马克杯", 5),
            ("红 mug", 2),
        ] {
            assert_eq!(estimate_tokens(text), tokens, "{text}");
        }
    }
}

//! When a request is made again.

use std::time::Duration;

use nn::generator;
use rand::RngExt as _;

use super::config::LlmConfig;
use super::fault::Fault;

/// How often and after what waits a request is repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    retries: u32,
    backoff: Duration,
    max_wait: Duration,
}

impl Retry {
    pub(super) fn new(config: &LlmConfig) -> Self {
        Self {
            retries: config.retries,
            backoff: Duration::from_millis(config.backoff_ms),
            max_wait: Duration::from_millis(config.max_wait_ms),
        }
    }

    /// How long to wait after the attempt of this number, from 1, before the next one; nothing where there is to be none.
    ///
    /// The wait is `backoff` · 2^(attempt − 1), less up to a half of it by chance, so that callers that failed together do not
    /// come back together. A server that says how long to wait is believed, up to `max_wait`.
    pub(super) fn wait(&self, fault: &Fault, attempt: u32, seed: u64) -> Option<Duration> {
        if attempt > self.retries || !fault.is_passing() {
            return None;
        }
        if let Some(asked) = fault.retry_after() {
            return (asked <= self.max_wait).then_some(asked);
        }
        let doubled = 2u32.saturating_pow(attempt - 1);
        let longest = self.backoff.saturating_mul(doubled).min(self.max_wait);
        let jitter: f64 = generator(seed, "llm retry", u64::from(attempt)).random();
        Some(longest.mul_f64(1.0 - jitter / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry() -> Retry {
        Retry::new(&LlmConfig {
            retries: 3,
            backoff_ms: 100,
            max_wait_ms: 250,
            ..LlmConfig::default()
        })
    }

    fn status(status: u16, retry_after_ms: Option<u64>) -> Fault {
        Fault::Status {
            status,
            retry_after: retry_after_ms.map(Duration::from_millis),
            detail: String::new(),
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        for (attempt, longest) in [(1, 100), (2, 200), (3, 250)] {
            let wait = retry().wait(&status(500, None), attempt, 7).expect("again");
            let longest = Duration::from_millis(longest);
            assert!(longest / 2 <= wait && wait <= longest, "{wait:?}");
        }
        assert_eq!(retry().wait(&status(500, None), 4, 7), None);
    }

    #[test]
    fn the_same_seed_waits_as_long_and_another_does_not() {
        let wait = |seed| retry().wait(&status(500, None), 1, seed);
        assert_eq!(wait(7), wait(7));
        assert_ne!(wait(7), wait(8));
    }

    #[test]
    fn what_the_server_asks_is_done_within_reason() {
        let wait = |fault: &Fault| retry().wait(fault, 1, 7);
        let asked = Some(Duration::from_millis(240));
        assert_eq!(wait(&status(429, Some(240))), asked);
        assert_eq!(wait(&status(429, Some(251))), None);
        for for_good in [400, 401, 403, 404, 422] {
            assert_eq!(wait(&status(for_good, Some(1))), None, "{for_good}");
        }
    }
}

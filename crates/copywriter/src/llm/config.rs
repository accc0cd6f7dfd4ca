use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::CopyError;

/// Where the server is, how long it is waited for and what it may cost.
///
/// The defaults speak to a server on the same machine, so that nothing leaves it unless someone says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LlmConfig {
    /// Address in front of `/chat/completions`, with `http://` or `https://`. Default `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model, as the server names it. Default `default`.
    pub model: String,
    /// Environment variable that holds the key; the caller reads it. Empty for a server without keys. Default empty.
    pub api_key_env: String,
    /// File of the certificate authorities that a server with `https://` is checked against, in PEM; the caller reads it.
    /// Default `/etc/ssl/certs/ca-certificates.crt`.
    pub ca_file: PathBuf,
    /// Longest wait for a connection, TLS included, in milliseconds, at least 1. Default 5,000.
    pub connect_timeout_ms: u64,
    /// Longest wait for a whole answer, in milliseconds, at least 1. Default 120,000.
    pub answer_timeout_ms: u64,
    /// Longest silence of a stream, its beginning included, in milliseconds, at least 1. Default 30,000.
    pub chunk_timeout_ms: u64,
    /// Further attempts after a connection fault, a 429 or a 5xx. Default 3.
    pub retries: u32,
    /// Wait before the second attempt, in milliseconds; it doubles with each further one, and up to half of it is taken
    /// off by chance. Default 500.
    pub backoff_ms: u64,
    /// Longest wait between two attempts, in milliseconds; a server that asks for a longer one is given up. Default 30,000.
    pub max_wait_ms: u64,
    /// Requests at the same time, at least 1. Default 4.
    pub concurrency: usize,
    /// Tokens of an answer, at least 1. Default 1,000.
    pub max_tokens: u32,
    /// Temperature of the sampling, in [0, 2]. Default 0.8.
    pub temperature: f64,
    /// Price of 1,000 tokens that are sent, in the currency of `budget`. Default 0.
    pub input_price_per_1000: f64,
    /// Price of 1,000 tokens that are answered. Default 0.
    pub output_price_per_1000: f64,
    /// What a run may cost, above 0; it is overrun by one answer at most. Without one nothing is limited. Default none.
    pub budget: Option<f64>,
    /// Whether answers are streamed, so that a server that has fallen silent is noticed early. Default true.
    pub stream: bool,
    /// Whether the answer's form is demanded by a JSON schema; where the server refuses that, it is asked for in words
    /// alone. Default true.
    pub structured: bool,
}

impl Default for LlmConfig {
    fn default() -> Self {
        Self {
            base_url: "http://127.0.0.1:8080/v1".to_owned(),
            model: "default".to_owned(),
            api_key_env: String::new(),
            ca_file: PathBuf::from("/etc/ssl/certs/ca-certificates.crt"),
            connect_timeout_ms: 5_000,
            answer_timeout_ms: 120_000,
            chunk_timeout_ms: 30_000,
            retries: 3,
            backoff_ms: 500,
            max_wait_ms: 30_000,
            concurrency: 4,
            max_tokens: 1_000,
            temperature: 0.8,
            input_price_per_1000: 0.0,
            output_price_per_1000: 0.0,
            budget: None,
            stream: true,
            structured: true,
        }
    }
}

impl LlmConfig {
    /// Verifies every field.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        self.check_address()?;
        self.check_counts()?;
        self.check_cost()
    }

    /// The address that requests go to.
    pub(super) fn url(&self) -> String {
        format!("{}/chat/completions", self.base_url.trim_end_matches('/'))
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(super) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms)
    }

    /// A whole answer comes at once after a long silence; only a stream may be asked to speak now and then.
    pub(super) fn chunk_timeout(&self) -> Option<Duration> {
        self.stream
            .then(|| Duration::from_millis(self.chunk_timeout_ms))
    }

    fn check_address(&self) -> Result<(), CopyError> {
        let rest = ["http://", "https://"]
            .into_iter()
            .find_map(|scheme| self.base_url.strip_prefix(scheme));
        let is_address = |rest: &str| {
            !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c == '@')
        };
        if !rest.is_some_and(is_address) {
            let expected = "an address such as `https://example.com/v1`, without a user name in it";
            return Err(refuse("llm.base_url", &self.base_url, expected));
        }
        if self.model.trim().is_empty() {
            let expected = "a model's name as the server has it";
            return Err(refuse("llm.model", &self.model, expected));
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), CopyError> {
        let counts = [
            ("llm.connect_timeout_ms", self.connect_timeout_ms),
            ("llm.answer_timeout_ms", self.answer_timeout_ms),
            ("llm.chunk_timeout_ms", self.chunk_timeout_ms),
            ("llm.concurrency", self.concurrency as u64),
            ("llm.max_tokens", u64::from(self.max_tokens)),
        ];
        match counts.into_iter().find(|(_, count)| *count == 0) {
            Some((field, count)) => Err(refuse(field, &count, "at least 1")),
            None => Ok(()),
        }
    }

    fn check_cost(&self) -> Result<(), CopyError> {
        if !(0.0..=2.0).contains(&self.temperature) {
            return Err(refuse("llm.temperature", &self.temperature, "0 to 2"));
        }
        let prices = [
            ("llm.input_price_per_1000", self.input_price_per_1000),
            ("llm.output_price_per_1000", self.output_price_per_1000),
        ];
        let is_price = |price: f64| price.is_finite() && price >= 0.0;
        if let Some((field, price)) = prices.into_iter().find(|(_, price)| !is_price(*price)) {
            return Err(refuse(field, &price, "0 or more"));
        }
        let Some(budget) = self.budget else {
            return Ok(());
        };
        if !(budget.is_finite() && budget > 0.0) {
            return Err(refuse("llm.budget", &budget, "a number above 0"));
        }
        if prices.iter().all(|(_, price)| *price == 0.0) {
            let expected = "a price for 1,000 tokens beside it, since at 0 it never runs out";
            return Err(refuse("llm.budget", &budget, expected));
        }
        Ok(())
    }
}

fn refuse(field: &'static str, value: &dyn ToString, expected: &'static str) -> CopyError {
    CopyError::Setting {
        field,
        value: value.to_string(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_its_range() {
        type Change = fn(&mut LlmConfig);
        let cases: [(Change, &str); 9] = [
            (
                |c| c.base_url = "example.com/v1".to_owned(),
                "`llm.base_url` is example.com/v1; expected an address such as `https://example.com/v1`, without a user \
                 name in it",
            ),
            (
                |c| c.base_url = "https://me:secret@example.com".to_owned(),
                "`llm.base_url` is https://me:secret@example.com; expected an address such as `https://example.com/v1`, \
                 without a user name in it",
            ),
            (
                |c| c.model = " ".to_owned(),
                "`llm.model` is  ; expected a model's name as the server has it",
            ),
            (
                |c| c.chunk_timeout_ms = 0,
                "`llm.chunk_timeout_ms` is 0; expected at least 1",
            ),
            (
                |c| c.concurrency = 0,
                "`llm.concurrency` is 0; expected at least 1",
            ),
            (
                |c| c.temperature = 2.5,
                "`llm.temperature` is 2.5; expected 0 to 2",
            ),
            (
                |c| c.output_price_per_1000 = f64::NAN,
                "`llm.output_price_per_1000` is NaN; expected 0 or more",
            ),
            (
                |c| c.budget = Some(0.0),
                "`llm.budget` is 0; expected a number above 0",
            ),
            (
                |c| c.budget = Some(5.0),
                "`llm.budget` is 5; expected a price for 1,000 tokens beside it, since at 0 it never runs out",
            ),
        ];
        for (change, message) in cases {
            let mut config = LlmConfig::default();
            change(&mut config);
            let error = config.check().expect_err(message);
            assert_eq!(error.to_string(), message);
        }
        LlmConfig::default()
            .check()
            .expect("the defaults are valid");
    }

    #[test]
    fn a_slash_at_the_end_of_the_address_changes_nothing() {
        for base in ["http://[::1]:80/v1", "http://[::1]:80/v1/"] {
            let config = LlmConfig {
                base_url: base.to_owned(),
                ..LlmConfig::default()
            };
            assert_eq!(config.url(), "http://[::1]:80/v1/chat/completions");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = toml::from_str::<LlmConfig>("api_key = \"secret\"").expect_err("unknown");
        assert!(
            error.message().starts_with("unknown field `api_key`"),
            "{error}"
        );
    }
}

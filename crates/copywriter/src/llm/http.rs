//! One request over the network.

use std::fmt;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Timeout};

use super::answer::{Answer, message_of};
use super::config::LlmConfig;
use super::fault::{Fault, Limit};
use super::stream;
use crate::CopyError;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 4 << 20;

/// The longest error that is read, in bytes.
const MAX_ERROR: u64 = 16 << 10;

/// What the caller read from its surroundings, which this crate does not look at.
#[derive(Clone, Default)]
pub struct Access {
    /// The key, from the environment variable that [`LlmConfig::api_key_env`] names.
    pub key: Option<String>,
    /// The contents of [`LlmConfig::ca_file`]; only read for an address with `https://`.
    pub ca_pem: Vec<u8>,
}

/// Shows whether there is a key, never the key.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("key", &self.key.as_ref().map(|_| "…"))
            .field("ca_pem", &self.ca_pem.len())
            .finish()
    }
}

/// A server with its connections.
#[derive(Debug)]
pub(super) struct Server {
    agent: Agent,
    url: String,
    access: Access,
}

impl Server {
    /// Prepares the connections; none is made yet.
    pub(super) fn new(config: &LlmConfig, access: Access) -> Result<Self, CopyError> {
        let has_key = access
            .key
            .as_ref()
            .is_some_and(|key| !key.trim().is_empty());
        if !config.api_key_env.is_empty() && !has_key {
            return Err(CopyError::NoKey {
                variable: config.api_key_env.clone(),
            });
        }
        let agent = Agent::config_builder()
            // A status is an answer like others here, and has words in its body.
            .http_status_as_error(false)
            // A redirect could carry the shop's data to a place that nobody configured.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // By default the proxy would come from the environment.
            .proxy(None)
            .tls_config(tls(config, &access)?)
            .max_idle_connections_per_host(config.concurrency)
            .timeout_connect(Some(config.connect_timeout()))
            .timeout_global(Some(config.answer_timeout()))
            .timeout_per_read(config.chunk_timeout())
            .user_agent("hawker")
            .build()
            .new_agent();
        Ok(Self {
            agent,
            url: config.url(),
            access,
        })
    }

    /// Posts a request and fills in the answer, which keeps what had come when it fails.
    pub(super) fn ask(&self, body: &str, answer: &mut Answer) -> Result<(), Fault> {
        let mut request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json");
        if let Some(key) = &self.access.key {
            request = request.header("authorization", format!("Bearer {}", key.trim()));
        }
        let response = request.send(body).map_err(|error| fault(&error))?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let status = response.status().as_u16();
        if status != 200 {
            let retry_after = wait_asked(header("retry-after-ms"), header("retry-after"));
            return Err(self.refusal(status, retry_after, response.into_body()));
        }
        // Some servers do not stream, whatever they are asked.
        let is_stream =
            header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let mut reader = response
            .into_body()
            .into_with_config()
            .limit(MAX_ANSWER)
            .reader();
        let of_io = |error: io::Error| fault(&ureq::Error::from(error));
        if is_stream {
            return stream::read(BufReader::new(reader), answer, of_io);
        }
        let mut body = String::new();
        reader.read_to_string(&mut body).map_err(of_io)?;
        *answer = Answer::read(&body)?;
        Ok(())
    }

    /// Reads what the server says beside its status. The words may end in a log, so a key that they repeat is taken out.
    fn refusal(&self, status: u16, retry_after: Option<Duration>, body: Body) -> Fault {
        let mut bytes = Vec::new();
        // An error that cannot be read is one without words: the status says enough.
        let _ = body
            .into_with_config()
            .reader()
            .take(MAX_ERROR)
            .read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let json = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.trim()));
        let code = json.pointer("/error/code").and_then(Value::as_str);
        if code == Some("content_filter") {
            return Fault::Filtered;
        }
        let mut detail = message_of(&json);
        if let Some(key) = self.access.key.as_deref().filter(|key| !key.is_empty()) {
            detail = detail.replace(key, "…");
        }
        if detail.is_empty() {
            "no reason given".clone_into(&mut detail);
        }
        Fault::Status {
            status,
            retry_after,
            detail,
        }
    }
}

/// Trusts the certificate authorities of the caller alone, with ring's cryptography.
fn tls(config: &LlmConfig, access: &Access) -> Result<TlsConfig, CopyError> {
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    if config.is_encrypted() {
        let items = parse_pem(&access.ca_pem).filter_map(Result::ok);
        certificates.extend(items.filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        }));
        if certificates.is_empty() {
            return Err(CopyError::NoAuthorities {
                file: config.ca_file.display().to_string(),
            });
        }
    }
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::from(certificates))
        .unversioned_rustls_crypto_provider(ring)
        .build())
}

/// How long the server asks to be left alone. `Retry-After` may be a date as well, which says nothing without a clock; the
/// configured waits then hold.
fn wait_asked(milliseconds: Option<String>, seconds: Option<String>) -> Option<Duration> {
    let number = |text: String| text.trim().parse::<f64>().ok().filter(|n| *n >= 0.0);
    let asked = milliseconds
        .and_then(number)
        .map(|milliseconds| milliseconds / 1_000.0)
        .or_else(|| seconds.and_then(number))?;
    Duration::try_from_secs_f64(asked).ok()
}

fn fault(error: &ureq::Error) -> Fault {
    if let Some(rustls::Error::InvalidCertificate(reason)) = tls_error(error) {
        return Fault::Untrusted {
            detail: format!("{reason:?}"),
        };
    }
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => Fault::Timeout(Limit::Connect),
        ureq::Error::Timeout(Timeout::PerRead) => Fault::Timeout(Limit::Chunk),
        ureq::Error::Timeout(_) => Fault::Timeout(Limit::Answer),
        ureq::Error::BodyExceedsLimit(limit) => Fault::Malformed {
            detail: format!("longer than {limit} bytes"),
        },
        // Such as text that is not UTF-8; TLS's other errors are faults of the connection.
        ureq::Error::Io(cause)
            if cause.kind() == io::ErrorKind::InvalidData && tls_error(error).is_none() =>
        {
            Fault::Malformed {
                detail: cause.to_string(),
            }
        }
        other => Fault::Connection {
            detail: other.to_string(),
        },
    }
}

/// What TLS says, where it is the cause: while shaking hands, its errors come as invalid data.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &LlmConfig, key: Option<&str>, pem: &str) -> String {
        let access = Access {
            key: key.map(str::to_owned),
            ca_pem: pem.as_bytes().to_vec(),
        };
        let error = Server::new(config, access).expect_err("refused");
        error.to_string()
    }

    #[test]
    fn what_the_caller_must_bring_is_named() {
        let keyed = LlmConfig {
            api_key_env: "SHOP_KEY".to_owned(),
            ..LlmConfig::default()
        };
        let message = "the key of the language model is missing; set the environment variable `SHOP_KEY`, or empty \
                       `llm.api_key_env` for a server without keys";
        for key in [None, Some(""), Some("  ")] {
            assert_eq!(refused(&keyed, key, ""), message);
        }
        let encrypted = LlmConfig {
            base_url: "https://example.com/v1".to_owned(),
            ..LlmConfig::default()
        };
        assert_eq!(
            refused(&encrypted, None, "no certificate"),
            "`/etc/ssl/certs/ca-certificates.crt` holds no certificate in PEM; set `llm.ca_file` to the file of your \
             system's certificate authorities"
        );
    }

    #[test]
    fn the_key_is_never_shown() {
        let access = Access {
            key: Some("secret".to_owned()),
            ca_pem: vec![0; 3],
        };
        assert_eq!(
            format!("{access:?}"),
            "Access { key: Some(\"…\"), ca_pem: 3 }"
        );
    }

    #[test]
    fn waits_are_read() {
        let asked = |milliseconds: Option<&str>, seconds: Option<&str>| {
            wait_asked(milliseconds.map(str::to_owned), seconds.map(str::to_owned))
        };
        let milliseconds = |n| Some(Duration::from_millis(n));
        assert_eq!(asked(None, Some("2")), milliseconds(2_000));
        assert_eq!(asked(Some("250"), Some("2")), milliseconds(250));
        for unclear in ["Wed, 21 Oct 2015 07:28:00 GMT", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(asked(None, Some(unclear)), None, "{unclear}");
        }
        assert_eq!(asked(None, None), None);
    }
}

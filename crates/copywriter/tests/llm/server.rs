//! A server on the loopback interface that answers by a script, faults included.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What is done with one connection: pieces that are sent, each after a pause, before the connection is closed.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pieces: Vec<(u64, String)>,
    /// Whether the connection is closed before the request is read, which resets it.
    is_reset: bool,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: serde_json::Value,
}

/// Answers as many connections as the script has replies, then is gone.
pub(crate) struct Server {
    pub(crate) base_url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    most_at_once: Arc<AtomicUsize>,
}

impl Reply {
    /// A response with these headers, each ended by `\r\n`.
    pub(crate) fn status(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
        );
        Self::default().then(0, &head).then(0, body)
    }

    /// A whole chat completion, or whatever else is given.
    pub(crate) fn json(body: &str) -> Self {
        Self::status("200 OK", "content-type: application/json\r\n", body)
    }

    /// The beginning of a stream.
    pub(crate) fn stream() -> Self {
        Self::default().then(
            0,
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n",
        )
    }

    pub(crate) fn reset() -> Self {
        Self {
            is_reset: true,
            ..Self::default()
        }
    }

    /// Sends a text after a pause.
    pub(crate) fn then(mut self, pause_ms: u64, text: &str) -> Self {
        self.pieces.push((pause_ms, text.to_owned()));
        self
    }

    /// Waits before the first byte.
    pub(crate) fn late(mut self, pause_ms: u64) -> Self {
        self.pieces[0].0 = pause_ms;
        self
    }

    fn send(&self, stream: &mut impl Write) {
        for (pause_ms, text) in &self.pieces {
            thread::sleep(Duration::from_millis(*pause_ms));
            // A client that has given up is what many a script is about.
            let sent = stream.write_all(text.as_bytes());
            if sent.and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    }
}

impl Server {
    pub(crate) fn start(script: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = Self {
            base_url: format!("http://{address}/v1"),
            requests: Arc::default(),
            most_at_once: Arc::default(),
        };
        let requests = Arc::clone(&server.requests);
        let most_at_once = Arc::clone(&server.most_at_once);
        thread::spawn(move || {
            let at_once = Arc::new(AtomicUsize::new(0));
            for reply in script {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let (requests, at_once) = (Arc::clone(&requests), Arc::clone(&at_once));
                let most_at_once = Arc::clone(&most_at_once);
                thread::spawn(move || {
                    let now = at_once.fetch_add(1, Ordering::SeqCst) + 1;
                    most_at_once.fetch_max(now, Ordering::SeqCst);
                    if reply.is_reset {
                        // What is unread when a socket is closed makes the close a reset.
                        thread::sleep(Duration::from_millis(20));
                    } else {
                        let request = read_request(&mut stream);
                        requests.lock().expect("whole").push(request);
                        reply.send(&mut stream);
                    }
                    at_once.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    /// Answers one connection over TLS, as the server of `tls/server.pem`.
    pub(crate) fn start_tls(reply: Reply) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        thread::spawn(move || {
            let connection = ServerConnection::new(tls()).expect("valid");
            let (stream, _) = listener.accept().expect("a connection");
            let mut stream = StreamOwned::new(connection, stream);
            // A client that does not trust the certificate says so and is gone.
            if stream.conn.complete_io(&mut stream.sock).is_ok() {
                read_request(&mut stream);
                reply.send(&mut stream);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        format!("https://{address}/v1")
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("whole").clone()
    }

    /// The most connections that were open at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }
}

/// The certificate and key of the tests, which serve nothing else: the key is public, and holds for the loopback interface.
fn tls() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key"));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("PEM")], key.expect("PEM"));
    Arc::new(config.expect("a pair"))
}

fn read_request(stream: &mut impl Read) -> Request {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).expect("a request"), 0, "{head}");
    }
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .expect("a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the whole body");
    Request {
        head,
        body: serde_json::from_slice(&body).expect("JSON"),
    }
}

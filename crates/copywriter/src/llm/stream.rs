//! Server-sent events.
//!
//! Source: WHATWG, "HTML", section "Server-sent events", of which `data` lines and comments are used; `OpenAI`'s API ends a
//! stream with the event `[DONE]`.

use std::io::{self, BufRead};

use super::answer::Answer;
use super::fault::Fault;

/// Adds the events of a stream to an answer, which keeps what had come when it fails.
///
/// # Errors
/// Those that `of_io` makes of a reading fault; [`Fault::Connection`] for a stream that ends before the model has;
/// [`Fault::Malformed`] for an event that is no part of a chat completion.
pub(super) fn read(
    mut stream: impl BufRead,
    answer: &mut Answer,
    of_io: impl Fn(io::Error) -> Fault,
) -> Result<(), Fault> {
    let mut event = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        let read = stream.read_line(&mut line).map_err(&of_io)?;
        let text = line.trim_end_matches(['\r', '\n']);
        if let Some(data) = text.strip_prefix("data:") {
            if !event.is_empty() {
                event.push('\n');
            }
            event.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        // An empty line ends an event; so does the end of the stream, which some servers come to without one.
        if text.is_empty() && !event.is_empty() {
            if event == "[DONE]" {
                return Ok(());
            }
            answer.add(&event)?;
            event.clear();
        }
        if read == 0 {
            break;
        }
    }
    if answer.finish.is_some() {
        return Ok(());
    }
    Err(Fault::Connection {
        detail: "the stream ended before the answer did".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stream: &str) -> (Result<(), Fault>, Answer) {
        let mut answer = Answer::default();
        let of_io = |error: io::Error| Fault::Connection {
            detail: error.to_string(),
        };
        let result = read(stream.as_bytes(), &mut answer, of_io);
        (result, answer)
    }

    #[test]
    fn events_are_put_together() {
        let (result, answer) = run(": a comment to keep the line open\r\n\r\n\
             event: message\r\ndata: {\"choices\": [{\"delta\": {\"role\": \"assistant\"}}]}\r\n\r\n\
             data:{\"choices\": [{\"delta\":\ndata: {\"content\": \"hel\"}}]}\n\n\
             data: {\"choices\": [{\"delta\": {\"content\": \"lo\"}, \"finish_reason\": \"stop\"}]}\n\n\
             data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 2}}\n\n\
             data: [DONE]\n\nnothing is read after the end");
        assert_eq!(result, Ok(()));
        assert_eq!(answer.text, "hello");
        assert_eq!(answer.finish.as_deref(), Some("stop"));
        assert_eq!(answer.usage.map(|usage| usage.output_tokens), Some(2));
    }

    #[test]
    fn a_stream_may_end_without_a_word_once_the_model_has() {
        let (result, answer) = run(
            "data: {\"choices\": [{\"delta\": {\"content\": \"x\"}, \"finish_reason\": \"length\"}]}\n",
        );
        assert_eq!(result, Ok(()));
        assert_eq!(answer.finish.as_deref(), Some("length"));
    }

    #[test]
    fn a_stream_that_breaks_off_keeps_what_had_come() {
        let half = "data: {\"choices\": [{\"delta\": {\"content\": \"half\"}}]}\n\n";
        let ended = "the stream ended before the answer did";
        for (rest, detail) in [
            ("", ended),
            (
                "data: {\"error\": {\"message\": \"out of memory\"}}\n\n",
                "out of memory",
            ),
        ] {
            let (result, answer) = run(&format!("{half}{rest}"));
            let detail = detail.to_owned();
            assert_eq!(result, Err(Fault::Connection { detail }));
            assert_eq!(answer.text, "half");
        }
        let (result, _) = run(&format!("{half}data: {{\"cho\n\n"));
        assert!(matches!(result, Err(Fault::Malformed { .. })), "{result:?}");
    }
}

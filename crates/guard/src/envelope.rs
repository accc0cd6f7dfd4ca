//! The form that a marketing mail or text message must have around its words.
//!
//! Mail: who sends it and where to, a way out that works with one click (RFC 2369 and RFC 8058, which the large mailbox
//! providers demand of bulk senders since 2024), a postal address (CAN-SPAM Act, 15 U.S.C. 7704 (a) (5)), and in China the
//! word 广告 or AD before the subject (互联网电子邮件服务管理办法, article 13). Text messages: the sender's signature and
//! the way out (通信短信息服务管理规定, articles 17 to 20; TCPA, 47 CFR 64.1200).

use crate::normal::is_han;
use crate::pack::Severity;
use crate::text::Finding;

/// A mail as it is handed to the sending server, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The headers, unfolded, in their order.
    pub headers: Vec<(String, String)>,
    /// The body as a person reads it: the plain part, or the text of the HTML part.
    pub body: String,
}

/// The two headers by which a mailbox provider lets its user leave a list with one click (RFC 8058, section 3.1).
/// `url` is an HTTPS address that takes a POST and identifies the subscription by itself.
pub fn unsubscribe_headers(url: &str) -> [(String, String); 2] {
    [
        ("List-Unsubscribe".to_owned(), format!("<{url}>")),
        (
            "List-Unsubscribe-Post".to_owned(),
            "List-Unsubscribe=One-Click".to_owned(),
        ),
    ]
}

/// Words by which a body offers the way out.
const LEAVE: [&str; 12] = [
    "unsubscribe",
    "opt out",
    "opt-out",
    "email preferences",
    "mail preferences",
    "manage preferences",
    "stop receiving",
    "退订",
    "取消订阅",
    "不再接收",
    "拒收",
    "邮件设置",
];

impl Mail {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    /// What the mail lacks in form. A finding's span is empty: it is about the whole; its fix is the header to add, where
    /// one can be written without knowing the shop.
    pub fn check_form(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut fault = |rule: &str, severity, reason: &str, fix: Option<&str>| {
            findings.push(Finding {
                rule: rule.to_owned(),
                severity,
                span: (0, 0),
                reason: reason.to_owned(),
                fix: fix.map(str::to_owned),
            });
        };
        let has = |name: &str| self.header(name).is_some_and(|value| !value.is_empty());
        if !self.header("From").is_some_and(has_address) {
            fault(
                "mail_sender",
                Severity::Error,
                "the mail does not say who sends it; give `From` a name and an address",
                None,
            );
        }
        if !has("Subject") {
            fault(
                "mail_subject",
                Severity::Error,
                "the mail has no subject",
                None,
            );
        }
        for name in ["From", "Subject"] {
            let same = |(header, _): &&(String, String)| header.eq_ignore_ascii_case(name);
            if self.headers.iter().filter(same).count() > 1 {
                fault(
                    "mail_header_twice",
                    Severity::Error,
                    "the mail has `From` or `Subject` twice, and mail programs show another one each; leave one (RFC 5322, section 3.6)",
                    None,
                );
            }
        }
        let targets = self.header("List-Unsubscribe").unwrap_or_default();
        let by_post = targets
            .split(',')
            .any(|target| target.trim().to_ascii_lowercase().starts_with("<https://"));
        if !by_post {
            fault(
                "mail_unsubscribe_header",
                Severity::Error,
                "no way out with one click: add `List-Unsubscribe` with an HTTPS address in angle brackets (RFC 8058)",
                Some("List-Unsubscribe: <https://…>"),
            );
        }
        if self.header("List-Unsubscribe-Post") != Some("List-Unsubscribe=One-Click") {
            fault(
                "mail_unsubscribe_post",
                Severity::Error,
                "no way out with one click: add `List-Unsubscribe-Post` (RFC 8058)",
                Some("List-Unsubscribe-Post: List-Unsubscribe=One-Click"),
            );
        }
        let body = self.body.to_lowercase();
        if !LEAVE.iter().any(|word| body.contains(word)) {
            fault(
                "mail_unsubscribe_text",
                Severity::Error,
                "the text does not say how to leave the list; add a line with a link",
                None,
            );
        }
        if !has_postal_address(&self.body) {
            fault(
                "mail_address",
                Severity::Warning,
                "the text shows no postal address of the sender (CAN-SPAM Act, 15 U.S.C. 7704 (a) (5))",
                None,
            );
        }
        let subject = self.header("Subject").unwrap_or_default();
        let labelled = ["广告", "AD", "(AD)", "（AD）", "【广告】", "[广告]"]
            .iter()
            .any(|label| subject.starts_with(label));
        if subject.chars().any(is_han) && !labelled {
            fault(
                "mail_label",
                Severity::Warning,
                "a mail to China begins its subject with 广告 or AD (互联网电子邮件服务管理办法, article 13)",
                Some("广告"),
            );
        }
        findings
    }
}

/// Whether a text message in Chinese carries its sender's signature, such as 【山坡咖啡】, at its beginning or end.
pub(crate) fn lacks_signature(text: &str) -> bool {
    let signed = |text: &str| {
        let inner = text
            .strip_prefix('【')
            .and_then(|rest| rest.split_once('】'));
        inner.is_some_and(|(name, _)| (2..=20).contains(&name.chars().count()))
    };
    let text = text.trim();
    let ends = text.ends_with('】') && text.rfind('【').is_some_and(|at| signed(&text[at..]));
    text.chars().any(is_han) && !signed(text) && !ends
}

fn has_address(value: &str) -> bool {
    let address = value
        .rsplit('<')
        .next()
        .unwrap_or(value)
        .trim_end_matches('>')
        .trim();
    address.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && host.contains('.') && !host.contains(char::is_whitespace)
    })
}

/// Whether a line looks like a postal address: a number and a word of a street or place, as both languages write them.
fn has_postal_address(body: &str) -> bool {
    const STREETS: [&str; 26] = [
        "street",
        " st.",
        " st,",
        "road",
        " rd",
        "avenue",
        " ave",
        "lane",
        "drive",
        "boulevard",
        "square",
        "suite",
        "floor",
        "p.o. box",
        "po box",
        "postcode",
        "way,",
        "quay",
        "court",
        "路",
        "街",
        "号",
        "楼",
        "大厦",
        "弄",
        "邮编",
    ];
    body.lines().any(|line| {
        let line = line.to_lowercase();
        line.chars().any(char::is_numeric) && STREETS.iter().any(|word| line.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(headers: &[(&str, &str)], body: &str) -> Mail {
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Mail {
            headers: headers.iter().map(header).collect(),
            body: body.to_owned(),
        }
    }

    fn rules(mail: &Mail) -> Vec<String> {
        mail.check_form()
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn a_mail_with_everything_has_no_finding() {
        let mut whole = mail(
            &[
                ("from", "Slope Coffee <hello@slope.example>"),
                ("SUBJECT", "New beans"),
            ],
            "New beans.\nUnsubscribe: https://slope.example/u\nSlope Coffee, 12 Mill Lane, Leeds",
        );
        whole
            .headers
            .extend(unsubscribe_headers("https://slope.example/u?s=1"));
        assert_eq!(rules(&whole), [""; 0]);
    }

    #[test]
    fn what_a_mail_lacks_is_named() {
        assert_eq!(
            rules(&mail(
                &[
                    ("From", "Slope Coffee"),
                    ("List-Unsubscribe", "<mailto:u@slope.example>")
                ],
                "Beans"
            )),
            [
                "mail_sender",
                "mail_subject",
                "mail_unsubscribe_header",
                "mail_unsubscribe_post",
                "mail_unsubscribe_text",
                "mail_address"
            ]
        );
        let mut chinese = mail(
            &[("From", "a@b.example"), ("Subject", "新豆上架")],
            "退订请点击链接\n上海市某某路12号",
        );
        chinese
            .headers
            .extend(unsubscribe_headers("https://b.example/u"));
        assert_eq!(rules(&chinese), ["mail_label"]);
        chinese.headers[1].1 = "广告：新豆上架".to_owned();
        assert_eq!(rules(&chinese), [""; 0]);
    }

    #[test]
    fn a_chinese_text_message_is_signed() {
        for (text, lacks) in [
            ("【山坡咖啡】新豆上架，拒收请回复R", false),
            ("新豆上架，拒收请回复R【山坡咖啡】", false),
            ("新豆上架，拒收请回复R", true),
            ("【】新豆上架", true),
            ("New beans. Reply STOP to opt out", false),
        ] {
            assert_eq!(lacks_signature(text), lacks, "{text}");
        }
    }
}

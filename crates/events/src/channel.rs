use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::EventError;

/// Where a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A notification on a phone or in a browser: title and body.
    Push,
    /// A text message, counted in segments of GSM-7 or UCS-2: body.
    Sms,
    /// A mail: subject, preheader and body.
    Email,
    /// A banner on the shop's own pages: title and body.
    Banner,
    /// A post in a social feed: body.
    Social,
}

impl Channel {
    /// Every channel, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Push,
        Self::Sms,
        Self::Email,
        Self::Banner,
        Self::Social,
    ];

    /// The channel's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Banner => "banner",
            Self::Social => "social",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Channel {
    type Err = EventError;

    fn from_str(name: &str) -> Result<Self, EventError> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.name() == name)
            .ok_or_else(|| {
                EventError::invalid("channel", name, "one of push, sms, email, banner, social")
            })
    }
}

/// What a message is to achieve, and so which outcome is its reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// The shopper clicks the message.
    Click,
    /// The shopper orders within the attribution window.
    Purchase,
}

impl Goal {
    /// The goal's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Purchase => "purchase",
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Goal {
    type Err = EventError;

    fn from_str(name: &str) -> Result<Self, EventError> {
        match name {
            "click" => Ok(Self::Click),
            "purchase" => Ok(Self::Purchase),
            _ => Err(EventError::invalid("goal", name, "one of click, purchase")),
        }
    }
}

/// The languages in which the built-in copy library writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// A BCP 47 language tag such as `en-GB` or `zh-CN`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locale(pub String);

impl Locale {
    /// The language that the tag names; anything that is not Chinese is served in English.
    pub fn language(&self) -> Language {
        match self.0.split(['-', '_']).next() {
            Some(tag) if tag.eq_ignore_ascii_case("zh") => Language::Zh,
            _ => Language::En,
        }
    }
}

impl Language {
    /// The language's tag, as a [`Locale`] begins.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}

impl FromStr for Language {
    type Err = EventError;

    fn from_str(tag: &str) -> Result<Self, EventError> {
        let found = [Self::En, Self::Zh]
            .into_iter()
            .find(|language| language.tag() == tag);
        found.ok_or_else(|| EventError::invalid("language", tag, "en or zh"))
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

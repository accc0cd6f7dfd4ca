use copywriter::checkpoint::CheckpointConfig;
use copywriter::llm::LlmConfig;
use copywriter::native::NativeConfig;
use events::Channel;
use serde::{Deserialize, Serialize};

/// The copywriters: what is trained, what is asked over the network, and who lets their texts out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopywriterConfig {
    /// Whether `train` trains the native copywriter and campaigns use its drafts.
    pub native: bool,
    /// Drafts for each channel, language and argument.
    pub drafts: usize,
    /// Drafts that are kept of these, at most: those that the guard passes and that are new.
    pub keep: usize,
    /// Sizes and training of the native model.
    pub model: NativeConfig,
    /// Whether campaigns have lines written for the one shopper and the product that suits best, on channels with a
    /// standing approval.
    pub live: bool,
    /// Lines that are drafted for a shopper, at least 1.
    pub live_lines: usize,
    /// Who approves the texts that are kept by hand.
    pub approval: ApprovalConfig,
    /// A language model on a server; nobody is asked unless it is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm: Option<LlmConfig>,
    /// A language model on this machine; none is read unless it is configured. Its adapter is that of
    /// `hawker train adapter` where no other is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointConfig>,
}

/// Who approves the texts that `hawker copy draft --keep` keeps, by channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalConfig {
    /// For push messages.
    pub push: Approval,
    /// For text messages.
    pub sms: Approval,
    /// For mails.
    pub email: Approval,
    /// For banners.
    pub banner: Approval,
    /// For public posts.
    pub social: Approval,
}

/// Who lets a text that the guard passed be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// A person, with `hawker copy approve`.
    #[default]
    Person,
    /// The standing policy of the channel, at once.
    Standing,
}

impl Default for CopywriterConfig {
    fn default() -> Self {
        Self {
            native: true,
            drafts: 12,
            keep: 3,
            model: NativeConfig::default(),
            live: false,
            live_lines: 4,
            approval: ApprovalConfig::default(),
            llm: None,
            checkpoint: None,
        }
    }
}

impl ApprovalConfig {
    /// The name of the standing policy of a channel, under which its texts are approved; none where a person approves.
    pub fn standing(self, channel: Channel) -> Option<String> {
        let approval = match channel {
            Channel::Push => self.push,
            Channel::Sms => self.sms,
            Channel::Email => self.email,
            Channel::Banner => self.banner,
            Channel::Social => self.social,
        };
        (approval == Approval::Standing)
            .then(|| format!("standing policy: {channel} drafts that pass the guard"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_a_standing_policy_where_it_says_so() {
        let config: CopywriterConfig = toml::from_str(
            "approval.push = \"standing\"\nllm.model = \"qwen\"\ncheckpoint.folder = \"qwen\"",
        )
        .expect("valid");
        let policy = |channel| config.approval.standing(channel);
        assert_eq!(
            policy(Channel::Push).as_deref(),
            Some("standing policy: push drafts that pass the guard")
        );
        assert_eq!(policy(Channel::Email), None);
        assert_eq!(config.llm.expect("configured").model, "qwen");
        let folder = config.checkpoint.expect("configured").folder;
        assert_eq!(folder.to_str(), Some("qwen"));
        assert_eq!(CopywriterConfig::default().llm, None);
        assert_eq!(CopywriterConfig::default().checkpoint, None);
    }
}

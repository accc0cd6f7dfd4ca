//! Identifiers and other personal data, encrypted under a key file: the only place that can tell who a
//! pseudonym is.
//!
//! A pseudonym is the keyed BLAKE3 hash of an identifier, so that an import can derive it without looking
//! anything up and a rerun derives the same one. Personal data is sealed with XChaCha20-Poly1305 under a
//! nonce that is itself a keyed hash of the plain text (the SIV construction, Rogaway and Shrimpton 2006):
//! equal texts seal to equal bytes, which keeps reruns bit-identical, and no nonce can repeat for different texts.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use events::{Identity, MessageKey, Pseudonym};

use crate::error::{EngineError, Result};

const NONCE_BYTES: usize = 24;

/// The keys derived from one key file.
pub struct Vault {
    path: PathBuf,
    pseudonym_key: [u8; 32],
    nonce_key: [u8; 32],
    check: [u8; 16],
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// Makes a new key file of mode 0600 with 32 bytes from the operating system.
    ///
    /// # Errors
    /// [`EngineError::Io`] when the file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| EngineError::Io {
            action: "draw a key for",
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string()),
        })?;
        if path.exists() {
            let exists = std::io::ErrorKind::AlreadyExists;
            return Err(EngineError::io("create", path)(exists.into()));
        }
        write_key(path, &key).map_err(EngineError::io("create", path))?;
        Ok(Self::from_key(path, &key))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`EngineError::Key`] when it is lost, open to other users or of the wrong size.
    pub fn open(path: &Path) -> Result<Self> {
        let fault = |problem, remedy| EngineError::Key {
            path: path.to_owned(),
            problem,
            remedy,
        };
        let mut file = File::open(path).map_err(|_| {
            fault(
                "is missing",
                "put it back from your backup: without it nobody can be written to, by design",
            )
        })?;
        let mode = file
            .metadata()
            .map_err(EngineError::io("inspect", path))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(fault("can be read by other users", "run `chmod 600` on it"));
        }
        let mut key = Vec::with_capacity(33);
        Read::by_ref(&mut file)
            .take(33)
            .read_to_end(&mut key)
            .map_err(EngineError::io("read", path))?;
        let key = <[u8; 32]>::try_from(key).map_err(|_| {
            fault(
                "does not hold 32 bytes",
                "put the right file back from your backup",
            )
        })?;
        Ok(Self::from_key(path, &key))
    }

    fn from_key(path: &Path, key: &[u8; 32]) -> Self {
        let derive = |context: &str| blake3::derive_key(context, key);
        let mut check = [0; 16];
        check.copy_from_slice(&derive("hawker 2026 vault key check v1")[..16]);
        Self {
            path: path.to_owned(),
            pseudonym_key: derive("hawker 2026 vault pseudonyms v1"),
            nonce_key: derive("hawker 2026 vault nonces v1"),
            check,
            cipher: XChaCha20Poly1305::new(&derive("hawker 2026 vault sealing v1").into()),
        }
    }

    /// A value that tells whether two key files are the same without telling anything about the key.
    pub fn key_check(&self) -> [u8; 16] {
        self.check
    }

    /// Compares the key with the one that the data directory was made with.
    ///
    /// # Errors
    /// [`EngineError::Key`] when they differ.
    pub fn verify(&self, expected: &[u8]) -> Result<()> {
        if self.check == expected {
            return Ok(());
        }
        Err(EngineError::Key {
            path: self.path.clone(),
            problem: "is not the one that this data directory was made with",
            remedy: "put the right file back from your backup",
        })
    }

    /// The pseudonym of an identifier.
    pub fn pseudonym(&self, identity: &Identity) -> Pseudonym {
        let kind = if identity.is_anonymous() { b'a' } else { b'u' };
        Pseudonym(self.keyed_half(kind, identity.as_str().as_bytes()))
    }

    /// The key under which the log counts a message once.
    ///
    /// It is keyed, since shops put identifiers into a `messageId`: whoever holds the log without the key could
    /// otherwise hash guesses until one fits.
    pub fn message_key(&self, message_id: &str) -> MessageKey {
        MessageKey(self.keyed_half(b'm', message_id.as_bytes()))
    }

    /// A keyed hash of personal data, for finding an equal text again.
    pub(crate) fn row_key(&self, text: &[u8]) -> [u8; 16] {
        self.keyed_half(b'r', text)
    }

    fn keyed_half(&self, domain: u8, text: &[u8]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.pseudonym_key);
        hasher.update(&[domain]).update(text);
        let mut half = [0; 16];
        half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        half
    }

    /// Encrypts personal data: a nonce of 24 bytes, then the sealed text.
    ///
    /// # Panics
    /// Never for texts below 256 GiB, the cipher's limit.
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let hash = blake3::keyed_hash(&self.nonce_key, plain);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash.as_bytes()[..NONCE_BYTES]);
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), plain)
            .expect("invariant: the text is below the cipher's limit");
        [&nonce, sealed.as_slice()].concat()
    }

    /// Decrypts what [`Vault::seal`] made.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when the bytes were changed or sealed under another key.
    pub fn unseal(&self, sealed: &[u8], place: &str) -> Result<Vec<u8>> {
        let corrupt = || EngineError::Corrupt {
            what: "sealed value",
            place: place.to_owned(),
            detail: "it was changed, or sealed under another key".to_owned(),
        };
        let (nonce, text) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(corrupt)?;
        self.cipher
            .decrypt(&XNonce::from(*nonce), text)
            .map_err(|_| corrupt())
    }

    /// Encrypts an identifier with its kind.
    pub(crate) fn seal_identity(&self, identity: &Identity) -> Vec<u8> {
        let kind = if identity.is_anonymous() { 'a' } else { 'u' };
        self.seal(format!("{kind}{}", identity.as_str()).as_bytes())
    }

    /// Decrypts an identifier.
    pub(crate) fn unseal_identity(&self, sealed: &[u8], place: &str) -> Result<Identity> {
        let text = String::from_utf8_lossy(&self.unseal(sealed, place)?).into_owned();
        Ok(match text.split_at_checked(1) {
            Some(("u", id)) => Identity::User(id.to_owned()),
            Some((_, id)) => Identity::Anonymous(id.to_owned()),
            None => Identity::Anonymous(text),
        })
    }
}

/// Writes the key beside its place and renames it, so that a crash leaves either no key file or a whole one.
fn write_key(path: &Path, key: &[u8; 32]) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(key)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    // The rename itself is durable only once the folder is.
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealing_round_trips_and_tampering_is_noticed() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let vault = Vault::create(&dir.path().join("key")).expect("creates");
        let again = Vault::open(&dir.path().join("key")).expect("opens");
        let mut sealed = vault.seal("张三".as_bytes());
        assert_eq!(sealed, again.seal("张三".as_bytes()));
        assert_eq!(
            again.unseal(&sealed, "x").expect("opens"),
            "张三".as_bytes()
        );
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert!(
            again
                .unseal(&sealed, "row 7")
                .expect_err("tampered")
                .to_string()
                .contains("row 7")
        );
    }

    #[test]
    fn pseudonyms_differ_between_kinds_people_and_keys() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let [a, b] = ["a", "b"].map(|name| Vault::create(&dir.path().join(name)).expect("creates"));
        let user = Identity::User("7".to_owned());
        let all = [
            a.pseudonym(&user),
            a.pseudonym(&Identity::Anonymous("7".to_owned())),
            a.pseudonym(&Identity::User("8".to_owned())),
            b.pseudonym(&user),
        ];
        for (i, left) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|right| left != right));
        }
        assert_eq!(
            a.unseal_identity(&a.seal_identity(&user), "x")
                .expect("opens"),
            user
        );
    }

    #[test]
    fn a_bad_key_file_is_refused_with_its_remedy() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("key");
        let message = |path: &Path| Vault::open(path).err().expect("refused").to_string();
        assert!(message(&path).contains("is missing; put it back from your backup"));
        std::fs::write(&path, b"short").expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
        assert!(message(&path).contains("does not hold 32 bytes"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(message(&path).contains("run `chmod 600` on it"));
        let other = Vault::create(&dir.path().join("other")).expect("creates");
        assert!(
            other
                .verify(&[0; 16])
                .expect_err("differs")
                .to_string()
                .contains("is not the one")
        );
    }
}

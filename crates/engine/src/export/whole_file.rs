//! A file that appears at its place only when it is whole.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{EngineError, Result};

/// Written beside its place; removed again unless it is finished.
pub(crate) struct WholeFile {
    file: File,
    unfinished: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl WholeFile {
    /// Starts a file; a private one can be read by its owner alone.
    pub(crate) fn create(path: &Path, private: bool) -> Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".unfinished");
        let unfinished = PathBuf::from(name);
        // What an earlier run left would keep its mode.
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(EngineError::io("replace", unfinished)(error));
            }
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(if private { 0o600 } else { 0o644 })
            .open(&unfinished)
            .map_err(EngineError::io("create", path))?;
        Ok(Self {
            file,
            unfinished,
            path: path.to_owned(),
            finished: false,
        })
    }

    /// Syncs the file and puts it in its place.
    pub(crate) fn finish(mut self) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.unfinished, &self.path)?;
        self.finished = true;
        // The rename itself is durable only once the folder is.
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done where even this fails; the name says what the file is.
            let _ = std::fs::remove_file(&self.unfinished);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_unfinished_file_leaves_the_old_one() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("out.jsonl");
        std::fs::write(&path, "old").expect("writes");
        let mut file = WholeFile::create(&path, true).expect("creates");
        file.write_all(b"new").expect("writes");
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "old");
        assert_eq!(std::fs::read_dir(dir.path()).expect("lists").count(), 1);
        let mut file = WholeFile::create(&path, true).expect("creates");
        file.write_all(b"new").expect("writes");
        file.finish().expect("finishes");
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "new");
        let mode = std::fs::metadata(&path)
            .expect("inspects")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

//! `hawker init`.

use crate::Outcome;
use crate::cli::InitArgs;
use crate::terminal::Terminal;

pub(crate) fn run(args: &InitArgs, terminal: Terminal) -> Outcome<()> {
    use std::io::Write;
    let path = &args.path;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)?;
    }
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!(
                "{} exists already; edit it, or name another file",
                path.display()
            )
        }
        _ => format!("cannot write {}: {error}", path.display()),
    })?;
    file.write_all(engine::config::TEMPLATE.as_bytes())?;
    file.sync_all()?;
    terminal.say(format!(
        "wrote {}; every key stands there with its default",
        path.display()
    ));
    terminal.result(&serde_json::json!({"config": path}))
}

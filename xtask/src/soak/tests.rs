//! The soak against shell scripts that stand in for `hawker`.
#![cfg(unix)]

use super::*;
use std::os::unix::fs::PermissionsExt;

/// Appends ten lines to the log, one at a time, and counts on from what is there.
const RESUMES: &str =
    "while [ $(wc -l < $dir/log) -lt 10 ]; do sleep 0.02; echo line >> $dir/log; done";
/// Appends ten lines, whatever is there: a killed run leaves too many.
const REPEATS: &str = "for i in 1 2 3 4 5 6 7 8 9 10; do echo line >> $dir/log; sleep 0.02; done";

fn script(folder: &Path, body: &str) -> PathBuf {
    let path = folder.join("hawker");
    let text = format!(
        "#!/bin/sh\ncommand=$1\nwhile [ \"$1\" != --data-dir ]; do shift; done\ndir=$2\ntouch $dir/log\n\
         if [ $command = status ]; then\n  n=$(($(wc -l < $dir/log)))\n\
         echo \"{{\\\"fingerprint\\\":\\\"$n\\\",\\\"model_fingerprint\\\":\\\"$n\\\"}}\"\nelse\n  {body}\nfi\n"
    );
    fs::write(&path, text).expect("the script can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be made to run");
    path
}

fn soaked(body: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let hawker = script(folder.path(), body);
    let arguments = [
        "--hawker".to_owned(),
        hawker.display().to_string(),
        "--moments".into(),
        "3".into(),
    ];
    let options = Options::parse(&arguments).expect("the arguments are valid");
    let import =
        soak(&import_job(&options, &[]), &options, folder.path()).expect("the import soak runs");
    let start = folder.path().join("start");
    fs::create_dir(&start).expect("a folder can be made");
    let training = training_job(&options, start);
    let training = soak(&training, &options, folder.path()).expect("the training soak runs");
    assert_eq!(import, training);
    import
}

// One test, as a script that another thread's child still holds open for writing cannot be started.
#[test]
fn a_command_that_resumes_passes_and_one_that_repeats_itself_fails() {
    assert!(soaked(RESUMES));
    assert!(!soaked(REPEATS));
}

//! The built binary as a person or a script runs it: words, exit codes, JSON, faults and kills.

mod bench;
mod click;
mod copy;
mod drift;
mod faults;
mod hawker;
mod killed;
mod lift;
mod live;
mod own_texts;
mod recommend;
mod round;
mod tune;
mod usage;
mod writing;

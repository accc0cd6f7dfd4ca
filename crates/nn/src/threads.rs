/// The variable by which candle learns how many threads an element-wise operation uses.
const VARIABLE: &str = "CANDLE_NUM_THREADS";

/// Makes each element-wise operation run on the thread that asks for it, and says whether it does.
///
/// candle splits every such operation over a pool of its own whose threads spin while they wait: two cores then take
/// as long as one, and several callers queue for the pool. This crate's callers split batches instead, see
/// [`sharded_gradients`](crate::sharded_gradients). To be called first in `main`: the setting is an environment
/// variable, so nothing is changed where this process runs several threads already or cannot tell. Results are the same
/// either way.
pub fn one_thread_per_operation() -> bool {
    if std::env::var_os(VARIABLE).is_some() {
        return std::env::var(VARIABLE).is_ok_and(|threads| threads == "1");
    }
    let threads = std::fs::read_dir("/proc/self/task").map(Iterator::count);
    if !matches!(threads, Ok(1)) {
        return false;
    }
    // SAFETY: changing the environment is a race only with other threads, and there is none.
    #[expect(
        unsafe_code,
        reason = "candle takes its number of threads from the environment alone"
    )]
    unsafe {
        std::env::set_var(VARIABLE, "1");
    }
    true
}

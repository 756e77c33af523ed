//! Which core a schedule runs on.

/// Keeps this thread, and those that it begins, to one of the cores that it may run on. A
/// schedule and its database take turns: where each has a core, one always wakes the other.
#[cfg(target_os = "linux")]
pub(crate) fn keep_to(number: usize) {
    use nix::{
        sched::{CpuSet, sched_getaffinity, sched_setaffinity},
        unistd::Pid,
    };
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).unwrap();
    let cores = (0..CpuSet::count()).filter(|core| allowed.is_set(*core) == Ok(true));
    let cores: Vec<_> = cores.collect();
    let mut one = CpuSet::new();
    one.set(cores[number % cores.len()]).unwrap();
    sched_setaffinity(this, &one).unwrap();
}

/// Elsewhere than on Linux it runs where it may.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_to(_number: usize) {}

//! How much memory this process may have.

use std::path::Path;

/// The smallest limit of the process's control group and those above it; else the memory of the machine. Files are looked
/// for below `root`.
pub fn limit(root: &Path) -> Option<(u64, &'static str)> {
    let machine = machine_bytes(root).map(|total| (total, "the machine"));
    let group = group_bytes(root).map(|limit| (limit, "the control group (container)"));
    group.into_iter().chain(machine).min_by_key(|(limit, _)| *limit)
}

fn group_bytes(root: &Path) -> Option<u64> {
    let own = std::fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    // Version 2 has one line, `0::/path`; version 1 a line for each controller, `9:memory:/path`.
    let unified = own.lines().find_map(|line| line.strip_prefix("0::/"));
    let unified = unified.map(|path| smallest(&root.join("sys/fs/cgroup"), path, "memory.max"));
    let legacy = own.lines().find_map(|line| line.split_once(":memory:/"));
    let legacy = legacy.map(|(_, path)| smallest(&root.join("sys/fs/cgroup/memory"), path, "memory.limit_in_bytes"));
    unified.into_iter().chain(legacy).flatten().min()
}

/// The smallest limit on the way from a group up to the top.
fn smallest(top: &Path, group: &str, file: &str) -> Option<u64> {
    let folder = top.join(group);
    let folders = folder.ancestors().take_while(|folder| folder.starts_with(top));
    let limit = |folder: &Path| std::fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    folders.filter_map(limit).filter(|limit| *limit < UNLIMITED_BYTES).min()
}

/// Version 1 writes "no limit" as a number near 2^63.
const UNLIMITED_BYTES: u64 = 1 << 60;

fn machine_bytes(root: &Path) -> Option<u64> {
    let info = std::fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let kib = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?;
    Some(kib.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        root
    }

    #[test]
    fn the_smallest_limit_counts() {
        let meminfo = ("proc/meminfo", "MemTotal:        2000000 kB\nMemFree: 1 kB\n");
        assert_eq!(limit(root(&[]).path()), None);
        assert_eq!(limit(root(&[meminfo]).path()), Some((2_048_000_000, "the machine")));
        let unified = root(&[
            meminfo,
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "512000000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ]);
        assert_eq!(limit(unified.path()), Some((512_000_000, "the control group (container)")));
        let legacy = root(&[
            meminfo,
            ("proc/self/cgroup", "3:cpu:/\n2:memory:/x\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "300000000\n"),
        ]);
        assert_eq!(limit(legacy.path()), Some((300_000_000, "the control group (container)")));
    }
}

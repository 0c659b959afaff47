"""What the figures were measured on."""

import os
import pathlib
import platform

import data


def describe():
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9),
        "kernel": f"{platform.system()} {platform.release()}",
        "file_system": file_system(),
        "python": platform.python_version(),
    }


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def file_system():
    """The type of the file system that the lakes are on."""
    place = str(data.cache().parent.resolve())
    best, kind = "", "unknown file system"
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        if (place + "/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best):
            best, kind = mount, found
    return kind

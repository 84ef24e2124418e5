"""Rights that a process gives up for good before it opens a stranger's file.

Linux lets any process do so: resource limits (``setrlimit``), Landlock for files (https://docs.kernel.org/userspace-api/
landlock.html) and a seccomp filter for system calls. Each is taken where the kernel has it and left out where it has
not; `confine` says which are in force.
"""

import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9

# landlock_create_ruleset, _add_rule and _restrict_self have the same numbers on every architecture
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_EXECUTE, _IOCTL_DEV = 1 << 0, 1 << 15
#: How many of the rights to files each version of Landlock knows.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_RIGHTS_NEWER = 16
_NET_RIGHTS = 0b11  # bind and connect TCP, from version 4
_SCOPES = 0b11  # abstract sockets and signals, from version 6

#: Of each architecture the number that seccomp knows it by, and the system calls that no reader of files needs:
#: sockets, other programs, other processes, threads.
_DENIED = {
    "x86_64": (
        0xC000003E,
        # socket connect socketpair clone fork vfork execve kill ptrace tkill tgkill process_vm_readv/writev execveat
        (41, 42, 53, 56, 57, 58, 59, 62, 101, 200, 234, 310, 311, 322, 424, 425, 435),
    ),
    "aarch64": (
        0xC00000B7,
        # ptrace kill tkill tgkill socket socketpair connect clone execve process_vm_readv/writev execveat
        (117, 129, 130, 131, 198, 199, 203, 220, 221, 270, 271, 281, 424, 425, 435),
    ),
}  # on both: 424 pidfd_send_signal, 425 io_uring_setup, 435 clone3
_X32 = 0x40000000  # x86-64 has a second table of system calls above this number

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # EPERM


def confine(
    *, readable: Iterable[Path], writable: Path, cpu_s: int, file_bytes: int, address_bytes: int
) -> frozenset[str]:
    """Give up, for this process and for good, what reading one file does not need.

    Parameters
    ----------
    readable : iterable of Path
        Files that may be read, beside the folders of Python and its libraries.
    writable : Path
        The one folder that may be written to.
    cpu_s : int
        Seconds of processor time.
    file_bytes : int
        Largest file that may be written.
    address_bytes : int
        Address space.

    Returns
    -------
    frozenset of str
        What is in force, of ``limits``, ``files`` (no other file is read or written) and ``calls`` (no network, no
        other program or process, no thread).
    """
    for limit, value in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, address_bytes),
    ):
        lower(limit, value)
    if sys.platform != "linux":
        return frozenset({"limits"})
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return frozenset({"limits"})
    in_force = {"limits"}
    if _restrict_files(libc, readable, writable):
        in_force.add("files")
    if _restrict_calls(libc):
        in_force.add("calls")
    return frozenset(in_force)


def lower(limit: int, value: int) -> None:
    """Lower a resource limit of this process for good; where it is lower already, it stays."""
    _, hard = resource.getrlimit(limit)
    if hard == resource.RLIM_INFINITY or value < hard:
        resource.setrlimit(limit, (value, value))


def _restrict_files(libc: ctypes.CDLL, readable: Iterable[Path], writable: Path) -> bool:
    """Restrict this process to some files by Landlock; False where the kernel has none."""
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    every = (1 << _FILE_RIGHTS.get(version, _FILE_RIGHTS_NEWER)) - 1
    attributes = struct.pack("<QQQ", every, _NET_RIGHTS if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    # an older kernel takes a shorter structure only
    length = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(length), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ_FILE)
        for path in _library_folders():
            _allow(libc, ruleset, path, _READ_FILE | _READ_DIR)
        _allow(libc, ruleset, Path("/dev/null"), _READ_FILE | 1 << 1)
        _allow(libc, ruleset, Path("/proc/self"), _READ_FILE)
        _allow(libc, ruleset, writable, every & ~(_EXECUTE | _IOCTL_DEV))
        return libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    finally:
        os.close(ruleset)


def _library_folders() -> set[Path]:
    """Return where Python finds modules and the loader finds libraries that a reader may import late."""
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {Path(sysconfig.get_path(kind)) for kind in kinds} | {Path(__file__).parents[1]}
    return folders | {Path(name) for name in ("/lib", "/lib64", "/usr/lib", "/usr/share/zoneinfo")}


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    """Allow something at or below a path; a path that is not there needs no right."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = struct.pack("<Qi", rights, descriptor)
            libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
        finally:
            os.close(descriptor)


def _restrict_calls(libc: ctypes.CDLL) -> bool:
    """Refuse system calls by a seccomp filter; False where the architecture is not known or the kernel has none."""
    if platform.machine() not in _DENIED:
        return False
    architecture, denied = _DENIED[platform.machine()]
    tests = [(_JUMP_IF_AT_LEAST, _X32), *((_JUMP_IF_EQUAL, number) for number in denied)]
    # offsets 4 and 0 are those of the architecture and the number in the kernel's structure; a jump counts from the
    # instruction behind it to the refusal, which is the last but one
    program = [(_LOAD, 0, 0, 4), (_JUMP_IF_EQUAL, 0, len(tests) + 1, architecture), (_LOAD, 0, 0, 0)]
    program += [(code, len(tests) - place, 0, value) for place, (code, value) in enumerate(tests)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *one) for one in program))
    filter_ = struct.pack("@HP", len(program), ctypes.addressof(instructions))
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_, 0, 0) == 0

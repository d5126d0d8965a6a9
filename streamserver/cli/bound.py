"""Bind a process to its parent's life. Run as a script, it does so and becomes another program:
`python bound.py <pid of the parent> program arguments…`. It imports the standard library only, so that this is quick.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when process `parent` ends, however it ends. Linux only; elsewhere it does nothing.

    SIGKILL, because nothing else is certain: a second redis-server on the same files would corrupt them.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call above
        sys.exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - a program and arguments, no shell

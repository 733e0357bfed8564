"""Keep one command's processes from outliving whoever started them: run as a script, by its path.

It stands between the gateway and the command, at the head of a process group of their own. When its
standard input ends, because the gateway stopped, crashed or was killed, the whole group ends. The
same happens when the command ends, so that nothing it left behind holds its port.
It tells on standard output, a line each: `pid N` or `error …` when it began, `exit N` when it ended.
Knows nothing of Spillover and imports none of it: it must start fast and stay small.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

WINDOWS = sys.platform == "win32"


def main(grace_s: float, command: list[str]) -> int:
    """Run the command until it ends or standard input does."""
    if not WINDOWS:
        # A handler, for what is ignored would stay ignored in the command.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
    try:
        child = subprocess.Popen(  # noqa: S603 - what it runs is the user's own configuration
            command, stdin=subprocess.DEVNULL, stdout=2, stderr=2
        )
    except OSError as error:
        _tell(f"error {error.strerror}: {command[0]}")
        return 1
    _tell(f"pid {child.pid}")
    threading.Thread(target=_until_left, args=(child, grace_s), daemon=True).start()
    _tell(f"exit {child.wait()}")
    _end_all(child)
    return 0


def _tell(line: str) -> None:
    try:
        os.write(1, f"{line}\n".encode())
    except OSError:  # nobody is left to hear it
        return


def _until_left(child: subprocess.Popen[bytes], grace_s: float) -> None:
    while os.read(0, 1024):
        pass
    if WINDOWS:
        _end_all(child)
        return
    os.killpg(0, signal.SIGTERM)
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        _end_all(child)


def _end_all(child: subprocess.Popen[bytes]) -> None:
    """End every process of the group, this one among them where there are groups."""
    if WINDOWS:
        system = os.environ.get("SYSTEMROOT", r"C:\Windows")
        kill = [rf"{system}\System32\taskkill.exe", "/F", "/T", "/PID", str(child.pid)]
        subprocess.run(kill, check=False, capture_output=True)  # noqa: S603 - the system's own
    else:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))

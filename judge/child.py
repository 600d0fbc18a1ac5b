"""A command run within a time limit, its output in a log, ended with all it started."""
import os
import signal
import subprocess
import time
from collections import namedtuple

# exit: the code, or minus the number of the signal that ended it. state: ENDED, TIMED_OUT or STOPPED.
Ended = namedtuple("Ended", "exit state seconds")
ENDED, TIMED_OUT, STOPPED = "ended", "timed out", "stopped"

POLL_S = 0.2
# How long a command has to clean up (worktrees, partial runs) after SIGINT, then after SIGTERM.
GRACE_S = ((signal.SIGINT, 15.0), (signal.SIGTERM, 5.0))


def default_interrupt():
    """In the child: a shell that runs things in the background, as cron does, has SIGINT ignored in them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def end(process):
    """Ends a command's process group, gently first."""
    for number, seconds in GRACE_S:
        signal_group(process, number)
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue
    signal_group(process, signal.SIGKILL)  # also what the command left behind
    return process.wait()


def run(words, log, limit_s, stopped=lambda: False):
    """Runs a command in a process group of its own, its output appended to the open file log, until it ends, its limit is
    over or stopped() is true. OSError: it cannot be started."""
    begin = time.monotonic()
    with subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                          start_new_session=True, preexec_fn=default_interrupt) as process:
        state = ENDED
        while process.poll() is None:
            if stopped() or time.monotonic() - begin > limit_s:
                state = STOPPED if stopped() else TIMED_OUT
                end(process)
                break
            try:
                process.wait(POLL_S)
            except subprocess.TimeoutExpired:
                pass
        return Ended(process.returncode, state, time.monotonic() - begin)

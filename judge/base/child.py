"""A command run within a time limit, its output in a log, ended with all it started."""
import os
import signal
import subprocess
import time
from collections import namedtuple

# exit: the code, or minus the number of the signal that ended it. state: ENDED, TIMED_OUT or STOPPED. last_line: of its
# log when it was told to end (what it says to that is no news), or when it ended.
Ended = namedtuple("Ended", "exit state seconds last_line")
ENDED, TIMED_OUT, STOPPED = "ended", "timed out", "stopped"

POLL_S = 0.2
# Seconds that a command has to clean up (worktrees, partial runs) after SIGINT, then after SIGTERM.
GRACE_S = ((signal.SIGINT, 15.0), (signal.SIGTERM, 5.0))


def last_line(log):
    """Returns the last line of a log that says something, shortened."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
    except OSError:
        return "its log cannot be read"
    return lines[-1][:300] if lines else "it printed nothing"


def default_interrupt():
    """Lets SIGINT end the child: a shell that runs things in the background, as cron does, has it ignored in them."""
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
    """Runs a command in a process group of its own, its output appended to the file log, until it ends, its limit is
    over or stopped() is true. OSError: it cannot be started."""
    begin, line = time.monotonic(), None
    with open(log, "ab") as file, \
            subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                             start_new_session=True, preexec_fn=default_interrupt) as process:
        state = ENDED
        while process.poll() is None:
            if stopped() or time.monotonic() - begin > limit_s:
                state = STOPPED if stopped() else TIMED_OUT
                line = last_line(log)
                end(process)
                break
            try:
                process.wait(POLL_S)
            except subprocess.TimeoutExpired:
                pass
        return Ended(process.returncode, state, time.monotonic() - begin, line or last_line(log))

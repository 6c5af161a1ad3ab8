"""Whether the kernel lets us have namespaces, without which some tests can't be run: those that mount something, that make embark PID 1,
or that have a network of their own.

A container without CAP_SYS_ADMIN may make none. Then these tests are skipped, and summary() says how many they are; where they are to be
run in any case, .ci/run takes what it says for a failure.
"""

import functools
import subprocess

import pytest

REASON = "the kernel refuses namespaces"
WORDS = ("unshare", "nsenter")
# All kinds that tests use, and what they do in them.
TRY = ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc", "mount", "-t", "tmpfs", "none", "/tmp"]


@functools.cache
def refusal():
    """Why there can be none, in the words of who tried; an empty text if there can."""
    done = subprocess.run(TRY, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"unshare ended with {done.returncode}"])[0]


def need():
    """Skips the test that asks, if the kernel refuses."""
    if refusal():
        pytest.skip(REASON)


def need_for(words):
    """The same for a test that is about to run these words of a command."""
    if any(word in WORDS for word in words):
        need()


def summary(reports):
    """Of a run's reports of skipped tests: one line on those that were skipped in here, or None."""
    count = sum(isinstance(report.longrepr, tuple) and report.longrepr[2].endswith(REASON) for report in reports)
    if not count:
        return None
    return (f"namespaces: {count} tests skipped, as {REASON} ({refusal()}): to run them, run all as root on a machine of your own, "
            "or in a container by docker run --privileged")

"""Waiting for a condition with a deadline: the only kind of waiting in these tests."""

import time


def eventually(condition, timeout=15.0, what=None, gap=0.01):
    """Calls `condition` until it returns something true, and returns that. Fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {timeout} s: {what or condition}")
        time.sleep(gap)


def steadily(condition, seconds, what=None, gap=0.01):
    """The opposite: `condition` has to be true all the time for `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"was to stay so for {seconds} s: {what or condition}"
        time.sleep(gap)

"""Somebody at a terminal: types, and reads what is shown."""

import os
import pty
import re
import select
import time


class Screen:
    """A pseudo-terminal. `child` is the end for the program that is started; it is to be closed here then."""

    def __init__(self):
        self.parent, self.child = pty.openpty()
        self.seen = ""

    def started(self):
        os.close(self.child)

    def type(self, text):
        os.write(self.parent, text.encode())

    def shows(self, text, timeout=60):
        """Waits for it, and gives the match; what is looked for next comes behind it."""
        end = time.monotonic() + timeout
        while not re.search(text, self.seen):
            ready, _, _ = select.select([self.parent], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} was not shown: {self.seen!r}"
            try:
                self.seen += os.read(self.parent, 65536).decode(errors="replace")
            except OSError:     # the other side is closed
                assert re.search(text, self.seen), f"{text!r} was not shown: {self.seen!r}"
        found = re.search(text, self.seen)
        self.seen = self.seen[found.end():]
        return found

    def close(self):
        if self.parent is not None:
            os.close(self.parent)
            self.parent = None

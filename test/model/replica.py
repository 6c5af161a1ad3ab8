"""embark in one container of a history: started, struck, waited for."""

import contextlib
import os
import signal
import subprocess
import time

from support.process import PID_NAMESPACE, children, send

LIMIT = 90
SERVICE = 'date +%s.%N >"$0"'


class Replica:
    def __init__(self, history, image, folder, url, env, contained=False):
        self.image = image
        history.started += 1
        self.base = history.folder / f"start{history.started}"
        config = self.base.with_suffix(".ini")
        config.write_text(history.config(image, folder.name))
        self.err, self.mark = self.base.with_suffix(".err"), self.base.with_suffix(".served")
        self.contained = contained
        with open(self.err, "wb") as err:
            self.popen = subprocess.Popen(
                [*(PID_NAMESPACE if contained else []), history.binary, "sh", "-c", SERVICE, str(self.mark)], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=err, cwd=folder, env={**env, "DATABASE_URL": url, "EMBARK_CONFIG": str(config)})

    def embark(self):
        """Its pid as seen from here; None when there is none."""
        if not self.contained:
            return self.popen.pid if self.popen.poll() is None else None
        found = children(self.popen.pid)
        return found[0] if found else None

    def below(self):
        """All that it has started."""
        found, left = [], [self.embark()] if self.embark() else []
        while left:
            more = children(left.pop())
            found += more
            left += more
        return found

    def kill(self):
        pid = self.embark()
        if pid:
            send(pid, signal.SIGKILL)

    def stop(self, whole):
        for pid in [self.embark(), *(self.below() if whole else [])]:
            if pid:
                send(pid, signal.SIGSTOP)

    def go_on(self):
        for pid in [*self.below(), self.embark()]:
            if pid:
                send(pid, signal.SIGCONT)

    def wait(self, limit=LIMIT):
        """The exit code, or "hangs"."""
        try:
            return self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            self.end()
            return "hangs"

    def running(self):
        return self.popen.poll() is None

    def end(self):
        for pid in [*self.below(), self.embark()]:
            if pid:
                send(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.popen.kill()
        self.popen.wait()

    def said(self):
        return self.err.read_text(errors="replace")

    def served(self):
        """When; None if it did not."""
        with contextlib.suppress(OSError, ValueError):
            return float(self.mark.read_text())
        return None


def wait_until(question, limit):
    """Asks every few milliseconds; what was answered last."""
    end = time.monotonic() + limit
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.005)
    return answer


def base_environment(folder, path):
    return {"PATH": path, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PGCONNECT_TIMEOUT": "20",
            "LC_ALL": "C", "TMPDIR": str(folder), "MODEL": str(os.getpid())}

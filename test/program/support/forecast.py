"""doctor and --dry-run before a start, and what the start then does: never another thing."""

import os
import re
import subprocess

WORDS = {"would run nothing": "skip", "would run:": "run", "would refuse to start (": "refuse",
         "would not run, and fail (80)": "failed",
         "would set up the database first": "set up"}


class Forecast:
    """What both say, on a state of which they change nothing."""

    def __init__(self, binary, folder, env):
        def ask(*words):
            return subprocess.run([str(binary), *words], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  errors="replace", timeout=120, check=False)

        doctor, dry = ask("doctor", "--", "true"), ask("migrate", "--dry-run")
        self.doctor, self.screen = doctor.returncode, doctor.stdout + doctor.stderr
        self.code, self.text = dry.returncode, dry.stdout + dry.stderr
        self.plan = next((name for words, name in WORDS.items() if dry.stdout.startswith(words)), None)
        refused = re.match(r"would refuse to start \((\d+)\)", dry.stdout)
        self.refused = int(refused[1]) if refused else None

    def differs(self, code, said):
        """What was foretold wrongly of a start that ended with `code` and said this; None if nothing. Nobody can look
        into a database that [bootstrap] is to make the login to, so that what the migration meets there is not foretold."""
        ran = re.search(r"migrate: .*; runs ", said) is not None
        found = None
        if self.plan == "set up":
            return None if self.doctor == code or self.doctor == 0 and code in (80, 81) else f"doctor ends with {self.doctor}, the start with {code}"
        if self.plan is None:
            # it can say nothing, and fails as a start does
            if self.code == 0 or self.code != code:
                found = f"--dry-run ends with {self.code} and no forecast"
        elif self.plan == "run" and not (ran or code in (65, 80)):
            found = "--dry-run says that the command would run"
        elif self.plan == "skip" and (ran or code != 0):
            found = "--dry-run says that nothing would run"
        elif self.plan == "refuse" and (ran or code != self.refused):
            found = f"--dry-run says that the start would be refused ({self.refused})"
        elif self.plan == "failed" and (ran or code != 80):
            found = "--dry-run says that the start would fail (80)"
        # the command's own failure can be foretold only where its files or its table show it
        if self.doctor != code and not (self.doctor == 0 and ran and code in (65, 80)):
            found = f"{found or ''}{' and ' if found else ''}doctor ends with {self.doctor}"
        return found and f"{found}, the start {'runs the command and ' if ran else ''}ends with {code}"

    def report(self):
        rows = [line for line in self.screen.splitlines() if "\u2717" in line or "hint:" in line]
        return [f"--- doctor: {self.doctor}", *rows[:6], f"--- migrate --dry-run: {self.code}", *self.text.splitlines()[:8]]


def environment(env, url, config):
    return {**env, "DATABASE_URL": url, "EMBARK_CONFIG": os.fspath(config)}

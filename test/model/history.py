"""A history: steps at random over one database, each of which ends with a start, and what must be true after it."""

import hashlib
import random
import shutil
import subprocess
import time

from support.forecast import Forecast, environment
from database import Database
from images import Image, Migration
from replica import Replica, base_environment, wait_until
from tools import TOOLS

RETRY_AFTER = 0.2
OLDER = "older than the database"
PLACES = ("public", "t1", "t2")


class Wrong(Exception):
    """What must not be."""


class History:
    def __init__(self, world, binary, path, folder, number, seed, tool, agree):
        self.seed = f"{seed} {number}"
        self.begin("first")
        names = [tool] if tool else list(TOOLS)
        self.tool = TOOLS[names[number % len(names)] if not tool else tool]()
        self.folder = folder
        self.binary = str(binary)
        self.agree = agree
        self.env = base_environment(folder, path)
        self.db = Database(world.server, f"h{number}")
        self.lines, self.started, self.uids, self.numbers = [], 0, 0, 0
        self.images, self.dumps = [], []        # what was deployed, what was dumped (a database, its images' number)
        self.place, self.way = "public", None
        self.last = None                        # how the last undisturbed start ended
        self.counts = {"starts": 0, "served": 0, "skipped": 0}
        for name in ("app", "other"):
            (folder / name).mkdir()

    def begin(self, step):
        """Each step draws anew, so that an earlier one's outcome changes none of it."""
        self.chance = random.Random(f"{self.seed} {step}")

    # --- images

    def migration(self, number=None, kinds=True):
        self.uids += 1
        self.numbers += number is None
        chance = self.chance
        kind = chance.choices(("plain", "fails", "half"), (8, 1, 1))[0] if kinds else "plain"
        return Migration(f"u{self.uids}", number or self.numbers * 10, kind=kind, place=chance.randrange(2),
                         pause=round(chance.uniform(0.05, 0.4), 2) if chance.random() < 0.3 else 0.0)

    def first_image(self):
        chance, tool = self.chance, self.tool
        image = Image(chance.choice(tool.layouts), [self.migration(kinds=False) for _ in range(chance.randrange(1, 4))])
        image.seeds = tool.seeds and chance.random() < 0.5
        image.build = chance.random() < 0.4
        image.files = bool(tool.command(image)) and chance.random() < (0.2 if tool.known else 0.7)
        image.newer = chance.choice(("fail", "continue"))
        return image

    def config(self, image, name="app"):
        words = self.tool.command(image)
        lines = ["[migrate]", "sql = sql" if words is None else "command = " + "\n    ".join(f"'{word}'" for word in words),
                 f"retry_after = {int(RETRY_AFTER * 1000)}ms", "lock_timeout = 60s", f"on_newer_database = {image.newer}"]
        if image.lock:
            lines.append(f"lock = {image.lock}")
        if image.files:
            lines += [f"files = {one}" for one in self.tool.files(image) if any((self.folder / name).glob(one))]
        if image.build:
            text = repr((image.layout, image.migrations, image.target, image.seeds))
            lines += ["[image]", "build = " + hashlib.sha256(text.encode()).hexdigest()[:10]]
        return "\n".join([*lines, "[service]", "grace = 1s"]) + "\n"

    def write(self, image, name="app"):
        folder = self.folder / name
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.tool.write(image, folder)
        return folder

    @property
    def image(self):
        return self.images[-1]

    def deploy(self, image):
        self.images.append(image)
        self.locks = len({each.lock for each in self.images})
        self.write(image)

    # --- where it acts

    def url(self, database=None):
        url = f"postgresql://{self.db.role}@127.0.0.1:{self.db.server.port}/{database or self.db.name}"
        query = ["sslmode=disable"] if self.tool.name == "dbmate" else []
        if self.way == "options":
            query.append(f"options=-csearch_path%3D{self.place}")
        elif self.way in ("schema", "search_path"):
            query.append(f"{self.way}={self.place}")
        return url + ("?" + "&".join(query) if query else "")

    def environment(self, image, name="app"):
        env = {**self.env, **self.tool.env(image, self.folder / name)}
        if self.way == "environment":
            env["PGOPTIONS"] = f"-csearch_path={self.place}"
        return env

    def move(self):
        """Another schema, from here on."""
        self.place = self.chance.choice([place for place in PLACES if place != self.place])
        self.way = self.chance.choice(self.tool.ways) if self.place != "public" else None
        self.db.run(f"ALTER ROLE {self.db.role} " + (f"SET search_path = {self.place}" if self.way == "role" else "RESET ALL"))
        self.tool.schema = self.place if self.way == "words" else None

    def acts_in(self):
        return "public" if self.tool.name == "node-pg-migrate" and self.way == "role" else self.place

    # --- a start, and what must be true then

    def say(self, text):
        self.lines.append(text)

    def start(self, image=None, name="app", contained=False):
        image = image or self.image
        self.counts["starts"] += 1
        return Replica(self, image, self.folder / name, self.url(), self.environment(image, name), contained)

    def alone(self, image, url, words=None, name="app"):
        return self.tool.run(words or self.tool.alone(image), self.folder / name,
                             {**self.environment(image, name), "DATABASE_URL": url}, self.folder / "alone")

    def calm(self):
        """One start that nothing disturbs, and all checks."""
        for again in range(4):
            before = self.db.applied(self.acts_in())
            forecast = self.forecast() if self.agree else None
            one = self.start()
            code = one.wait()
            self.say(f"    start: {code}{self.digest(one)}")
            if code in (65, 80) and "not run: with these files it failed" in one.said() and again < 3:
                time.sleep(RETRY_AFTER)
                continue
            break
        self.last = code
        self.always(one)
        # with retry_after a failed run is one for a moment only
        odd = forecast and "these files it failed" not in forecast.screen + forecast.text + one.said() and forecast.differs(code, one.said())
        if odd:
            self.lines += forecast.report()
            raise Wrong(odd)
        if code == 0:
            self.check_served(one, before)
        elif code == 81:
            known = {each.uid for each in self.image.migrations}
            if not {*self.db.applied(self.acts_in()), *self.half_done()} - known and not self.renamed():
                raise Wrong("exit code 81, but the database has no migration that the image lacks")
        elif code in (65, 80):
            self.check_failed(one.said())
        else:
            raise Wrong(f"exit code {code}")
        return code

    def half_done(self):
        """The migrations that failed, or were killed, outside of a transaction."""
        return [uid for uid, in self.db.sql("SELECT substr(tablename, 6) FROM pg_tables WHERE schemaname = %s"
                                            " AND tablename LIKE 'half\\_%%'", (self.acts_in(),))]

    def renamed(self):
        """To Django another name is another migration, and the database may have one that this image lacks."""
        words = {}
        for image in self.images:
            for one in image.migrations:
                words.setdefault(one.uid, set()).add(one.word)
        return self.tool.name == "django" and any(len(words[one.uid]) > 1 for one in self.image.migrations)

    def forecast(self):
        config = self.folder / "forecast.ini"
        config.write_text(self.config(self.image))
        return Forecast(self.binary, self.folder / "app", environment(self.environment(self.image), self.url(), config))

    def digest(self, one):
        words = [line for line in one.said().splitlines() if line.startswith("embark: ") and ("migrate" in line or "lock" in line)]
        skipped = any("everything is applied" in line for line in words)
        self.counts["skipped"] += skipped
        self.counts["served"] += one.served() is not None
        return " (skipped)" if skipped else ""

    def always(self, *replicas):
        if self.db.overlapped():
            raise Wrong("two migrations at a time")
        if self.tool.name == "sql":
            for place in PLACES:
                applied = self.db.applied(place)
                twice = {uid for uid in applied if applied.count(uid) > 1}
                if twice:
                    raise Wrong(f"applied twice: {' '.join(sorted(twice))}")

    def check_wanted(self, image, why):
        missing = [one.uid for one in image.wanted() if one.uid not in self.db.applied(self.acts_in())]
        if missing:
            raise Wrong(f"{why}: {' '.join(missing)} not applied in {self.acts_in()}")

    def check_served(self, one, before):
        self.check_wanted(one.image, "served")
        if self.tool.name == "sql":
            new = [uid for uid in self.db.applied(self.acts_in())[len(before):]]
            order = {each.uid: each.number for each in one.image.migrations}
            if [order.get(uid, 0) for uid in new] != sorted(order.get(uid, 0) for uid in new):
                raise Wrong(f"applied out of order: {' '.join(new)}")
            return
        if OLDER in one.said():
            return
        before = self.db.contents()
        code = self.alone(one.image, self.url())
        after = self.db.contents()
        if before != after:
            raise Wrong(f"served, but the tool alone (exit status {code}) changes {', '.join(differences(before, after))}")

    def check_failed(self, said):
        """A start may fail only where the tool does."""
        if self.tool.name == "sql":
            # a lock that was renamed, and a file that was edited: somebody must say what is applied
            if self.locks > 1 and "what is applied can't be known" in said:
                return
            applied = self.db.applied(self.acts_in())
            if not [one for one in self.image.migrations if one.kind != "plain" and one.uid not in applied] and not [
                    uid for uid in self.half_done() if uid not in applied]:
                raise Wrong("failed, but all pending files are good")
            return
        copy = self.db.snapshot()
        code = self.alone(self.image, self.url(copy))
        self.db.drop(copy)
        if code == 0:
            raise Wrong("failed, but the tool alone succeeds on a copy of the database")

    def check_concurrent(self, replicas, codes, allowed):
        """After replicas that ran at the same time: who served did so after the last migration of its image."""
        self.always(*replicas)
        for one, code in zip(replicas, codes):
            if code not in allowed:
                raise Wrong(f"exit code {code}")
            served = one.served()
            if served is not None:
                uids = [each.uid for each in one.image.wanted()]
                late = self.db.sql("SELECT uid FROM test.log WHERE place = %s AND uid = ANY(%s) AND ended > to_timestamp(%s)",
                                   (self.acts_in(), uids, served))
                if late:
                    raise Wrong(f"served before {' '.join(row[0] for row in late)} was applied")

    def resolve(self):
        """Files of [migrate] sql that failed half-way are to be run again."""
        config = self.folder / "resolve.ini"
        config.write_text(self.config(self.image))
        applied = self.db.applied(self.acts_in())
        for path in sorted((self.folder / "app" / "sql").iterdir()):
            if path.name.split("_")[1] not in applied:
                subprocess.run([self.binary, "migrate", "--resolve", path.name, "--as", "pending"], cwd=self.folder / "app", check=False,
                               env={**self.environment(self.image), "DATABASE_URL": self.url(), "EMBARK_CONFIG": str(config)},
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    # --- its end

    def end(self):
        self.db.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def differences(before, after):
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def moment(history, replica):
    """Waits for the moment of a blow: any, or one at which a migration runs."""
    if history.chance.random() < 0.4:
        time.sleep(history.chance.uniform(0.01, 0.8))
        return
    delay = history.chance.uniform(0, 0.3)
    wait_until(lambda: not replica.running() or history.db.migrating(), 10)
    time.sleep(delay)

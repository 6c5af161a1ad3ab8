"""The steps of a history, each a function with its weight."""

import time
from pathlib import Path

from history import moment

STEPS = {}


def step(weight, only=lambda history: True):
    def add(function):
        STEPS[function.__name__] = (weight, only, function)
        return function
    return add


def any_step(history, number):
    history.begin(number)
    names = [name for name, (_, only, _) in STEPS.items() if only(history)]
    name = history.chance.choices(names, [STEPS[name][0] for name in names])[0]
    if history.last != 0 and history.chance.random() < 0.5:
        name = "mend"       # else most of what follows could only fail
    history.say(f"  {name.replace('_', ' ')}")
    STEPS[name][2](history)


def tell(history):
    history.say(f"    {history.image.describe()} in {history.place}" + (f" by {history.way}" if history.way else ""))


def changed(history, change, kinds=True):
    """The next image: the last one, and a change."""
    image = history.image.copy()
    change(image)
    history.deploy(image)
    tell(history)


def more(history, kinds=True):
    """New migrations for an image, at its end as a rule."""
    chance = history.chance
    new = [history.migration(kinds=kinds) for _ in range(chance.randrange(1, 3))]

    def change(image):
        image.migrations += new
        image.target = None
    return change


# --- what is deployed

@step(10)
def new_migrations(history):
    changed(history, more(history))
    history.calm()


@step(2, lambda history: history.tool.name in ("django", "dbmate", "script", "sql"))
def new_migration_in_between(history):
    """As from another branch."""
    number = history.chance.randrange(1, history.numbers * 10)
    while any(one.number == number for image in history.images for one in image.migrations):
        number += 1
    changed(history, lambda image: image.migrations.append(history.migration(number, kinds=False)))
    history.calm()


@step(5)
def nothing(history):
    history.calm()


@step(6, lambda history: len(history.images) > 1)
def roll_back(history):
    image = history.chance.choice(history.images[:-1]).copy()
    history.deploy(image)
    tell(history)
    history.calm()
    if history.chance.random() < 0.5:
        history.deploy(history.images[-2].copy())
        history.say("   and forward again")
        history.calm()


@step(2, lambda history: len(history.images) > 1)
def another_branch(history):
    base = history.chance.choice(history.images[:-1]).copy()
    more(history, kinds=False)(base)
    history.deploy(base)
    tell(history)
    history.calm()


@step(4, lambda history: history.image.migrations)
def rename(history):
    number = history.chance.randrange(len(history.image.migrations))
    word = history.chance.choice(("step", "renamed", "other"))
    with_more = history.chance.random() < 0.3

    def change(image):
        image.migrations[number].word = word
        if with_more:
            more(history, kinds=False)(image)
    changed(history, change)
    history.calm()


@step(4, lambda history: history.image.migrations)
def edit(history):
    number = history.chance.randrange(len(history.image.migrations))

    def change(image):
        image.migrations[number].remark += 1
    changed(history, change)
    history.calm()


@step(2, lambda history: len(history.tool.layouts) > 1)
def another_layout(history):
    layout = history.chance.choice(history.tool.layouts)

    def change(image):
        image.layout = layout
    changed(history, change)
    history.calm()


@step(5, lambda history: history.tool.targets)
def another_command(history):
    """Only some of the migrations, and then all."""
    chance = history.chance
    image = history.image.copy()
    more(history, kinds=False)(image)
    image.target = chance.randrange(1, len(image.migrations) + 1)
    history.deploy(image)
    tell(history)
    history.calm()
    if chance.random() < 0.7:
        history.say("    and then all")
        changed(history, lambda image: setattr(image, "target", None))
        history.calm()


@step(2)
def other_settings(history):
    chance = history.chance
    key = chance.choice(("newer", "build", "files", "lock"))

    def change(image):
        if key == "newer":
            image.newer = "fail" if image.newer == "continue" else "continue"
        elif key == "lock":
            image.lock = chance.choice(("", "notes", "billing"))
        elif history.tool.command(image) is not None:
            setattr(image, key, not getattr(image, key))
    changed(history, change)
    history.calm()


@step(5)
def another_schema(history):
    history.move()
    tell(history)
    history.calm()


# --- what happens to the database

@step(4)
def dump(history):
    history.dumps.append(history.db.snapshot())


@step(5, lambda history: history.dumps)
def restore(history):
    number = history.chance.randrange(len(history.dumps))
    history.say(f"    dump {number}")
    history.db.restore(history.dumps[number])
    history.calm()


@step(4, lambda history: history.dumps and history.tool.seen(history.image) and history.tool.name != "sql")
def restore_all_but_the_ledger(history):
    """The dump of a database whose ledger is elsewhere, or which was restored table by table."""
    number = history.chance.randrange(len(history.dumps))
    history.say(f"    dump {number}")
    db = history.db
    names = [row[0] for row in db.sql("SELECT oid::regclass::text FROM pg_class WHERE relname = 'embark_ledger' AND relkind = 'r'")]
    rows = {name: db.sql(f"SELECT row_to_json(t)::text FROM {name} t") for name in names}
    db.restore(history.dumps[number])
    for name in names:
        if db.value("SELECT to_regclass(%s) IS NOT NULL", (name,)):
            db.sql(f"TRUNCATE {name}")
            for text, in rows[name]:
                db.sql(f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_record(NULL::{name}, %s::json)", (text,))
            db.sql(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT coalesce(max(id), 1) FROM {name}))")
    history.calm()


@step(3)
def lose_the_ledger(history):
    for name, in history.db.sql("SELECT oid::regclass::text FROM pg_class WHERE relname = 'embark_ledger' AND relkind = 'r'"):
        history.db.sql(f"DROP TABLE {name}")
    history.calm()


@step(5, lambda history: can_go_back(history))
def downgrade_by_hand(history):
    back_by_hand(history)
    history.calm()


def can_go_back(history):
    return history.tool.down(history.image) and history.tool.seen(history.image)


def back_by_hand(history):
    code = history.alone(history.image, history.url(), history.tool.down(history.image))
    history.say(f"    taken back by hand: {code}")


@step(3)
def mend(history):
    """What failed may succeed from now on; and where it does not, there is an image that has all that any image had."""
    history.db.sql("INSERT INTO test.flags SELECT 'u' || n FROM generate_series(1, %s) n ON CONFLICT DO NOTHING;"
                   " DELETE FROM test.flags WHERE name = 'noseed'", (history.uids,))
    if history.tool.name == "sql":
        history.resolve()
    if history.calm() == 0:
        return
    known = set()
    whole = [one for image in reversed(history.images) for one in image.migrations
             if one.uid not in known and not known.add(one.uid)]
    changed(history, lambda image: (setattr(image, "migrations", whole), setattr(image, "target", None)))
    history.calm()


@step(3)
def fail(history):
    """A migration fails, in a transaction or half-way; started twice; then it is mended, or not."""
    chance = history.chance
    new = history.migration()
    new.kind = chance.choice(("fails", "half"))
    others = [history.migration(kinds=False)] if chance.random() < 0.5 else []

    def change(image):
        image.migrations += [new, *others]
        image.target = None
    changed(history, change)
    history.calm()
    history.calm()
    if chance.random() < 0.6:
        history.say("    mended")
        mend(history)


@step(3, lambda history: history.image.seeds)
def fail_after_the_migrations(history):
    """The tool's table has all, and the command has failed all the same."""
    history.db.sql("INSERT INTO test.flags VALUES ('noseed') ON CONFLICT DO NOTHING")
    if history.chance.random() < 0.5 and can_go_back(history):
        back_by_hand(history)
    else:
        changed(history, more(history, kinds=False))
    history.calm()
    history.calm()
    history.say("    mended")
    mend(history)


# --- what happens to a start

def prepare(history):
    """Something to do for the next start."""
    if can_go_back(history) and history.chance.random() < 0.4:
        back_by_hand(history)
        return

    def change(image):
        more(history)(image)
        image.migrations[-1].pause = 0.3
    changed(history, change)


@step(7)
def kill(history):
    chance = history.chance
    prepare(history)
    kind = chance.choice(("embark", "container", "container", "tool", "backend", "lock"))
    one = history.start(contained=kind == "container")
    moment(history, one)
    strike(history, one, kind)
    code = one.wait()
    history.say(f"    killed: {kind}: {code}")
    history.check_concurrent([one], [code], {0, 65, 69, 80, 81, 1, 137, -9})
    history.calm()


def strike(history, one, kind):
    if kind in ("embark", "container"):
        one.kill()
    elif kind == "tool":
        for pid in [pid for pid in one.below() if not is_keeper(pid)][:1]:
            one_kill(pid)
    else:
        like = "embark:run%" if kind == "backend" else "embark:migrate%"
        history.db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                       " AND application_name LIKE %s", (like,))


def is_keeper(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text() == "embark:keeper\n"
    except OSError:
        return False


def one_kill(pid):
    import signal

    from support.process import send
    send(pid, signal.SIGKILL)


@step(4)
def pause(history):
    """One is stopped at a random moment, another one starts meanwhile. At times the server takes the lock away from the stopped one."""
    chance = history.chance
    prepare(history)
    whole, lost = chance.random() < 0.5, chance.random() < 0.4
    first = history.start()
    moment(history, first)
    first.stop(whole)
    if lost:
        strike(history, first, "lock")
    second = history.start()
    time.sleep(chance.uniform(0.1, 1.5))
    if not second.running() and second.served():
        history.check_wanted(second.image, "served beside one that is stopped")
    first.go_on()
    codes = [first.wait(), second.wait()]
    history.say(f"    stopped {'with all' if whole else 'alone'}{', its lock lost' if lost else ''}: {codes}")
    history.check_concurrent([first, second], codes, {0, 65, 69, 80, 81})
    history.calm()


@step(4)
def two_at_once(history):
    prepare(history)
    replicas = [history.start() for _ in range(history.chance.choice((2, 2, 3)))]
    codes = [one.wait() for one in replicas]
    history.say(f"    {codes}")
    history.check_concurrent(replicas, codes, {0, 65, 80, 81})
    history.calm()


@step(3, lambda history: len(history.images) > 1)
def old_and_new_at_once(history):
    old = history.chance.choice(history.images[:-1]).copy()
    history.write(old, "other")
    prepare(history)
    replicas = [history.start(), history.start(old, "other")]
    codes = [one.wait() for one in replicas]
    history.say(f"    beside {old.describe()}: {codes}")
    history.check_concurrent(replicas, codes, {0, 65, 80, 81})
    history.calm()

"""Prisma and Knex from npm, for folders of SQL migrations."""

import json
import os
import subprocess

from .npm import cached

PRISMA = {"prisma": "6.19.0", "@prisma/adapter-pg": "6.19.0"}
KNEX = {"knex": "3.3.0", "pg": "8.23.1"}

# Prisma's engine for migrations is a program that its vendor's server hands out, and the same as WebAssembly in npm's package, which asks the database
# through a driver in JavaScript. That driver lacks two types, name and "char", in which the catalogue answers the engine's questions; and it takes a
# script apart at its semicolons, where the program sends all of it as one message.
PRISMA_CONFIG = """import { defineConfig } from "prisma/config";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";

const known = (result) => {
  for (const field of result?.fields ?? []) if (field.dataTypeID === 18 || field.dataTypeID === 19) field.dataTypeID = 25;
  return result;
};
const query = pg.Client.prototype.query;
pg.Client.prototype.query = function (...words) {
  const last = words.at(-1);
  if (typeof last === "function") {
    words[words.length - 1] = (error, result) => last(error, known(result));
    return query.apply(this, words);
  }
  const done = query.apply(this, words);
  return done?.then ? done.then(known) : done;
};

export default defineConfig({
  experimental: { adapter: true }, engine: "js", schema: "schema.prisma", migrations: { path: "migrations" },
  adapter: async () => {
    const factory = new PrismaPg({ connectionString: process.env.DATABASE_URL });
    const connect = factory.connect.bind(factory);
    factory.connect = async () => {
      const adapter = await connect();
      adapter.executeScript = async (script) => { await adapter.client.query(script); };
      return adapter;
    };
    return factory;
  },
});
"""


def modules(dependencies):
    package = {"name": "app", "version": "1.0.0", "dependencies": dependencies, "devDependencies": {}}
    return cached(json.dumps(package, sort_keys=True)) / "node_modules"


def application(folder, dependencies):
    """Beside the folder's migrations, where embark doesn't look."""
    app = folder.parent / (folder.name + "-node")
    if not app.exists():
        app.mkdir()
        (app / "node_modules").symlink_to(modules(dependencies))
        (app / "package.json").write_text('{"name": "app", "version": "1.0.0"}')
        (app / "migrations").symlink_to(folder / "migrations")
    return app


def run(app, db, *words, check=True, **env):
    done = subprocess.run(["node", *words], cwd=app, capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "HOME": str(app), "DATABASE_URL": db.url, **env})
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def prisma(folder, db, *words, check=True):
    """prisma migrate WORDS…"""
    app = application(folder, PRISMA)
    (app / "prisma.config.ts").write_text(PRISMA_CONFIG)
    (app / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n')
    # programs that are there keep it from asking for its own; neither is started
    return run(app, db, app / "node_modules/prisma/build/index.js", "migrate", *words, check=check, CHECKPOINT_DISABLE="1", PRISMA_HIDE_UPDATE_MESSAGE="1",
               PRISMA_QUERY_ENGINE_LIBRARY="/bin/true", PRISMA_SCHEMA_ENGINE_BINARY="/bin/true")


def knex(folder, db, *words):
    """knex migrate:WORDS…: one migration in JavaScript for each SQL file, which hands it to knex.raw()."""
    app = application(folder, KNEX)
    (app / "knexfile.js").write_text('module.exports = { client: "pg", connection: process.env.DATABASE_URL, migrations: { directory: "./js" } };\n')
    (app / "js").mkdir(exist_ok=True)
    for path in sorted((folder / "migrations").glob("*.sql")):
        alone = "CONCURRENTLY" in path.read_text()
        (app / "js" / f"{path.stem}.js").write_text(
            f'const text = require("fs").readFileSync({json.dumps(str(path))}, "utf8");\nexports.up = (knex) => knex.raw(text);\n'
            f"exports.down = () => {{}};\nexports.config = {{ transaction: {json.dumps(not alone)} }};\n")
    return run(app, db, app / "node_modules/knex/bin/cli.js", "migrate:" + words[0], *words[1:])

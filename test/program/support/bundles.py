"""Frontends that real bundlers build: Vite and Next.js, installed from npm once, in the cache outside the tree."""

import fcntl
import os
import shutil
import subprocess

from .postgres import cache_folder
from .process import PATH

PACKAGES = ["vite@8.3.8", "next@16.4.6", "react@19.3.1", "react-dom@19.3.1"]
BUILDER = 1     # of the cached builds; to be raised when what is built changes


def tools():
    """The folder whose node_modules holds them."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    final = cache / ("bundle-tools-" + "-".join(PACKAGES).replace("@", "-"))
    with open(cache / "bundle-tools.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            temporary = cache / "bundle-tools.new"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            done = subprocess.run(
                ["npm", "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--no-package-lock", "--prefix",
                 str(temporary), *PACKAGES], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=temporary)
            assert done.returncode == 0, f"npm could not install {PACKAGES}:\n{done.stdout}{done.stderr}"
            os.rename(temporary, final)
    return final


VITE = {
    "package.json": '{"name": "app", "type": "module", "private": true}\n',
    "index.html": '<!doctype html><html><body><div id="root"></div><script type="module" src="/src/main.js"></script></body></html>\n',
    "src/main.js": 'const api = import.meta.env.VITE_API_URL || "http://localhost:3000";\n'
                   "fetch(`${api}/items`).then(r => r.json()).then(x => document.getElementById('root').textContent = x);\n",
}
NEXT = {
    "package.json": '{"name": "app", "private": true}\n',
    "app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
    "app/page.js": '"use client";\nimport { useEffect, useState } from "react";\n'
                   'const api = process.env.NEXT_PUBLIC_API_URL || "http://localhost:3000";\n'
                   "export default function Page() {\n  const [x, set] = useState(null);\n"
                   "  useEffect(() => { fetch(`${api}/items`).then(r => r.json()).then(set); }, []);\n"
                   "  return <p>{JSON.stringify(x)}</p>;\n}\n",
}


def _build(kind, files, command, env, output):
    """A cached build's output folder: `next build` takes half a minute."""
    cache = cache_folder()
    name = f"bundle-{kind}-{BUILDER}-" + ("-".join(f"{k}={v}" for k, v in env.items()).replace("/", "_") or "unset")
    final = cache / name
    modules = tools() / "node_modules"
    with open(cache / "bundle-tools.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            work = cache / f"{name}.new"
            shutil.rmtree(work, ignore_errors=True)
            for path, text in files.items():
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).write_text(text)
            # Turbopack doesn't follow a link that leads out of the project
            shutil.copytree(modules, work / "node_modules", symlinks=True, copy_function=os.link)
            done = subprocess.run(["node", *command], cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  env={"PATH": PATH, "HOME": str(work), "NEXT_TELEMETRY_DISABLED": "1", "CI": "1", **env})
            assert done.returncode == 0, f"{kind}: {done.stdout}{done.stderr}"
            shutil.rmtree(work / "node_modules")
            os.rename(work, final)
    return final / output


def vite(target, **env):
    """Builds with these variables and copies the bundle to `target`."""
    shutil.copytree(_build("vite", VITE, ["node_modules/vite/bin/vite.js", "build"], env, "dist"), target)


def next_static(target, **env):
    shutil.copytree(_build("next", NEXT, ["node_modules/next/dist/bin/next", "build"], env, ".next/static"), target)

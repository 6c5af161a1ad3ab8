# Says where the interpreter that runs this would find modules, without executing any of them.
#
#     PYTHON -B [the service's own -E -I -P -s -S] -c THIS MODE SCRIPT WHY NAME... [+ MORE TASK...]
#
# MODE says what the service has as sys.path[0]: "cwd" (python -m, -c), "script" (python SCRIPT), or
# "console" (SCRIPT is a console script such as uvicorn or gunicorn, which puts the working
# directory before its own). WHY is why.py, compiled only if something is missing; MORE is inventory.py. Nothing
# but what `site` has loaded already is imported on the good path, and this source must also be
# parsed by Python 2, so that it can say its version. The answer goes to descriptor 1 in lines that
# begin with "@embark ", whatever else a sitecustomize prints there; core/languages/python/lookup.h describes
# them.
#
# import would execute google/__init__.py to know where google.cloud is. Here the finders of
# sys.meta_path are asked for each part of a name with the path that the part before gave, and a
# stub with that path stands in sys.modules meanwhile, as nested namespace packages look for their
# parent there.
#
# PYTHONPATH comes as EMBARK_PYTHONPATH, so that nothing is executed of what lies there while the interpreter starts; nor is it
# afterwards, when the path is the service's: what these scripts import for themselves they import by apart().
import sys
safe = not sys.path or sys.path[0] != ''  # -I, -P, PYTHONSAFEPATH
if not safe:
    del sys.path[0]
import os  # with -S nobody has imported it yet

ABSENT = object()
standard = os.path.dirname(os.__file__)
python_path = os.environ.pop('EMBARK_PYTHONPATH', '')
installed = sys.path[:]  # as it would be without PYTHONPATH and the service
out = []
why = {}


def say(key, value=''):
    if not isinstance(value, bytes):
        try:
            value = os.fsencode(value)
        except UnicodeError:  # a message in a locale of ASCII only
            value = value.encode('utf-8', 'replace')
    for byte, escaped in ((b'\\', b'\\\\'), (b'\n', b'\\n'), (b'\r', b'\\r'), (b'\0', b'\\0')):
        value = value.replace(byte, escaped)
    out.append(b'@embark ' + key.encode() + b' ' + value + b'\n')


def finish():
    # Not by print and not by exit: sys.stdout may have been replaced, and atexit functions of a
    # sitecustomize may take their time.
    say('end')
    data = b'\n' + b''.join(out)
    while data:
        data = data[os.write(1, data):]
    os._exit(0)


def set_path(mode, script):
    first = []
    try:
        if mode == 'console' or (mode == 'cwd' and not safe):
            first.append(os.getcwd())
    except OSError:
        pass  # the working directory is gone; Python goes on as well
    if script and not safe:
        first.append(script_entry(script))
    sys.path[:0] = first + python_path_entries()


def python_path_entries():
    entries = []
    if python_path and not sys.flags.ignore_environment:
        for entry in python_path.split(os.pathsep):
            try:
                entry = entry if sys.flags.no_site else os.path.abspath(entry)
            except OSError:
                pass
            if entry not in entries:
                entries.append(entry)
    return entries


def is_standard(entry):
    return (entry in (standard, os.path.join(standard, 'lib-dynload'))
            or os.path.basename(entry) == 'python%d%d.zip' % sys.version_info[:2])


def apart(work, entries=None):
    # Runs it with the standard library (or these entries) as all that can be imported, whatever stands beside the service's code;
    # later look-ups don't find loaded what it has loaded.
    path, loaded = sys.path[:], set(sys.modules)
    sys.path[:] = [entry for entry in installed if is_standard(entry)] if entries is None else entries
    try:
        return work()
    finally:
        sys.path[:] = path
        for other in set(sys.modules) - loaded:
            del sys.modules[other]


def borrow(name, entries=None):
    def load():
        __import__(name)
        return sys.modules[name]
    return apart(load, entries)


def script_entry(script):
    # As CPython's main: a directory or zip file with a __main__ is itself the entry, otherwise the
    # folder that the script is really in.
    for hook in sys.path_hooks:
        try:
            hook(script)
            return script
        except ImportError:
            pass
    return os.path.dirname(os.path.realpath(script))


def read_file(path, limit):
    # Bytes of a regular file, and of nothing else: opening a FIFO takes for ever, and a device may have no end. None: there is no such file.
    try:
        if os.stat(path).st_mode & 0o170000 != 0o100000:
            return None
        with open(path, 'rb') as source:
            return source.read(limit)
    except (OSError, ValueError):
        return None


def find_spec(name, path):
    for finder in sys.meta_path:
        find = getattr(finder, 'find_spec', None)
        if find is not None:
            spec = find(name, path)
        else:  # a finder of before 3.4, which import took until 3.11
            loader = sys.version_info < (3, 12) and finder.find_module(name, path)
            spec = loader and sys.modules['_frozen_importlib'].spec_from_loader(name, loader)
        if spec:
            return spec
    return None


def path_spec(name, path):
    return sys.modules['_frozen_importlib_external'].PathFinder.find_spec(name, path)


class Loaded(object):
    # What import takes from sys.modules without looking for it: what site has loaded, and the
    # modules that old *-nspkg.pth files make.
    def __init__(self, module):
        spec = getattr(module, '__spec__', None)
        path = getattr(module, '__path__', None)
        self.origin = getattr(module, '__file__', None) or getattr(spec, 'origin', None)
        self.loader = getattr(module, '__loader__', None)
        self.submodule_search_locations = None if path is None else list(path)


def is_namespace(spec):
    return (spec.submodule_search_locations is not None and spec.origin in (None, 'namespace')
            and (spec.loader is None or 'Namespace' in type(spec.loader).__name__))


def shared_path(spec, leaf, entries):
    # A package whose __init__ calls pkgutil.extend_path or pkg_resources.declare_namespace has
    # parts in other folders too.
    path = list(spec.submodule_search_locations)
    if not (spec.origin or '').endswith('.py') or not os.path.isfile(spec.origin):
        return path
    text = read_file(spec.origin, 65536) or b''
    if b'extend_path' in text or b'declare_namespace' in text:
        for entry in entries:
            folder = os.path.join(entry, leaf)
            if folder not in path and os.path.isfile(os.path.join(folder, '__init__.py')):
                path.append(folder)
    return path


def walk(parts, roots=None):
    # (how many parts were found, the spec of the last one). With roots: as if sys.path were these,
    # nothing were loaded and there were no other finders.
    spec, path, entries, stubbed = None, roots, sys.path if roots is None else roots, []
    try:
        for n in range(first_to_look_for(parts) if roots is None else 0, len(parts)):
            name = '.'.join(parts[:n + 1])
            module = sys.modules.get(name, ABSENT)
            if roots is None and module is None:
                return n, spec  # import refuses it
            if roots is None and module is not ABSENT:
                found = Loaded(module)
            else:
                found = (find_spec if roots is None else path_spec)(name, path)
            if found is None:
                return n, spec
            spec = found
            if spec.submodule_search_locations is None:
                return n + 1, spec
            # A namespace's path is made anew whenever it is looked at, from its parent's in
            # sys.modules.
            spec.submodule_search_locations = list(spec.submodule_search_locations)
            path = entries = shared_path(spec, parts[n], entries)
            if not isinstance(found, Loaded):
                stub = type(sys)(name)
                stub.__path__ = path
                stubbed.append((name, module))
                sys.modules[name] = stub
        return len(parts), spec
    finally:
        for name, module in reversed(stubbed):
            if module is ABSENT:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def first_to_look_for(parts):
    # import takes the longest name that is loaded and asks for none of its parents: os.path.
    for n in range(len(parts), 1, -1):
        if sys.modules.get('.'.join(parts[:n])) is not None:
            return n - 1
    return 0


def look(name):
    parts = name.split('.')
    try:
        count, spec = walk(parts)
    except Exception as error:
        say('missing', name)
        say('error', '%s: %s' % (type(error).__name__, error))
        return
    if count == len(parts) and not is_namespace(spec):
        say('found', name)
        say('origin', spec.origin or 'built-in')
        return
    say('missing', name)
    try:
        explain(parts, count, spec)
    except Exception as error:  # the reason is extra; that it is missing is known
        say('doubt', '%s: %s' % (type(error).__name__, error))


def explain(parts, count, spec):
    if not why:
        why.update(globals())
        exec(compile(sys.argv[3], '<embark-why>', 'exec'), why)
    why['explain'](parts, count, spec)


def ask_more(source, tasks):
    scope = dict(globals())
    exec(compile(source, '<embark-more>', 'exec'), scope)
    scope['more'](tasks)


def main():
    say('version', '.'.join(str(n) for n in sys.version_info[:3]))
    say('executable', sys.executable or '')
    if sys.version_info >= (3, 4):
        set_path(sys.argv[1], sys.argv[2])
        names = sys.argv[4:]
        more = names.index('+') if '+' in names else len(names)
        for suffix in sys.modules['_imp'].extension_suffixes():
            say('suffix', suffix)
        for name in names[:more]:
            look(name)
        if names[more:]:
            ask_more(names[more + 1], names[more + 2:])
    finish()


main()

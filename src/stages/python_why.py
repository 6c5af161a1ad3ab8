# Why python_probe.py, whose names this has, didn't find a module: facts for core/python_answer.c,
# which makes sentences of them.
#
# It looks at the file system only; nothing is executed. It runs only when something is missing, so
# it may take some milliseconds, but no tree is walked.

MODULE_ENDS = ('.py', '.pyc', '.so')
listings = {}
elsewhere = []


def explain(parts, count, spec):
    hollow = count == len(parts)
    say('part', '.'.join(parts[:count if hollow else count + 1]))
    if hollow:
        say('hollow')
    if sys.modules.get('.'.join(parts[:count + 1]), ABSENT) is None:
        say('error', 'sys.modules holds None for it')
    if spec is not None:
        explain_parent(spec, parts)
    leaf = parts[count - 1 if hollow else count]
    folders = sys.path if count == 0 else spec.submodule_search_locations or []
    if not hollow:
        look_for_builds(folders, leaf)
        look_alikes(folders, leaf)
    if count == 0 or is_namespace(spec):
        look_for_metadata(parts[0])
    look_elsewhere(parts)
    say_path()


def explain_parent(spec, parts):
    if is_namespace(spec):
        for folder in spec.submodule_search_locations:
            say('library' if in_packages(folder) else 'folder', os.path.abspath(folder))
        return
    say('file' if spec.submodule_search_locations is None else 'package', spec.origin or 'built-in')
    for entry in sys.path:
        where = whole(parts, entry)
        if where:
            say('hidden', where)
            break


def in_packages(folder):
    return '/site-packages/' in folder + '/' or '/dist-packages/' in folder + '/'


def whole(parts, base):
    # Where the module's code is, with base alone as sys.path.
    count, spec = walk(parts, [base])
    if count < len(parts) or is_namespace(spec):
        return None
    return spec.origin or base


def names_in(folder):
    if folder not in listings:
        try:
            listings[folder] = os.listdir(folder or '.')
        except OSError:
            listings[folder] = []
    return listings[folder]


def look_for_builds(folders, leaf):
    # leaf.cpython-312-x86_64-linux-gnu.so is invisible to 3.13, and to a musl build of 3.12.
    for folder in folders:
        for name in names_in(folder):
            if name.startswith(leaf + '.') and name.endswith('.so'):
                say('built', os.path.join(folder, name))
                return


def look_alikes(folders, leaf):
    import difflib
    known = set(sys.builtin_module_names)
    for folder in folders:
        for name in names_in(folder):
            stem = name.split('.')[0]
            if stem.isidentifier() and (name.endswith(MODULE_ENDS) or '.' not in name):
                known.add(stem)
    known.discard(leaf)
    for name in difflib.get_close_matches(leaf, sorted(known), 1, 0.8):
        say('near', name)


def flat(name):
    return name.replace('-', '_').replace('.', '_').lower()


def look_for_metadata(top):
    for entry in sys.path:
        for name in names_in(entry):
            stem, end = os.path.splitext(name)
            if end in ('.dist-info', '.egg-info') and flat(stem.split('-')[0]) == flat(top):
                brought = [one for one in brought_by(os.path.join(entry, name)) if one != top and exists(entry, one)]
                if brought:
                    say('distribution', stem.split('-')[0])
                    say('brings', ', '.join(brought))
                else:
                    say('metadata', os.path.join(entry, name))
                return


def brought_by(folder):
    # PyYAML brings yaml, psycopg2-binary psycopg2.
    names = set()
    for file in ('top_level.txt', 'RECORD'):
        try:
            with open(os.path.join(folder, file)) as lines:
                for line in lines:
                    parts = line.strip().partition(',')[0].split('/')
                    if file == 'top_level.txt' or len(parts) == 2 and parts[1] == '__init__.py':
                        names.add(parts[0])
                    elif len(parts) == 1 and parts[0].endswith('.py'):
                        names.add(parts[0][:-3])
        except (OSError, UnicodeError):
            pass
    return sorted(name for name in names if name.isidentifier() and name[0] != '_') or sorted(names)


def exists(entry, name):
    return os.path.isdir(os.path.join(entry, name)) or any(
        other.startswith(name + '.') and other.endswith(MODULE_ENDS) for other in names_in(entry))


def look_elsewhere(parts):
    if not elsewhere:
        list_elsewhere()
    said = 0
    for prefix, folder in elsewhere:
        if said < 3 and parts[0] in stems_in(folder) and whole(parts, folder):
            said += 1
            say('other', folder)
            say('other-version', version_of(folder))
            say('other-python', python_of(prefix, folder))


def list_elsewhere():
    seen = set(os.path.realpath(entry) for entry in sys.path)
    for prefix in prefixes():
        for folder in package_folders(prefix):
            real = os.path.realpath(folder)
            if real not in seen:
                seen.add(real)
                elsewhere.append((prefix, folder))


def stems_in(folder):
    return [name.split('.')[0] for name in names_in(folder)]


def prefixes():
    # Where interpreters and virtual environments usually are, and pip install --prefix/--user put
    # things; what is named first is said first.
    home = os.path.expanduser('~')
    local = os.path.join(home, '.local')
    fixed = (sys.prefix, sys.base_prefix, os.environ.get('VIRTUAL_ENV'), '/usr/local', '/usr',
             '.venv', 'venv', 'env', local, '/root/.local')
    for prefix in fixed:
        if prefix:
            yield os.path.abspath(prefix)
    parents = ('/opt/conda/envs', home + '/.pyenv/versions', '/root/.pyenv/versions',
               local + '/share/uv/python', local + '/share/virtualenvs',
               home + '/.cache/pypoetry/virtualenvs', '/usr/local/share/virtualenvs')
    for parent in parents:
        for name in sorted(names_in(parent)):
            yield os.path.join(parent, name)
    for name in sorted(names_in('/')):
        if name in ('proc', 'sys', 'dev', 'run', 'lost+found', 'boot'):
            continue
        yield '/' + name
        for inner in sorted(names_in('/' + name)[:200]):
            yield '/%s/%s' % (name, inner)
            if name == 'home':
                yield '/home/%s/.local' % inner


def package_folders(prefix):
    for lib in ('lib', 'lib64', 'local/lib'):
        lib = os.path.join(prefix, lib)
        for name in sorted(names_in(lib)):
            if name.startswith(('python3', 'pypy3')):
                for last in ('site-packages', 'dist-packages'):
                    folder = os.path.join(lib, name, last)
                    if os.path.isdir(folder):
                        yield folder


def version_of(folder):
    # .../lib/python3.12/site-packages; Debian's /usr/lib/python3/dist-packages is of all its 3.x
    return os.path.basename(os.path.dirname(folder))[len('python'):]


def python_of(prefix, folder):
    for name in (os.path.basename(os.path.dirname(folder)), 'python3', 'python'):
        path = os.path.join(prefix, 'bin', name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ''


def say_path():
    # Once, for all names. The standard library is left out: nobody looks for a missing module
    # there.
    if b'@embark path-end \n' in out:
        return
    standard = os.path.dirname(os.__file__)
    for entry in sys.path:
        if entry in (standard, os.path.join(standard, 'lib-dynload')) or is_standard_zip(entry):
            continue
        entry = os.path.abspath(entry)
        say('path' if os.path.exists(entry) else 'gone', entry)
    say('path-end')


def is_standard_zip(entry):
    return os.path.basename(entry) == 'python%d%d.zip' % sys.version_info[:2]

# Why probe.py, whose names this has, didn't find a module: facts for core/languages/python/lookup.c,
# which makes sentences of them.
#
# It looks at the file system only; nothing is executed. It runs only when something is missing, so
# it may take some milliseconds, but no tree is walked.

MODULE_ENDS = ('.py', '.pyc', '.so')
listings = {}
elsewhere = []
answers = {}


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
    say_environment()
    if count == 0 or is_namespace(spec):
        if not look_for_editable(parts):
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
        except (OSError, ValueError):
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
    difflib = borrow('difflib')
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
        for line in lines_of(os.path.join(folder, file)):
            parts = line.strip().partition(',')[0].split('/')
            if file == 'top_level.txt' or len(parts) == 2 and parts[1] == '__init__.py':
                names.add(parts[0])
            elif len(parts) == 1 and parts[0].endswith('.py'):
                names.add(parts[0][:-3])
    names = set(name for name in names if 'editable' not in name)
    return sorted(name for name in names if name.isidentifier() and name[0] != '_') or sorted(names)


def exists(entry, name):
    return os.path.isdir(os.path.join(entry, name)) or any(
        other.startswith(name + '.') and other.endswith(MODULE_ENDS) for other in names_in(entry))


def say_environment():
    # A virtual environment that another minor version has made: its bin/python leads to whatever the image has in that place.
    made = environment_version()
    ours = '%d.%d' % sys.version_info[:2]
    if made and made.split('.')[:2] != ours.split('.') and not os.path.isdir(
            os.path.join(sys.prefix, 'lib', 'python' + ours)):
        say('env', os.path.abspath(sys.prefix))
        say('env-version', made)
        say('env-python', os.path.realpath(sys.executable))


def environment_version():
    for line in lines_of(os.path.join(sys.prefix, 'pyvenv.cfg')):
        key, _, value = line.partition('=')
        if key.strip().lower() in ('version', 'version_info') and value.strip():
            return '.'.join(value.strip().split('.')[:3])
    return None


# --- Editable installs: the environment holds the name of a folder, and the folder is somewhere else.

def look_for_editable(parts):
    # Whether one was found that explains it. A finder's mapping and a distribution of that name are sure; otherwise a folder
    # that some .pth file names and that isn't there is likely the one.
    links = list(editable_links())
    for name, path, by in links:
        if name and (name == parts[0] or '.'.join(parts).startswith(name + '.')):
            return say_editable(owner_of(by) or name, path, by)
    for entry in sys.path:
        for name in names_in(entry):
            link = os.path.join(entry, name)
            if name in (parts[0], parts[0] + '.py') and os.path.islink(link) and not os.path.exists(link):
                return say_editable(parts[0], os.path.join(os.path.abspath(entry), os.readlink(link)), link)
    for entry, info, url in editable_distributions():
        if is_of(entry, info, parts[0]):
            own = [(path, by) for name, path, by in links if owner_of(by) == stem_of(info)] or [(url, info)]
            return say_editable(stem_of(info), own[0][0], own[0][1])
    for name, path, by in links:
        if not name and not os.path.exists(path):
            return say_editable(owner_of(by) or '', path, by)
    return False


def say_editable(name, path, by):
    say('editable', name)
    say('source', path)
    say('source-by', by)
    if os.path.exists(path):
        say('source-there')
    return True


def stem_of(info):
    return os.path.basename(info).split('-')[0]


def is_of(entry, info, top):
    if flat(stem_of(info)) == flat(top):
        return True
    return top in lines_of(os.path.join(info, 'top_level.txt'))


def lines_of(path):
    return (read_file(path, 1 << 20) or b'').decode('utf-8', 'surrogateescape').splitlines()


def editable_distributions():
    for entry in sys.path:
        for name in sorted(names_in(entry)):
            if name.endswith('.dist-info'):
                text = '\n'.join(lines_of(os.path.join(entry, name, 'direct_url.json')))
                if text.replace(' ', '').find('"editable":true') >= 0:
                    url = borrow('json').loads(text).get('url', '')
                    path = borrow('urllib.parse').unquote(url[7:] if url.startswith('file://') else url)
                    yield entry, os.path.join(os.path.abspath(entry), name), path


def owner_of(file):
    # The distribution whose RECORD lists the .pth file or the finder.
    base = os.path.basename(file)
    for _, info, _ in editable_distributions():
        if any(line.partition(',')[0] == base for line in lines_of(os.path.join(info, 'RECORD'))):
            return stem_of(info)
    return None


def editable_links():
    # (module or None, path, the file that says so)
    for entry in sys.path:
        for name in sorted(names_in(entry)):
            file = os.path.join(os.path.abspath(entry), name)
            if name.endswith('.egg-link'):
                for line in lines_of(file)[:1]:
                    yield None, line.strip(), file
            if name.endswith('.pth'):
                for line in lines_of(file):
                    for link in links_of_line(entry, line.strip(), file):
                        yield link


def links_of_line(entry, line, file):
    if line.startswith(('import ', 'import\t')):
        name = line[6:].strip().split(';')[0].split(' ')[0].split(',')[0]
        finder = os.path.join(os.path.abspath(entry), name + '.py')
        return mapped(finder) if 'editable' in name.lower() else []
    return [(None, os.path.join(os.path.abspath(entry), line), file)] if line and line[0] != '#' else []


def mapped(finder):
    # {'myapp': '/src/myapp'}, map_module('myapp', '/src/myapp/__init__.py'): how the build back ends write it, read and not run.
    ast = borrow('ast')
    pairs = []
    try:
        tree = ast.parse('\n'.join(lines_of(finder)))
    except (SyntaxError, ValueError):
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs += zip(node.keys, node.values)
        elif isinstance(node, ast.Call):
            pairs += [(node.args[0], other) for other in node.args[1:]]
    texts = [(text_of(name), text_of(path)) for name, path in pairs]
    return [(name, path, finder) for name, path in texts
            if name and path and path.startswith('/') and all(part.isidentifier() for part in name.split('.'))]


def text_of(node):
    value = getattr(node, 's', None) if sys.version_info < (3, 8) else getattr(node, 'value', None)
    return value if isinstance(value, str) else None


# --- Other folders of packages, and the interpreters that look there

def look_elsewhere(parts):
    if not elsewhere:
        list_elsewhere()
    said = 0
    for prefix, folder in elsewhere:
        if said < 3 and parts[0] in stems_in(folder) and whole(parts, folder):
            said += 1
            say('other', folder)
            say('other-version', version_of(folder))
            say_interpreter(prefix, folder)


def say_interpreter(prefix, folder):
    # The interpreter that looks into the folder, as it says itself; else why the one that was to do it doesn't.
    real = gone = None
    for path in candidates(prefix, version_of(folder)):
        if os.path.islink(path) and not os.path.exists(path):
            gone = gone or path
        elif os.path.isfile(path) and os.access(path, os.X_OK):
            version, entries = asked(path)
            if os.path.realpath(folder) in entries:
                return say('other-python', path)
            if version and version != version_of(folder):
                real = real or (path, version)
    named = real and os.path.basename(real[0]) == 'python' + version_of(folder)
    if real and (named or os.path.isfile(os.path.join(prefix, 'pyvenv.cfg'))):
        say('other-link', real[0])
        say('other-real', real[1])
    elif gone:
        say('other-link', gone)
        say('other-gone', end_of(gone))


def candidates(prefix, version):
    names = ('python' + version, 'python3', 'python')
    paths = [os.path.join(prefix, 'bin', name) for name in names]
    if not os.path.isfile(os.path.join(prefix, 'pyvenv.cfg')):
        folders = os.environ.get('PATH', '').split(os.pathsep) + ['/usr/local/bin', '/usr/bin']
        paths += [os.path.join(folder, names[0]) for folder in folders if folder]
    return [path for n, path in enumerate(paths) if path not in paths[:n]]


def end_of(link):
    # Where a chain of links ends that leads to nothing.
    for _ in range(40):
        if not os.path.islink(link):
            break
        link = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
    return link


def asked(python):
    # (its version, the folders of its path), by running it: an interpreter's name and its folder's may lie.
    if python not in answers:
        answers[python] = None, []
        try:
            subprocess = borrow('subprocess')
            text = subprocess.check_output(
                [python, '-B', '-c', 'import os, sys; print("%d.%d" % sys.version_info[:2]); '
                 'print("\\0".join(os.path.realpath(entry) for entry in sys.path))'], stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=10, cwd='/')
            version, _, entries = os.fsdecode(text).partition('\n')
            answers[python] = version, entries.strip('\n').split('\0')
        except Exception:
            pass
    return answers[python]


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


def say_path():
    # Once, for all names. The standard library is left out: nobody looks for a missing module
    # there.
    if b'@embark path-end \n' in out:
        return
    for entry in sys.path:
        if is_standard(entry):
            continue
        entry = os.path.abspath(entry)
        if os.path.exists(entry):
            say('path', entry)
        else:
            say('gone', '%s (a link to %s)' % (entry, end_of(entry)) if os.path.islink(entry) else entry)
    say('path-end')

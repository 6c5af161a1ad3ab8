# What probe.py, whose names this has, is asked beyond where modules are: versions, what is installed, imports.
# Compiled only if there is a question of that kind. It runs with Python 3.4 and later; importlib.metadata is younger, and
# slow to load, so that the folders *.dist-info and *.egg-info are read here as it reads them.
#
#     installed            dist NAME, dist-version V, dist-at FOLDER, for all that is installed; the first one in sys.path counts
#     provides MODULE      provider MODULE, dist NAME …: which of them has brought the module's file; no NAME: none says so
#     requires NAME        requires-of NAME, requires LINE …: its Requires-Dist
#     markers              marker NAME VALUE: PEP 508's environment
#     toml EXTRAS FILE     toml FILE, toml-needs LINE …, toml-python SPEC, toml-doubt TEXT, toml-extra NAME: of a pyproject.toml
#     import MODULE        importing MODULE before, imported MODULE or import-error TEXT, import-type CLASS, import-name NAME
# `re` costs as much as all the rest, so that only what is rare imports it.
dists = {}
order = []


class Dist(object):
    def __init__(self, entry, name):
        self.entry, self.folder = entry, os.path.join(entry, name)
        self.egg = name.endswith('.egg-info')
        stem = name[:-9] if self.egg else name[:-10]
        self.name, _, self.version = stem.partition('-')
        if self.egg:
            self.version = self.version.partition('-py')[0]
        self.told = False

    def headers(self):
        text = self.read('PKG-INFO' if self.egg else 'METADATA') or self.read('')
        return text.partition('\n\n')[0].replace('\n ', ' ').replace('\n\t', ' ').split('\n')

    def header(self, key):
        key = key.lower() + ':'
        return [line[len(key):].strip() for line in self.headers() if line.lower().startswith(key)]

    def tell(self):
        # A folder's name says it all, unless it is an editable install's or somebody else's make.
        if not self.version or not self.version[:1].isdigit():
            self.version = (self.header('Version') or [''])[0]
        self.told = True

    def read(self, name):
        # RECORD of the largest packages has some hundred kB
        text = read_file(os.path.join(self.folder, name) if name else self.folder, 16 << 20) or b''
        return text.decode('utf-8', 'surrogateescape').replace('\r\n', '\n')

    def tops(self):
        names = self.read('top_level.txt').split()
        if names:
            return set(names)
        tops = set()
        for path in self.files():
            top = path.partition('/')[0]
            if top.endswith(('.dist-info', '.egg-info', '.pth', '.data')) or top in ('..', 'bin', '__pycache__', ''):
                continue
            tops.add(top if top != path else top.partition('.')[0])
        return tops

    def files(self):
        text = self.read('RECORD')
        if text:
            return [line.rsplit(',', 2)[0].strip('"') for line in text.split('\n') if line]
        return [line[3:] for line in self.read('installed-files.txt').split('\n') if line.startswith('../')]


def key_of(name):
    name = name.lower().replace('_', '-').replace('.', '-')
    while '--' in name:
        name = name.replace('--', '-')
    return name


def find_all():
    if order:
        return
    for entry in sys.path:
        try:
            names = sorted(os.listdir(entry or '.'))
        except OSError:
            continue
        for name in names:
            if name.endswith(('.dist-info', '.egg-info')):
                add(Dist(entry or '.', name))
            elif name.endswith('.egg-link'):
                add_link(os.path.join(entry, name))
    find_strange()


def add(dist):
    if dist.name and key_of(dist.name) not in dists:
        dists[key_of(dist.name)] = dist
        order.append(dist)


def add_link(path):
    # setup.py develop: the metadata stands beside the sources
    try:
        place = os.fsdecode(read_file(path, 65536) or b'').partition('\n')[0].strip()
        for name in os.listdir(place):
            if name.endswith('.egg-info'):
                add(Dist(place, name))
    except (OSError, ValueError):
        pass


def find_strange():
    # What only its own finder or a zip file can tell; none of it in most images.
    if not any(entry.endswith(('.zip', '.egg', '.pyz')) and os.path.isfile(entry) for entry in sys.path):
        return
    path = sys.path[:]

    def ask():
        from importlib import metadata
        for one in metadata.distributions(path=path):
            if key_of(one.metadata['Name']) not in dists:
                dist = Dist('', one.metadata['Name'] + '-' + one.version + '.dist-info')
                dist.read = lambda name, one=one: apart(lambda: one.read_text(name)) or ''
                add(dist)

    try:
        apart(ask)
    except Exception:
        pass


def say_dist(dist):
    if not dist.told:
        dist.tell()
    say('dist', dist.name)
    say('dist-version', dist.version)
    say('dist-at', dist.folder)


def say_installed():
    find_all()
    for dist in order:
        say_dist(dist)


def origin_of(name):
    try:
        count, spec = walk(name.split('.'))
        return spec.origin if spec else None
    except Exception:
        return None


def brought(dist, top, path):
    files = dist.files()
    if files:
        return path in files
    return top in dist.tops()


def provider_of(name):
    find_all()
    top, origin = name.partition('.')[0], os.path.abspath(origin_of(name) or os.sep)
    likely = [dist for dist in (dists.get(key_of(name)), dists.get(key_of(top))) if dist]
    for entry in sys.path:
        base = os.path.join(os.path.abspath(entry), '')
        if not origin.startswith(base):
            continue
        path = origin[len(base):].replace(os.sep, '/')
        for dist in likely + order:
            if os.path.abspath(dist.entry) == base[:-1] and brought(dist, top, path):
                return dist
    # an editable install's files are elsewhere; the standard library's are nobody's
    if origin.startswith(os.path.join(os.path.dirname(os.__file__), '')) and not in_packages(origin):
        return None
    return next(iter(likely), None) or next((dist for dist in order if top in dist.read('top_level.txt').split()), None)


def in_packages(path):
    return '/site-packages/' in path or '/dist-packages/' in path


def say_provider(name):
    dist = provider_of(name)
    say('provider', name)
    if dist:
        say_dist(dist)


def say_requires(name):
    find_all()
    dist = dists.get(key_of(name))
    if not dist:
        return
    say('requires-of', key_of(name))
    lines = dist.header('Requires-Dist')
    if not lines and dist.egg:
        lines = egg_requires(dist.read('requires.txt'))
    for line in lines:
        say('requires', line)


def egg_requires(text):
    # [extra:marker] sections
    lines, end = [], ''
    for line in text.split('\n'):
        line = line.strip()
        if line.startswith('['):
            extra, _, marker = line.strip('[]').partition(':')
            parts = ["extra == '%s'" % extra] if extra else []
            parts += ['(%s)' % marker] if marker else []
            end = ' ; ' + ' and '.join(parts) if parts else ''
        elif line:
            lines.append(line + end)
    return lines


def say_markers():
    apart(say_environment_markers)


def say_environment_markers():
    import platform
    release = sys.version_info
    implementation = sys.implementation
    version = '%d.%d.%d' % implementation.version[:3]
    if implementation.version[3] != 'final':
        version += implementation.version[3][0] + str(implementation.version[4])
    for name, value in (('os_name', os.name), ('sys_platform', sys.platform), ('platform_machine', platform.machine()),
                        ('platform_python_implementation', platform.python_implementation()),
                        ('platform_system', platform.system()), ('python_version', '%d.%d' % release[:2]),
                        ('python_full_version', platform.python_version()), ('implementation_name', implementation.name),
                        ('implementation_version', version)):
        say('marker', name + ' ' + value)
    # platform_release and platform_version are the running kernel's: what is installed doesn't follow from them


# --- pyproject.toml

def toml_reader():
    for name in ('tomllib', 'tomli', 'pip._vendor.tomli', 'setuptools._vendor.tomli', 'toml'):
        try:
            return borrow(name, installed)
        except Exception:
            pass
    return None


def must_read(path):
    data = read_file(path, 16 << 20)
    if data is None:
        raise ValueError(path + ' is no file that can be read')
    return data.decode('utf-8')


def say_toml(extras, path):
    say('toml', path)
    reader = toml_reader()
    if reader is None:
        say('toml-doubt', 'this Python reads no TOML (3.11 does, or the package tomli)')
        return
    try:
        text = must_read(path)
        data = apart(lambda: reader.loads(text), installed)
    except Exception as error:
        say('toml-broken', str(error))
        return
    try:
        say_needs(data, [key_of(extra) for extra in extras.split(',') if extra], os.path.dirname(path))
    except Exception as error:
        say('toml-doubt', '%s: %s' % (type(error).__name__, error))


def say_needs(data, extras, base):
    re = borrow('re')
    project = data.get('project', {})
    poetry = data.get('tool', {}).get('poetry', {})
    optional = dict((key_of(name), lines) for name, lines in project.get('optional-dependencies', {}).items())
    lines = list(project.get('dependencies', []))
    dynamic = project.get('dynamic', [])
    if project.get('requires-python'):
        say('toml-python', project['requires-python'])
    if 'dependencies' in dynamic:
        lines += dynamic_lines(data, poetry, base)
    elif not project:
        lines += poetry_lines(poetry)
    for extra in extras:
        if extra in optional:
            lines += optional[extra]
        elif extra in [key_of(name) for name in poetry.get('extras', {})]:
            lines += [name for key, names in poetry['extras'].items() if key_of(key) == extra for name in names]
        else:
            say('toml-extra', extra)
    if not project and not poetry:
        say('toml-doubt', 'it has no [project]')
    for line in lines:
        say('toml-needs', line)
        if re.match(r'\s*[A-Za-z0-9._-]+\s*\[', line):
            say_requires(re.match(r'\s*([A-Za-z0-9._-]+)', line).group(1))


def dynamic_lines(data, poetry, base):
    source = data.get('tool', {}).get('setuptools', {}).get('dynamic', {}).get('dependencies', {})
    files = source.get('file', []) if isinstance(source, dict) else []
    if poetry.get('dependencies'):
        return poetry_lines(poetry)
    if not files:
        say('toml-doubt', 'its dependencies are dynamic, set by the build')
    lines = []
    for name in [files] if isinstance(files, str) else files:
        text = must_read(os.path.join(base, name))
        lines += [line.partition(' #')[0].strip() for line in text.splitlines() if line.strip() and line.strip()[0] not in '#-']
    return lines


def poetry_lines(poetry):
    lines = []
    for name, value in poetry.get('dependencies', {}).items():
        many = isinstance(value, list)
        table = value if isinstance(value, dict) else {'version': value}
        if name.lower() == 'python':
            if not many and poetry_spec(table.get('version', '')) is not None:
                say('toml-python', poetry_spec(table.get('version', '')))
            continue
        if table.get('optional'):
            continue
        spec = None if many else poetry_spec(table.get('version', ''))
        if spec is None or set(table) & set(('platform', 'python', 'source')):
            say('toml-doubt', '%s = %r' % (name, value))
            continue
        extras = '[%s]' % ','.join(table['extras']) if table.get('extras') else ''
        lines.append(name + extras + spec + (' ; ' + table['markers'] if table.get('markers') else ''))
    return lines


def poetry_spec(text):
    # ^1.2 and ~1.2 are Poetry's own; the rest is PEP 440. None: something else.
    re = borrow('re')
    if '|' in text:
        return None
    parts = []
    for part in text.split(','):
        part = part.strip()
        match = re.match(r'([\^~])(?!=)\s*([0-9]+(?:\.[0-9]+)*)$', part)
        if match:
            numbers = [int(n) for n in match.group(2).split('.')]
            at = 0 if match.group(1) == '^' else min(1, len(numbers) - 1)
            while match.group(1) == '^' and at + 1 < len(numbers) and numbers[at] == 0:
                at += 1
            parts += ['>=' + match.group(2), '<' + '.'.join(str(n) for n in numbers[:at] + [numbers[at] + 1])]
        elif part in ('*', ''):
            pass
        elif part[0].isdigit():
            parts.append('==' + part)
        elif part[0] in '<>=!~':
            parts.append(part)
        else:
            return None
    return ','.join(parts)


# --- import

def say_import(name):
    say('importing', name)
    flush()
    try:
        __import__(name)
    except BaseException as error:
        say('import-error', str(error) or repr(error))
        say('import-type', type(error).__name__)
        say('import-name', getattr(error, 'name', None) or '')
        say('import-at', place_of(error))
        return
    say('imported', name)


def be_the_service():
    # What is imported for good has what the service has: PYTHONPATH, and what `site` would have imported from there.
    if not python_path:
        return
    os.environ['PYTHONPATH'] = python_path
    entries = python_path_entries()
    for name in () if sys.flags.no_site else ('sitecustomize', 'usercustomize'):
        if (name == 'sitecustomize' or not sys.flags.no_user_site) and entries and path_spec(name, entries):
            path = sys.path[:]
            sys.modules.pop(name, None)
            sys.path[:] = entries + installed
            try:
                __import__(name)
            except Exception as error:
                os.write(2, ('%s: %s\n' % (name, error)).encode('utf-8', 'replace'))
            added = [entry for entry in sys.path if entry not in entries and entry not in installed]
            sys.path[:] = path + added


def place_of(error):
    # The last line of the service's or a library's code, not of the import system.
    place, trace = '', error.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith('<'):
            place = '%s:%d' % (file, trace.tb_lineno)
        trace = trace.tb_next
    return place


def flush():
    data = b'\n' + b''.join(out)
    del out[:]
    while data:
        data = data[os.write(1 if answers is None else answers, data):]


answers = None


def more(tasks):
    global answers
    say('more')
    imports = [task[7:] for task in tasks if task.startswith('import ')]
    for task in tasks:
        word, _, value = task.partition(' ')
        if word == 'installed':
            say_installed()
        elif word == 'provides':
            say_provider(value)
        elif word == 'requires':
            say_requires(value)
        elif word == 'markers':
            say_markers()
        elif word == 'toml':
            say_toml(*value.split(' ', 1))
    say('end')
    if imports:
        # What the modules print is no answer. A crash comes after the end of all others' answers.
        sys.argv[1:] = []
        answers = os.dup(1)
        os.dup2(2, 1)
        be_the_service()
        for name in imports:
            say_import(name)
    flush()
    os._exit(0)

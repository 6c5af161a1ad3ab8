"""Archives whose bytes are told by what is in them."""

import io
import tarfile


def tar(files, when):
    """{name: (file or bytes, mode)} as the bytes of an archive: root's, of one time, folders before what is in them."""
    out = io.BytesIO()
    folders = {str(parent) for name in files for parent in _parents(name)}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(folders | set(files)):
            one = tarfile.TarInfo(name)
            one.mtime = when
            one.uname = one.gname = "root"
            if name in folders:
                one.type, one.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(one)
                continue
            content, one.mode = files[name]
            data = content if isinstance(content, bytes) else content.read_bytes()
            one.size = len(data)
            archive.addfile(one, io.BytesIO(data))
    return out.getvalue()


def _parents(name):
    parts = name.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def files_of(folder):
    """All that is below a folder, under its path in there."""
    return {str(path.relative_to(folder)): (path, 0o644) for path in folder.rglob("*") if path.is_file()}

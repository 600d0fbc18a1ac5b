"""Writing files that are whole or as they were."""
import os
import tempfile
from pathlib import Path


def is_special(path):
    """Tells whether a rename must not replace a file: /dev/stdout, a pipe, a link to where the user wants it."""
    return path.is_symlink() or path.exists() and not path.is_file()


def write_whole(path, text):
    """Writes the whole text, or leaves the file as it was: written beside it, then renamed. A link or a device is written
    through. Raises OSError."""
    path = Path(path)
    if is_special(path):
        path.write_text(text, encoding="utf-8")
        return
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:  # an interruption, too, leaves nothing behind
        os.unlink(temporary)
        raise

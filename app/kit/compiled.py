"""Compiled templates: made once for all languages of a process and, in a folder, once for all processes."""

import marshal
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from types import CodeType

import jinja2
from jinja2.bccache import Bucket, BytecodeCache


class Compiled(BytecodeCache):
    """Templates as Python's own code, in memory and, once `folder` is set, in files beside each other.

    Every environment that is given the same one must compile alike: `options` says what of it is in the code. What
    is of another version of Python, Jinja, the options or the template is made anew. A folder that cannot be written
    to or a file that cannot be read costs time alone. Whoever can write to the folder can have any code run, as with
    Python's own; nothing else may be kept there.
    """

    def __init__(self, options: str) -> None:
        self.folder: Path | None = None
        self._made = "|".join((sys.version, jinja2.__version__, options))
        self._known: dict[tuple[str, str], CodeType] = {}

    def get_source_checksum(self, source: str) -> str:
        """What the code of a template depends on, in 64 characters."""
        return sha256(f"{self._made}\0{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a bucket its code, if it is known."""
        bucket.code = self._known.get((bucket.key, bucket.checksum)) or self._read(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template; of a file that was there nobody sees half."""
        if bucket.code is None:
            return
        self._known[bucket.key, bucket.checksum] = bucket.code
        if self.folder is None:
            return
        written: Path | None = None
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                written = Path(file.name)
                file.write(bucket.checksum.encode() + marshal.dumps(bucket.code))
            written.replace(self.folder / bucket.key)
        except OSError:  # a full disk, or a folder that is only read
            if written is not None:
                written.unlink(missing_ok=True)

    def _read(self, bucket: Bucket) -> CodeType | None:
        if self.folder is None:
            return None
        try:
            kept = (self.folder / bucket.key).read_bytes()
        except OSError:
            return None
        length = len(bucket.checksum)
        if kept[:length] != bucket.checksum.encode():
            return None
        try:
            code = marshal.loads(kept[length:])  # noqa: S302 - of our own making, see above
        except (EOFError, ValueError, TypeError):
            return None
        if not isinstance(code, CodeType):
            return None
        self._known[bucket.key, bucket.checksum] = code
        return code

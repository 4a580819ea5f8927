"""The proxy that is deployed, before processes of the tests."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.nursery import ROOT, free_port, listens


@contextmanager
def proxying(folder: Path, ports: Sequence[int]) -> Iterator[int]:
    """The proxy with the very file that is deployed, before these processes, without TLS; its port."""
    port, text = free_port(), (ROOT / "docs" / "deployment" / "Caddyfile").read_text()
    before = " ".join(f"127.0.0.1:{each}" for each in ports)
    assert "reverse_proxy web:8000" in text
    text = text.replace("reverse_proxy web:8000", f"reverse_proxy {before}").replace("\n{\n", "\n{\n\tadmin off\n", 1)
    (folder / "Caddyfile").write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SITE": f"http://127.0.0.1:{port}"}
    command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "proxy.log").open("w") as log, subprocess.Popen(command, env=environment, stderr=log) as proxy:
        try:
            until = time.monotonic() + 20
            while not listens(port):
                assert time.monotonic() < until, (folder / "proxy.log").read_text()
                time.sleep(0.05)
            yield port
        finally:
            proxy.terminate()

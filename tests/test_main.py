"""What a start reads: no more than what whoever comes first is shown by."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cast import SECRET_KEY

ROOT = Path(__file__).parent.parent


def test_a_site_on_sqlite_reads_no_other_driver_nor_traces_and_the_desk_when_somebody_comes_to_it(
    sqlite_url: str,
) -> None:
    asks = (
        "import sys; from starlette.testclient import TestClient; from app.main import app\n"
        "def read(): return [name for name in sys.modules if name.startswith(('opentelemetry.sdk',"
        " 'opentelemetry.exporter', 'google.protobuf', 'requests', 'app.kit.collector', 'psycopg', 'app.web.desk'))]\n"
        "with TestClient(app(), base_url='http://127.0.0.1', follow_redirects=False) as browser:\n"
        "    browser.get('/login').raise_for_status()\n"
        "    print(read())\n"
        "    print([browser.get(each).headers.get('location') for each in ('/desk/x', '/desk')])\n"
        "    print(browser.get('/desk/x/no/such/page').status_code, {name[:12] for name in read()})\n"
    )
    var = str(ROOT / "var")  # where the fonts are
    given = {"PATH": os.environ["PATH"], "DATABASE_URL": sqlite_url, "SALA_VAR": var, "WORKER": "inline"}
    given |= {"SECRET_KEY": SECRET_KEY, "FASTAPI_OTEL_AUTO_CONFIGURE": "true"}
    command = [sys.executable, "-c", asks]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['/login', '/login']", "404 {'app.web.desk'}"]

"""All commands of `sala`, one file per room behind them."""

import typer

from app.cli import access, archive, forum, keeping, post, privacy, seed, serve
from app.cli.house import said_plainly

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("run")(serve.run)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("migrate")(serve.migrate)
app.command("load")(forum.load)
app.command("export")(forum.export)
app.command("archive")(archive.archive)
app.command("unarchive")(archive.unarchive)
app.command("demo")(seed.demo)
app.command("publish")(forum.publish)
app.command("purge")(privacy.purge)
app.command("verify")(forum.verify)
app.command("bounce")(post.bounce)
app.command("owner")(access.owner)
app.command("bar")(access.bar)
app.command("backup")(keeping.backup)
app.command("restore")(keeping.restore)
app.command("doctor")(keeping.doctor)


def main() -> None:
    """Run a command; a refusal is a sentence and exit code 1, never a traceback."""
    with said_plainly():
        app()

"""The terminal door: `sala …`."""

from app.cli.commands import main

__all__ = ["main"]

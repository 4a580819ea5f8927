"""`python -m app` and the command `sala`."""

from app.kit.garbage import unswept

with unswept():
    from app.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

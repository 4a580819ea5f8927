"""`python -m app` and the command `sala`."""

from app.cli import main

if __name__ == "__main__":
    main()

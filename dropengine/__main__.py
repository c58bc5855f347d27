"""`python -m dropengine` is the command `dropengine`."""

from dropengine.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())

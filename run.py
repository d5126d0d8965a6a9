"""Streamserver's command line: `python run.py --help`."""

from streamserver.cli import main

if __name__ == "__main__":
    main()

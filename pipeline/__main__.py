"""`python -m pipeline`: the same as the command `defnews`."""

from pipeline.entrypoints.cli import main

if __name__ == "__main__":
    main()

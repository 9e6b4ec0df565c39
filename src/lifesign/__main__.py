"""`python -m lifesign` is `lifesign`."""

from lifesign.cli import main

if __name__ == "__main__":
    main()

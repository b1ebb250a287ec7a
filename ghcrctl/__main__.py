"""``python -m ghcrctl``."""

from ghcrctl.cli.main import main

if __name__ == "__main__":
    main()

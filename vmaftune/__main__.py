"""``python -m vmaftune`` is ``vmaf-tune``."""

from vmaftune.cli import main

if __name__ == "__main__":
    main()

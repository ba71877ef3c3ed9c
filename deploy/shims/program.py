#!/usr/bin/env python3
"""Becomes the installed VANTA program that this file is named after, and looks at the home in which it lies."""

import os
import shutil
import sys
from pathlib import Path

HOME, PROGRAMS = "@HOME@", "@BIN@"
USUAL = "/opt/vanta"


def main():
    """Find the program where VANTA was installed when this was laid out, else on the PATH."""
    here = Path(__file__).resolve()
    name = here.stem.replace("_", "-") if here.name.startswith("vanta_") else here.name
    home = str(here.parent.parent) if (here.parent.parent / "memory").is_dir() else HOME
    for found in (Path(PROGRAMS) / name, shutil.which(name)):
        if found and os.access(str(found), os.X_OK) and Path(found).resolve() != here:
            os.environ.setdefault("VANTA_HOME", home)
            os.execv(str(found), [str(found), *given(name, sys.argv[1:], home)])  # noqa: S606 - no shell is wanted
    sys.stderr.write(f"Error: {name} is not installed on this host\n"
                     "  -> Install VANTA, or put its programs on the PATH.\n")
    return 78


def given(name, words, home):
    """The words, with the home where it is not the usual one: then commands that are proposed can be pasted."""
    end = words.index("--") if "--" in words else len(words)
    said = any(word.startswith("--home") or word in ("--help", "-h") for word in words[:end])
    alone = not words and name == "tracker_manager.py"  # it only helps then
    if said or alone or home == USUAL or os.environ["VANTA_HOME"] != home:
        return words
    return [*words[:end], "--home", home, *words[end:]]


if __name__ == "__main__":
    sys.exit(main())

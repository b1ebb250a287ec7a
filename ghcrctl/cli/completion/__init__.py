"""Shell completion: scripts and protocols of the shells (``shells``), and candidates (``values``).

A script runs ``ghcrctl __complete SHELL`` with the current command line in the format of the
shell. The output has one candidate per line, with three fields separated by tabs: the type, the
candidate and its description. The type is ``plain`` for a complete word, ``open`` for a prefix that
continues, and ``file`` or ``dir`` to let the shell complete paths. Completion prints nothing else
and never prompts. The script does not depend on the version of the program.
"""

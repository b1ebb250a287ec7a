"""Completion in shells: what the scripts ask, and what they are answered.

What belongs here: the shells' scripts and protocols (``shells``), and what is offered where
(``values``). Whatever happens, nothing is printed but candidates, and nobody is asked anything.

A script runs ``ghcrctl __complete SHELL`` with the line so far, in the shell's own way; it is
answered with lines of three fields with tabs between: ``plain`` for a candidate,
``open`` for the beginning of one, ``file`` or ``dir`` for names that the shell knows better; the
candidate; what it is. So the program that is on the PATH speaks for itself, of whatever version
the script is.
"""

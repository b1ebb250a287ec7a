"""Run the commands of the documentation, and compare the output with the pages.

`blocks` finds the commands in a page, `shell` runs them, `world` provides the hosts they contact
under their real names (`tests.internet`), and `output` compares the output with the page.
"""

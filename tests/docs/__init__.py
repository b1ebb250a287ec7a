"""The pages of the documentation, run as somebody who reads them would.

`blocks` finds the commands in a page, `shell` runs them, `world` has the hosts that they talk to,
behind their real names (`tests.internet`), and `output` compares what is printed with what the page
says.
"""

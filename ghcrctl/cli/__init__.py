"""The command-line interface: options, prompts, output, progress and the commands."""

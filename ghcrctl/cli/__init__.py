"""The only code that talks to people: options, prompts, output, progress and the commands."""

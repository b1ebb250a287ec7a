"""The keychain: where credentials come from and where they are kept.

What belongs here: environment, OS keyring, docker's and podman's files, credential helpers, gh.
What does not: what a registry does with a credential (``registry.auth``). No secret is ever part of
a message, a repr or an argument list.
"""

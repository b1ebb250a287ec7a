"""All HTTP to registries.

What belongs here: transport, authentication, one method an endpoint, and the adapter that makes a
repository a place. What does not: what is moved and why (``transfer``, ``operations``).
"""

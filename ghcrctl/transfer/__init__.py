"""The one engine: make a graph of content that exists at a source exist at a sink.

What belongs here: the plan, its execution, the events. What does not: any place, any bar, any log.
"""

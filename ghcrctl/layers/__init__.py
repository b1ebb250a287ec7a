"""What is inside layers: compression and tar.

What belongs here: turning stored bytes into the tar that they hold, and back. What does not: where
layers are kept.
"""

"""Archives of images: docker's, OCI's, and OCI layouts in directories; read and written.

What belongs here: the forms that images have outside of registries and stores. What does not: which
images are meant and what they are called here (``operations``).
"""

"""Each documented error and exit status, brought about for real."""

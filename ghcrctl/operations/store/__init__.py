"""Operations on the local store as a whole: usage, pruning, checks, serving."""

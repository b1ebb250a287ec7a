"""Operations that transfer images: pull, push and copy."""

"""Operations that create images, indexes and artifacts."""

"""Operations on archives: save and load."""

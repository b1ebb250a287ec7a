"""Operations inside images: files, layers, history and differences."""

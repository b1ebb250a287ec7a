"""Operations on local images: list, inspect, tag and remove."""

"""External programs: finding and running them."""

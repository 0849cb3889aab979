"""Tables for GenKit: rows of mixed columns, models that generate them, and what judges them."""

"""What a run shall be: one validated plan, its length, its precision, its backend."""

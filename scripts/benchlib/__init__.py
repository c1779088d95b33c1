"""What scripts/bench is made of: rows (what is measured), ways (how a program is run), and what is made of the results."""

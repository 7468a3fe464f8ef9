"""How Java writes and reads numbers, dates, patterns and regular expressions; the filters lean on it, nobody else."""

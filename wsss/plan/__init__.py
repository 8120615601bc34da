"""What a run will cost and what it did cost: work, rates, limits of jobs, accounting."""
